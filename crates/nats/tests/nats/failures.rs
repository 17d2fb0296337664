//! A server that is not there, restarts under load, loses its power, or hangs.

use crate::setup::{Consumer, queue, queue_at};
use labelrelay_core::clock::within;
use labelrelay_core::{EventQueue as _, EventSource as _, QueueErrorKind};
use labelrelay_nats::NatsQueue;
use labelrelay_startup::SystemClock;
use labelrelay_testkit::queue_suite::{drain, message};
use labelrelay_tests::servers::Nats as Server;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(300);

/// Longest time for what must happen.
const PATIENCE: Duration = Duration::from_secs(120);

/// What senders of a test share.
#[derive(Default)]
struct Load {
    accepted: AtomicUsize,
    is_over: AtomicBool,
}

/// Sends one event after the other, each until it is accepted; gives their number.
async fn send_all(queue: Arc<NatsQueue>, load: Arc<Load>, sender: usize) -> usize {
    for number in 0.. {
        if load.is_over.load(Ordering::Relaxed) {
            return number;
        }
        let message = message(&format!("{sender} {number}"), b"1");
        let begun = Instant::now();
        while let Err(error) = queue.send(&message).await {
            assert!(begun.elapsed() < PATIENCE, "{error}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        load.accepted.fetch_add(1, Ordering::Relaxed);
    }
    unreachable!("numbers do not end")
}

/// Waits until more events were accepted.
async fn more(load: &Load) {
    let wanted = load.accepted.load(Ordering::Relaxed) + 40;
    let begun = Instant::now();
    while load.accepted.load(Ordering::Relaxed) < wanted {
        assert!(begun.elapsed() < PATIENCE, "events are accepted");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: cargo xtask test"]
async fn nothing_is_lost_and_nothing_is_twice_while_the_server_restarts_under_load() {
    const SENDERS: usize = 4;
    let mut server = Server::start();
    server.add_streams("load");
    let queue = Arc::new(queue(&server, "load"));
    let load = Arc::new(Load::default());
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| tokio::spawn(send_all(Arc::clone(&queue), Arc::clone(&load), sender)))
        .collect();
    for loses_power in [false, true, true] {
        more(&load).await;
        tokio::task::block_in_place(|| {
            if loses_power {
                server.kill();
            } else {
                server.stop();
            }
            server.start_again();
        });
    }
    more(&load).await;
    load.is_over.store(true, Ordering::Relaxed);
    let mut sent = 0;
    for sender in senders {
        sent += sender.await.expect("it sends");
    }
    assert_eq!(sent, load.accepted.load(Ordering::Relaxed));
    let stored = server.drain("load");
    let distinct: BTreeSet<_> = stored.iter().map(|(_, body)| body).collect();
    assert_eq!(
        (stored.len(), distinct.len()),
        (sent, sent),
        "each is there once"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: cargo xtask test"]
async fn a_server_that_is_not_there_is_named() {
    let mut server = Server::start();
    server.add_streams("gone");
    let queue = queue(&server, "gone");
    queue.send(&message("before", b"1")).await.expect("taken");
    server.kill();
    for queue in [queue, queue_at(&server.url("gone"))] {
        let begun = Instant::now();
        let error = queue.send(&message("after", b"1")).await.unwrap_err();
        assert_eq!(error.kind, QueueErrorKind::Unavailable, "{error}");
        for word in [&*server.address.to_string(), "start the server"] {
            assert!(error.message.contains(word), "{error}");
        }
        assert!(begun.elapsed() < PATIENCE, "and does not wait");
    }
}

/// While it hangs no send succeeds, and each ends by itself. Afterwards the next one does, on a connection of its own.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: cargo xtask test"]
async fn a_server_that_hangs_is_late_and_nobody_waits_for_it_for_ever() {
    let server = Server::start();
    server.add_streams("hung");
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
    for word in [&*server.address.to_string(), "look at the server"] {
        assert!(error.message.contains(word), "{error}");
    }
    server.go_on();
    let next = message("next", b"2");
    let begun = Instant::now();
    while let Err(error) = queue.send(&next).await {
        assert!(begun.elapsed() < PATIENCE, "{error}");
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

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: cargo xtask test"]
async fn a_consumer_goes_on_after_a_restart() {
    let mut server = Server::start();
    server.add_streams("restart");
    let queue = queue(&server, "restart");
    let consumer = Consumer::of(&server, "restart").await;
    queue.send(&message("before", b"1")).await.expect("taken");
    let long = Duration::from_secs(300);
    let held = consumer.0.receive(1, long, Duration::ZERO).await.unwrap();
    assert_eq!(held.len(), 1);
    // Not killed: what was handed out is written a moment later, and is handed out again if it was not.
    server.stop();
    let error = consumer.0.receive(1, long, Duration::ZERO).await;
    let error = error.unwrap_err();
    assert!(error.retryable, "{error}");
    tokio::task::block_in_place(|| server.start_again());
    // The receipt is good as before.
    let begun = Instant::now();
    while let Err(error) = consumer.0.ack(&[&held[0].receipt]).await {
        assert!(begun.elapsed() < PATIENCE, "{error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    queue.send(&message("after", b"2")).await.expect("taken");
    let waited = consumer.0.receive(1, long, PATIENCE).await.unwrap();
    assert_eq!(waited.len(), 1);
    assert_eq!(server.messages("restart"), 1, "the first one is done with");
}

/// Whoever consumes stops while it waits and while it holds events: they come again, and none is lost.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: cargo xtask test"]
async fn a_consumer_that_stops_loses_nothing() {
    const EVENTS: usize = 30;
    let server = Server::start();
    server.add_streams("stopped");
    let queue = queue(&server, "stopped");
    let visibility = Duration::from_secs(10);
    let first = Consumer::of(&server, "stopped").await;
    let clock = SystemClock::new();
    // It gives up waiting, with a request under way.
    let waited = first.0.receive(10, visibility, PATIENCE);
    assert!(within(&clock, SHORT, waited).await.is_err());
    for n in 0..EVENTS {
        let event = message(&format!("kept {n}"), n.to_string().as_bytes());
        queue.send(&event).await.expect("taken");
    }
    let held = first.0.receive(10, visibility, Duration::ZERO).await;
    assert_eq!(held.unwrap().len(), 10);
    drop(first);
    let second = Consumer::of(&server, "stopped").await;
    let mut seen = BTreeSet::new();
    let begun = Instant::now();
    while seen.len() < EVENTS {
        assert!(begun.elapsed() < PATIENCE, "{} of {EVENTS}", seen.len());
        let long = Duration::from_secs(60);
        let events = second.0.receive(10, long, Duration::from_secs(5)).await;
        for event in events.unwrap() {
            let settled = second.0.ack(&[&event.receipt]).await;
            settled.expect("answered");
            assert!(seen.insert(event.envelope), "each comes once");
        }
    }
    assert_eq!(server.messages("stopped"), 0);
}
