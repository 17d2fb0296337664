//! Conformance suite of sources of events, as plain functions: a new back end gets its tests for a few lines.
//!
//! Each function takes the queue, and a source of the same queue, which is empty and nobody else's. Time is let pass by
//! a function of the caller: a clock that is moved, or real time where the queue is a server.

use crate::queue_suite::message;
use futures_util::future::join;
use labelrelay_core::{BoxFuture, EventQueue, EventSource, Extended, ReceivedEvent, Settled};
use std::time::Duration;

/// Lets time pass for the queue.
pub type Pass<'a> = &'a dyn Fn(Duration) -> BoxFuture<'static, ()>;

/// Visibility that a test lets run out.
const SHORT: Duration = Duration::from_secs(2);
/// Longer than `SHORT`, by more than servers round.
const LATER: Duration = Duration::from_secs(4);
const LONG: Duration = Duration::from_secs(60);
/// Longest wait for an event that is there, or comes.
const PATIENCE: Duration = Duration::from_secs(20);

async fn send(queue: &dyn EventQueue, id: &str) -> Vec<u8> {
    let message = message(id, format!("{{\"of\":{id:?}}}").as_bytes());
    queue.send(&message).await.expect("taken");
    message.body.to_vec()
}

async fn one(source: &dyn EventSource, visibility: Duration) -> ReceivedEvent {
    let mut events = source.receive(1, visibility, PATIENCE).await.expect("read");
    assert_eq!(events.len(), 1, "an event is there");
    events.remove(0)
}

async fn none(source: &dyn EventSource) {
    let events = source
        .receive(10, LONG, Duration::ZERO)
        .await
        .expect("read");
    assert!(events.is_empty(), "nothing is there: {events:?}");
}

/// An event is received once within its visibility, and again after it, with another receipt and a higher count. The
/// envelope is the same, byte for byte.
pub async fn an_event_comes_back_when_its_visibility_ran_out(
    queue: &dyn EventQueue,
    source: &dyn EventSource,
    pass: Pass<'_>,
) {
    let sent = send(queue, "again").await;
    let first = one(source, SHORT).await;
    assert!(first.envelope == sent, "the envelope is what was sent");
    none(source).await;
    pass(LATER).await;
    let second = one(source, LONG).await;
    assert!(second.envelope == sent, "the envelope is what was sent");
    assert_ne!(first.receipt, second.receipt);
    if let (Some(once), Some(twice)) = (first.receive_count, second.receive_count) {
        assert_eq!((once, twice), (1, 2));
    }
    let stale = source.ack(&[&first.receipt]).await.expect("answered");
    assert_eq!(stale, [Settled::Stale], "somebody else has it");
    let done = source.ack(&[&second.receipt]).await.expect("answered");
    assert_eq!(done, [Settled::Done]);
}

/// What was acknowledged is done with; the answers are in the receipts' order.
pub async fn an_acknowledged_event_is_done_with(
    queue: &dyn EventQueue,
    source: &dyn EventSource,
    pass: Pass<'_>,
) {
    send(queue, "one").await;
    let first = one(source, SHORT).await;
    send(queue, "two").await;
    let second = one(source, SHORT).await;
    let done = source.ack(&[&first.receipt]).await.expect("answered");
    assert_eq!(done, [Settled::Done]);
    let both = [first.receipt.as_str(), second.receipt.as_str()];
    let both = source.ack(&both).await.expect("answered");
    assert_eq!(both, [Settled::Stale, Settled::Done]);
    pass(LATER).await;
    none(source).await;
}

/// What is given back comes again, and not before its time.
pub async fn an_event_that_was_given_back_comes_when_its_time_has_come(
    queue: &dyn EventQueue,
    source: &dyn EventSource,
    pass: Pass<'_>,
) {
    send(queue, "back").await;
    let event = one(source, LONG).await;
    let receipts = [event.receipt.as_str()];
    let back = source.retry(&receipts, SHORT).await.expect("answered");
    assert_eq!(back, [Settled::Done]);
    none(source).await;
    pass(LATER).await;
    let again = one(source, LONG).await;
    let receipts = [again.receipt.as_str()];
    let back = source.retry(&receipts, Duration::ZERO).await;
    assert_eq!(back.expect("answered"), [Settled::Done]);
    one(source, LONG).await;
}

/// What is kept for longer comes to nobody else, and the receipt that was given for it is good.
pub async fn an_event_that_is_extended_is_kept(
    queue: &dyn EventQueue,
    source: &dyn EventSource,
    pass: Pass<'_>,
) {
    send(queue, "kept").await;
    let event = one(source, SHORT).await;
    let extended = source.extend(&event.receipt, LONG).await.expect("answered");
    let Extended::Until(receipt) = extended else {
        panic!("a fresh receipt is good");
    };
    pass(LATER).await;
    none(source).await;
    let done = source.ack(&[&receipt]).await.expect("answered");
    assert_eq!(done, [Settled::Done]);
    let late = source.extend(&receipt, LONG).await.expect("answered");
    assert_eq!(late, Extended::Stale);
}

/// What is rejected is done with here; gives it, so that the caller can look for it among the dead letters.
pub async fn a_rejected_event_is_done_with(
    queue: &dyn EventQueue,
    source: &dyn EventSource,
    pass: Pass<'_>,
) -> ReceivedEvent {
    send(queue, "poison").await;
    let event = one(source, SHORT).await;
    let rejected = source.reject(&event, "no use for it").await;
    assert_eq!(rejected.expect("answered"), Settled::Done);
    let again = source.ack(&[&event.receipt]).await.expect("answered");
    assert_eq!(again, [Settled::Stale]);
    pass(LATER).await;
    none(source).await;
    event
}

/// A receive that waits returns when an event comes.
pub async fn a_wait_ends_with_an_event(queue: &dyn EventQueue, source: &dyn EventSource) {
    let (events, sent) = join(source.receive(1, LONG, PATIENCE), send(queue, "late")).await;
    let events = events.expect("read");
    assert_eq!(events.len(), 1);
    assert!(events[0].envelope == sent);
}
