//! The suite of sources of events, and where dead letters go.

use crate::setup::{nats, queue, source};
use labelrelay_core::{
    BoxFuture, DeadLetterCount, EventQueue as _, EventSource as _, Settled, SourceOptions,
};
use labelrelay_testkit::queue_suite::message;
use labelrelay_testkit::source_suite::{self as suite, REASON, Subject, Tells};
use labelrelay_tests::servers::Nats as Server;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// Receives after which an event becomes a dead letter.
const RECEIVES: u32 = 3;

/// Lets real time pass: the server goes by no other.
fn pass(by: Duration) -> BoxFuture<'static, ()> {
    Box::pin(tokio::time::sleep(by))
}

async fn over_a_stream<T>(
    server: &Server,
    stream: &str,
    test: impl AsyncFnOnce(Subject<'_>) -> T,
) -> T {
    server.add_streams(stream);
    over(server, stream, test).await
}

async fn over<T>(server: &Server, stream: &str, test: impl AsyncFnOnce(Subject<'_>) -> T) -> T {
    let options = SourceOptions::default().max_receives(RECEIVES);
    let source = source(server, stream, &options).await;
    let queue = queue(server, stream);
    test(Subject {
        queue: &queue,
        source: &source,
        pass: &pass,
        // An acknowledgement that came too late is one: the event was worked on.
        tells: Tells::Changes,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: cargo xtask test"]
async fn it_passes_the_suite() {
    let server = Server::start();
    let server = &server;
    tokio::join!(
        over_a_stream(
            server,
            "again",
            suite::an_event_comes_back_when_its_visibility_ran_out
        ),
        over_a_stream(server, "done", suite::an_acknowledged_event_is_done_with),
        over_a_stream(
            server,
            "back",
            suite::an_event_that_was_given_back_comes_when_its_time_has_come
        ),
        over_a_stream(server, "kept", suite::an_event_that_is_extended_is_kept),
        over_a_stream(server, "wait", suite::a_wait_ends_with_an_event),
        over_a_stream(
            server,
            "odd",
            suite::odd_and_large_envelopes_come_as_they_were_sent
        ),
        over_a_stream(server, "batch", async |subject| {
            // More than one receive takes.
            suite::a_long_batch_is_settled_receipt_by_receipt(subject, 120).await;
        }),
        over_a_stream(server, "shared", async |subject| {
            let other = source(server, "shared", &SourceOptions::default()).await;
            suite::an_event_that_is_held_is_nobody_elses(subject, &other).await;
        }),
        over_a_stream(server, "often", async |subject| {
            suite::an_event_that_is_received_too_often_is_handed_out_no_more(subject, RECEIVES)
                .await;
        }),
        over_a_stream(
            server,
            "slow",
            suite::an_event_that_others_may_have_is_not_rejected
        ),
    );
    assert_eq!(server.messages("slow-dead-letters"), 0);
    let buried = server.drain("often-dead-letters");
    assert_eq!(buried.len(), 1);
    let reason = "Labelrelay-Reason: received 3 times and never acknowledged";
    assert!(buried[0].0.contains(reason), "{}", buried[0].0);
    // A work queue forgets what is done with.
    assert_eq!(server.messages("often"), 0);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: cargo xtask test"]
async fn a_rejected_event_is_a_dead_letter_with_its_reason() {
    let server = Server::start();
    let event = over_a_stream(&server, "poison", suite::a_rejected_event_is_done_with).await;
    let queue = queue(&server, "poison");
    let counted = queue.dead_letters().await.unwrap();
    assert_eq!(counted, DeadLetterCount::About(1));
    let buried = server.drain("poison-dead-letters");
    assert!(buried[0].1 == event.envelope, "byte for byte");
    let reason = format!("Labelrelay-Reason: {REASON}");
    assert!(buried[0].0.contains(&reason), "{}", buried[0].0);
}

/// The server keeps a request that it cannot answer yet. Whoever asks for what is there does not wait for that.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: cargo xtask test"]
async fn nothing_is_there_while_as_much_is_held_as_may_be_handed_out() {
    let server = Server::start();
    server.add_streams("held");
    let config = json!({
        "name": "labelrelay",
        "durable_name": "labelrelay",
        "ack_policy": "explicit",
        "ack_wait": 300_000_000_000_u64,
        "max_ack_pending": 1,
    });
    let wanted = json!({"stream_name": "held", "config": config});
    server.api("CONSUMER.CREATE.held.labelrelay", &wanted);
    let queue = queue(&server, "held");
    for id in ["one", "two"] {
        queue.send(&message(id, b"1")).await.expect("taken");
    }
    let source = source(&server, "held", &SourceOptions::default()).await;
    let long = Duration::from_secs(300);
    let first = source.receive(10, long, Duration::ZERO).await.unwrap();
    assert_eq!(first.len(), 1);
    let second = source.receive(10, long, Duration::ZERO).await;
    assert_eq!(second.expect("the server answers").len(), 0);
    let settled = source.ack(&[&first[0].receipt]).await;
    assert_eq!(settled.expect("answered"), [Settled::Done]);
    let third = source.receive(10, long, long).await.unwrap();
    assert_eq!(third.len(), 1);
}

/// It leaves no room for a reason.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: cargo xtask test"]
async fn the_largest_event_can_be_a_dead_letter() {
    let server = Server::start();
    server.add_streams("largest");
    let queue = queue(&server, "largest");
    queue.check().await.expect("ready");
    let most = queue.limits().max_message_bytes;
    let of = |bytes: u64| {
        let text = "x".repeat(usize::try_from(bytes).expect("fits"));
        message("largest", format!("\"{text}\"").as_bytes())
    };
    let sent = of(most - queue.message_bytes(&of(0)) - 20);
    queue.send(&sent).await.expect("taken");
    let source = source(&server, "largest", &SourceOptions::default()).await;
    let long = Duration::from_secs(300);
    let mut events = source.receive(1, long, long).await.unwrap();
    let rejected = source.reject(&mut events[0], &"x".repeat(1000)).await;
    assert_eq!(rejected.expect("answered"), Settled::Done);
    let buried = server.drain("largest-dead-letters");
    assert_eq!(buried.len(), 1);
    assert!(buried[0].1 == sent.body, "byte for byte");
    assert_eq!(server.messages("largest"), 0);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: cargo xtask test"]
async fn an_event_stays_where_no_dead_letter_is_taken() {
    let server = Server::start();
    server.add_stream("strict", "labels.strict", &json!({}));
    let full = json!({"retention": "limits", "max_bytes": 1});
    server.add_stream("strict-dead-letters", "dead-letters.labels.strict", &full);
    let error = over(
        &server,
        "strict",
        suite::a_failed_rejection_leaves_the_event,
    )
    .await;
    let error = error.to_string();
    for word in [
        "no dead letter at dead-letters.labels.strict",
        "maximum bytes",
    ] {
        assert!(error.contains(word), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: cargo xtask test"]
async fn a_source_without_a_place_for_dead_letters_is_refused() {
    let server = Server::start();
    server.add_stream("alone", "labels.>", &json!({}));
    let url = server.url("alone");
    let opened = async |options: &SourceOptions| {
        let nats = nats();
        let opened = nats.event_source(&url, Path::new("/"), options).await;
        opened.err().map(|error| error.to_string())
    };
    let options = SourceOptions::default();
    let error = opened(&options).await.unwrap();
    let command = "nats stream add alone-dead-letters --subjects=dead-letters.labels.alone";
    assert!(error.contains(command), "{error}");
    let own = SourceOptions::default().dead_letter("labels.failed");
    let error = opened(&own).await.unwrap();
    assert!(error.contains("its own place"), "{error}");
    let wrong = SourceOptions::default().dead_letter("nats://n/FAILED/failed");
    let error = opened(&wrong).await.unwrap();
    assert!(error.contains("no subject"), "{error}");
    server.add_stream("failed", "failed", &json!({"retention": "limits"}));
    let elsewhere = SourceOptions::default().dead_letter("failed");
    assert_eq!(opened(&elsewhere).await, None);
}
