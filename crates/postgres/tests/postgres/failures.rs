//! A server that restarts, crashes, or hangs.

use crate::setup::{Consumer, queue, queue_at};
use futures_util::future::join_all;
use labelrelay_core::clock::within;
use labelrelay_core::{EventQueue as _, EventSource as _, QueueErrorKind};
use labelrelay_startup::SystemClock;
use labelrelay_testkit::queue_suite::{drain, message};
use labelrelay_tests::servers::Postgres as Server;
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn what_was_taken_survives_a_crash() {
    let mut server = Server::start();
    let queue = queue(&server, "crash");
    let messages: Vec<_> = (0..200)
        .map(|n| message(&format!("kept {n}"), b"1"))
        .collect();
    let sends = messages.iter().map(|message| queue.send(message));
    for sent in join_all(sends).await {
        sent.expect("taken");
    }
    server.crash();
    let error = queue.send(&messages[0]).await.unwrap_err();
    assert_eq!(
        (error.kind, error.retryable),
        (QueueErrorKind::Unavailable, true),
        "{error}"
    );
    for word in [server.address.to_string().as_str(), "start the server"] {
        assert!(error.message.contains(word), "{error}");
    }
    server.start_again();
    let sends = messages.iter().map(|message| queue.send(message));
    for sent in join_all(sends).await {
        assert!(sent.expect("taken").repeat, "it was taken before the crash");
    }
    let consumer = Consumer::of(&server, "crash").await;
    assert_eq!(drain(&consumer).await.len(), messages.len());
}

/// While it hangs no send succeeds, and each ends by itself. Afterwards the next one does, on a connection of its own
/// if it has to.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_server_that_hangs_is_late_and_nobody_waits_for_it_for_ever() {
    let server = Server::start();
    let queue = queue(&server, "hung");
    queue.send(&message("before", b"1")).await.expect("taken");
    let clock = SystemClock::new();
    server.hang();
    for n in 0..3 {
        let lost = message(&format!("lost {n}"), b"1");
        let sent = within(&clock, SHORT, queue.send(&lost)).await;
        assert!(sent.is_err(), "nobody can have answered");
    }
    let error = queue.send(&message("late", b"1")).await.unwrap_err();
    assert_eq!(error.kind, QueueErrorKind::Late, "{error}");
    for word in [
        server.address.to_string().as_str(),
        "did not answer",
        "look at the server",
    ] {
        assert!(error.message.contains(word), "{error}");
    }
    server.go_on();
    let next = message("next", b"2");
    let begun = Instant::now();
    while let Err(error) = queue.send(&next).await {
        assert!(begun.elapsed() < Duration::from_secs(60), "{error}");
    }
    let consumer = Consumer::of(&server, "hung").await;
    // A message that was given up may have been stored all the same.
    let bodies: Vec<_> = drain(&consumer)
        .await
        .into_iter()
        .map(|got| got.body)
        .collect();
    assert_eq!(bodies.iter().filter(|body| **body == next.body).count(), 1);
}

/// The server answers such a commit as if all were well, and warns beside it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_commit_whose_wait_for_a_standby_is_cancelled_is_not_taken() {
    let mut server = Server::start();
    queue(&server, "waits")
        .send(&message("before", b"1"))
        .await
        .expect("taken");
    server.stop();
    server.start_again_with(&["synchronous_standby_names=gone"]);
    let queue = queue(&server, "waits");
    let one = message("one", b"1");
    let stored = "SELECT count(*) FROM waits.events";
    let canceller = server.cancel_waits();
    let begun = Instant::now();
    // The first time it is new. The second time it is stored, and still the standby lacks it.
    for attempt in ["new", "repeat"] {
        let error = loop {
            let sent = queue.send(&one).await;
            let error = sent.expect_err(attempt);
            // On a slow machine nobody cancels it in time.
            if error.kind != QueueErrorKind::Late {
                break error;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{error}");
        };
        let expected = (QueueErrorKind::Unavailable, true);
        assert_eq!((error.kind, error.retryable), expected, "{error}");
        assert!(error.message.contains("pg_cancel_backend"), "{error}");
        assert_eq!(server.sql(stored), "2", "it is stored, once");
    }
    drop(canceller);
    let sent = within(&SystemClock::new(), SHORT, queue.send(&one)).await;
    assert!(!matches!(sent, Ok(Ok(_))), "the standby is gone: {sent:?}");
    server.stop();
    server.start_again();
    let begun = Instant::now();
    let receipt = loop {
        match queue.send(&one).await {
            Ok(receipt) => break receipt,
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(60), "{error}"),
        }
    };
    assert!(receipt.repeat, "it was stored before");
    assert_eq!(server.sql(stored), "2");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_consumer_goes_on_after_a_restart() {
    let mut server = Server::start();
    let queue = queue(&server, "restart");
    let consumer = Consumer::of(&server, "restart").await;
    queue.send(&message("before", b"1")).await.expect("taken");
    let long = Duration::from_secs(60);
    let held = consumer.0.receive(1, long, Duration::ZERO).await.unwrap();
    server.stop();
    let error = consumer
        .0
        .receive(1, long, Duration::ZERO)
        .await
        .unwrap_err();
    assert!(error.retryable, "{error}");
    server.start_again();
    // The receipt is good as before.
    let begun = Instant::now();
    while let Err(error) = consumer.0.ack(&[&held[0].receipt]).await {
        assert!(begun.elapsed() < Duration::from_secs(60), "{error}");
    }
    queue.send(&message("after", b"2")).await.expect("taken");
    let waited = consumer.0.receive(1, long, long).await.unwrap();
    assert_eq!(waited.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_host_that_is_silent_does_not_hide_the_next_one() {
    let server = Server::start();
    // The system takes connections for it, and nobody answers them.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let hosts = format!("@{},{}", silent.local_addr().unwrap(), server.address);
    let only = format!("@{}", server.address);
    let queue = queue_at(&server, &server.url("hosts").replace(&only, &hosts));
    let one = message("one", b"1");
    let begun = Instant::now();
    while let Err(error) = queue.send(&one).await {
        assert!(begun.elapsed() < Duration::from_secs(60), "{error}");
    }
    assert_eq!(server.sql("SELECT count(*) FROM hosts.events"), "1");
}
