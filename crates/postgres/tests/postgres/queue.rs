//! The suite of queues, and what is particular to several processes on one queue.

use crate::setup::{Consumer, queue, queue_at, source};
use futures_util::future::join_all;
use labelrelay_core::{EventQueue, SourceOptions};
use labelrelay_postgres::PostgresQueue;
use labelrelay_testkit::queue_suite::{self as suite, Reader, drain, message};
use labelrelay_tests::servers::Postgres as Server;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

async fn over_a_schema(
    server: &Server,
    schema: &str,
    test: impl AsyncFnOnce(&dyn EventQueue, &dyn Reader),
) {
    let queue = queue(server, schema);
    let consumer = Consumer::of(server, schema).await;
    test(&queue, &consumer).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn it_passes_the_suite() {
    let server = Server::start();
    let server = &server;
    tokio::join!(
        over_a_schema(server, "bytes", suite::bytes_come_back_as_they_went_in),
        over_a_schema(server, "repeats", suite::repeats_are_one_message),
        over_a_schema(server, "merged", suite::distinct_ids_are_never_merged),
        over_a_schema(server, "a_b_a", suite::a_b_a_is_three_messages),
        over_a_schema(server, "in_order", suite::order_is_kept),
        over_a_schema(server, "once", suite::concurrent_sends_all_arrive_once),
        over_a_schema(server, "shared", async |queue, reader| {
            let other = Consumer::of(server, "shared").await;
            suite::receivers_share_nothing(queue, &[reader, &other]).await;
        }),
    );
    // By itself: it has large messages in memory several times.
    over_a_schema(server, "limit", suite::the_limit_is_where_it_says).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn one_replica_recognises_the_others_repeats() {
    const EVENTS: usize = 300;
    let server = Server::start();
    let replicas = [
        queue(&server, "replicas"),
        queue(&server, "replicas"),
        queue(&server, "replicas"),
    ];
    let messages: Vec<_> = (0..EVENTS)
        .map(|n| message(&format!("of all {n}"), n.to_string().as_bytes()))
        .collect();
    // In orders that would lock one another out if each took its ids as they come.
    let backwards = messages.iter().rev();
    let sends = messages.iter().zip(backwards);
    let sends = sends.flat_map(|(one, other)| [(0, one), (1, other), (2, one)]);
    let answers = sends.map(|(replica, message)| {
        let queue: &PostgresQueue = &replicas[replica];
        async move {
            let sent = queue.send(message).await.expect("taken");
            (message.id().to_owned(), sent)
        }
    });
    let answers = join_all(answers).await;
    let new: Vec<_> = answers.iter().filter(|(_, sent)| !sent.repeat).collect();
    assert_eq!(new.len(), EVENTS, "each id is new once");
    let places: BTreeSet<_> = answers
        .iter()
        .map(|(id, sent)| (id, sent.message_id.clone()))
        .collect();
    assert_eq!(
        places.len(),
        EVENTS,
        "all copies name the message that was kept"
    );
    let consumer = Consumer::of(&server, "replicas").await;
    assert_eq!(drain(&consumer).await.len(), EVENTS);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn tables_are_made_once_however_many_begin() {
    let server = Server::start();
    let options = SourceOptions::default();
    join_all((0..12).map(|_| source(&server, "fresh", &options))).await;
    let versions = "SELECT version FROM fresh.schema_version ORDER BY version";
    assert_eq!(server.sql(versions), "1\n2\n3");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn an_id_is_new_again_when_its_window_has_passed() {
    let server = Server::start();
    let queue = queue_at(&server, &(server.url("window") + "&repeat_window_s=2"));
    let one = message("one", b"1");
    let begun = Instant::now();
    assert!(!queue.send(&one).await.unwrap().repeat);
    // Repeats do not make the window longer.
    while queue.send(&one).await.unwrap().repeat {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "the window has passed"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let passed = begun.elapsed();
    assert!(passed >= Duration::from_millis(1900), "after {passed:?}");
    let consumer = Consumer::of(&server, "window").await;
    assert_eq!(drain(&consumer).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_lease_is_one_replicas_at_a_time() {
    let server = Server::start();
    let (one, other) = (queue(&server, "leases"), queue(&server, "leases"));
    let held = one.lease("moving").await.unwrap();
    let held = held.expect("nobody has it");
    assert!(held.lasts());
    assert!(other.lease("moving").await.unwrap().is_none());
    assert!(other.lease("something else").await.unwrap().is_some());
    drop(held);
    // The server hears of it a moment later.
    let begun = Instant::now();
    let taken = loop {
        if let Some(taken) = other.lease("moving").await.unwrap() {
            break taken;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "it is free");
    };
    // Who loses the server learns of it.
    server.sql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'");
    let begun = Instant::now();
    while taken.lasts() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it is lost");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_queue_has_no_more_connections_than_it_may() {
    let server = Server::start();
    let url = server.url("few") + "&pool=3&application_name=few";
    let queue = queue_at(&server, &url);
    queue.send(&message("one", b"1")).await.expect("taken");
    let checks = join_all((0..100).map(|_| queue.check())).await;
    assert!(checks.iter().any(Result::is_ok), "{checks:?}");
    // Those that were opened stay open.
    let open = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'few'";
    let open: u32 = server.sql(open).parse().unwrap();
    assert!((1..=3).contains(&open), "{open}");
}
