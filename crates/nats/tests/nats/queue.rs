//! The suite of queues, and what is particular to streams.

use crate::setup::{Consumer, queue, queue_at};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream::{self, StreamExt as _};
use labelrelay_core::{DeadLetterCount, EventQueue, QueueErrorKind};
use labelrelay_nats::NatsQueue;
use labelrelay_testkit::queue_suite::{self as suite, Reader, drain, message};
use labelrelay_tests::servers::Nats as Server;
use serde_json::json;
use std::time::{Duration, Instant};

async fn over_a_stream(
    server: &Server,
    stream: &str,
    test: impl AsyncFnOnce(&dyn EventQueue, &dyn Reader),
) {
    server.add_streams(stream);
    let queue = queue(server, stream);
    let consumer = Consumer::of(server, stream).await;
    test(&queue, &consumer).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: cargo xtask test"]
async fn it_passes_the_suite() {
    let server = Server::start();
    let server = &server;
    tokio::join!(
        over_a_stream(server, "bytes", suite::bytes_come_back_as_they_went_in),
        over_a_stream(server, "repeats", suite::repeats_are_one_message),
        over_a_stream(server, "merged", suite::distinct_ids_are_never_merged),
        over_a_stream(server, "a_b_a", suite::a_b_a_is_three_messages),
        over_a_stream(server, "in_order", suite::order_is_kept),
        over_a_stream(server, "once", suite::concurrent_sends_all_arrive_once),
        over_a_stream(server, "limit", suite::the_limit_is_where_it_says),
        over_a_stream(server, "shared", async |queue, reader| {
            let other = Consumer::of(server, "shared").await;
            suite::receivers_share_nothing(queue, &[reader, &other]).await;
        }),
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: cargo xtask test"]
async fn one_replica_recognises_the_others_repeats() {
    const EVENTS: usize = 200;
    // The server syncs one event after the other, and the last of them is waited for as well.
    const AT_ONCE: usize = 64;
    let server = Server::start();
    server.add_streams("replicas");
    let replicas = [queue(&server, "replicas"), queue(&server, "replicas")];
    let messages: Vec<_> = (0..EVENTS)
        .map(|n| message(&format!("of both {n}"), n.to_string().as_bytes()))
        .collect();
    let sends = messages.iter().zip(messages.iter().rev());
    let sends = sends.flat_map(|(one, other)| [(0, one), (1, other)]);
    let answers = sends.map(|(replica, message)| {
        let queue: &NatsQueue = &replicas[replica];
        async move { queue.send(message).await.expect("taken") }
    });
    let answers = stream::iter(answers).buffer_unordered(AT_ONCE);
    let answers: Vec<_> = answers.collect().await;
    let new = answers.iter().filter(|sent| !sent.repeat).count();
    assert_eq!(new, EVENTS, "each id is new once");
    let consumer = Consumer::of(&server, "replicas").await;
    assert_eq!(drain(&consumer).await.len(), EVENTS);
}

/// A stream recognises a repeat among all of its messages, whatever their subject.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: cargo xtask test"]
async fn queues_that_share_a_stream_share_no_ids() {
    let server = Server::start();
    server.add_stream("both", "labels.>", &json!({}));
    let url = server.url("both");
    let other = url.replace("/labels.both?", "/labels.other?");
    assert_ne!(url, other);
    let event = message("of both", b"1");
    for url in [&url, &other] {
        let queue = queue_at(url);
        for is_repeat in [false, true] {
            let sent = queue.send(&event).await.expect("taken");
            assert_eq!(sent.repeat, is_repeat, "{url}");
        }
    }
    assert_eq!(server.messages("both"), 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: cargo xtask test"]
async fn what_server_and_stream_take_at_most_is_the_limit() {
    let server = Server::start_with("sync_interval: always", "max_payload: 2MB");
    server.add_streams("large");
    let large = queue(&server, "large");
    large.check().await.expect("ready");
    assert_eq!(large.limits().max_message_bytes, 2 * 1024 * 1024);
    let limits = json!({"max_msg_size": 10_000});
    server.add_stream("small", "labels.small", &limits);
    let small = queue(&server, "small");
    small.check().await.expect("ready");
    assert_eq!(small.limits().max_message_bytes, 10_000);
    server.add_stream(
        "small-dead-letters",
        "dead-letters.labels.small",
        &json!({}),
    );
    let consumer = Consumer::of(&server, "small").await;
    suite::the_limit_is_where_it_says(&small, &consumer).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: cargo xtask test"]
async fn a_full_stream_says_so_and_keeps_what_it_has() {
    let server = Server::start();
    server.add_stream("full", "labels.full", &json!({"max_msgs": 2}));
    let queue = queue_at(&server.url("full"));
    for n in 0..2 {
        let sent = queue.send(&message(&format!("kept {n}"), b"1")).await;
        sent.expect("taken");
    }
    let error = queue.send(&message("no room", b"1")).await.unwrap_err();
    assert_eq!(error.kind, QueueErrorKind::Full, "{error}");
    for word in ["/full/labels.full", "maximum messages", "raise the limits"] {
        assert!(error.message.contains(word), "{error}");
    }
    assert_eq!(server.messages("full"), 2);
    let unknown = DeadLetterCount::Unknown(None);
    assert_eq!(queue.dead_letters().await.unwrap(), unknown);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: cargo xtask test"]
async fn a_lease_is_one_replicas_at_a_time() {
    let server = Server::start();
    server.add_streams("turns");
    let url = server.url("turns") + "&leases=turns";
    let error = queue_at(&url).check().await.unwrap_err();
    assert_eq!(error.kind, QueueErrorKind::Misconfigured, "{error}");
    assert!(error.message.contains("nats kv add turns"), "{error}");
    server.add_bucket("turns", Duration::from_secs(600));
    let (one, other) = (queue_at(&url), queue_at(&url));
    one.check().await.expect("ready");
    let work = "redrive s3://bucket/a b";
    let held = one.lease(work).await.unwrap();
    let held = held.expect("nobody has it");
    assert!(held.lasts());
    assert!(other.lease(work).await.unwrap().is_none());
    assert!(other.lease("something else").await.unwrap().is_some());
    drop(held);
    // Long before the server forgets it.
    let begun = Instant::now();
    while other.lease(work).await.unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it is free");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    server.add_bucket("short", Duration::from_secs(20));
    let short = queue_at(&(server.url("turns") + "&leases=short"));
    let held = short.lease(work).await.unwrap();
    let held = held.expect("nobody has it");
    let begun = Instant::now();
    while server.stream("KV_short")["state"]["last_seq"].as_u64() < Some(2) {
        assert!(begun.elapsed() < Duration::from_secs(60), "it is kept");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // The server got one of its messages, and the receipt did not come back. Red if it is given up then: nobody would have
    // it until the server forgets that message.
    let wanted = json!({"last_by_subj": "$KV.short.>"});
    let found = server.api("STREAM.MSG.GET.KV_short", &wanted);
    let last = &found["message"];
    let said = STANDARD.decode(last["data"].as_str().unwrap()).unwrap();
    let said: serde_json::Value = serde_json::from_slice(&said).unwrap();
    let put = server.publish(last["subject"].as_str().unwrap(), &said);
    let unheard = put["seq"].as_u64().unwrap();
    let begun = Instant::now();
    while server.stream("KV_short")["state"]["last_seq"].as_u64() <= Some(unheard) {
        assert!(begun.elapsed() < Duration::from_secs(60), "it is kept");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let begun = Instant::now();
    while !held.lasts() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it lasts");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Who lost it learns of that.
    server.api("STREAM.PURGE.KV_short", &json!({}));
    let begun = Instant::now();
    while held.lasts() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it is lost");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
