//! A look into a stream.

use crate::setup::{Consumer, nats, queue, queue_at};
use labelrelay_core::{
    CommandLineBackEnd as _, EventQueue as _, EventSource as _, Location, QueueView, ViewPage,
    ViewedEvent, ViewedState,
};
use labelrelay_testkit::queue_suite::message;
use labelrelay_tests::servers::Nats as Server;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

async fn view(url: &str) -> Arc<dyn QueueView> {
    let at = Location {
        url,
        base_dir: Path::new("/"),
    };
    nats().queue_view(at).await.expect("a URL")
}

/// A page from one end on, of all.
fn page(newest_first: bool, max: usize) -> ViewPage {
    ViewPage {
        after: None,
        before: None,
        newest_first,
        max,
    }
}

/// All events, page by page.
async fn all(view: &dyn QueueView, newest_first: bool, max: usize) -> Vec<ViewedEvent> {
    let mut events = Vec::new();
    let mut page = page(newest_first, max);
    loop {
        let mut next = view.page(page).await.expect("looked at");
        assert!(next.len() <= max, "{} of {max}", next.len());
        let Some(last) = next.last() else {
            return events;
        };
        if newest_first {
            page.before = Some(last.number);
        } else {
            page.after = Some(last.number);
        }
        events.append(&mut next);
    }
}

fn numbers(events: &[ViewedEvent]) -> Vec<u64> {
    events.iter().map(|event| event.number).collect()
}

/// Every second message is of another queue. The first event is held, the second one is done with, and the third one is
/// held.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: cargo xtask test"]
async fn events_are_looked_at_from_either_end_and_stay() {
    const EVENTS: usize = 12;
    let server = Server::start();
    server.add_stream("looked", "labels.>", &json!({}));
    let buried = "dead-letters.labels.looked";
    server.add_stream("looked-dead-letters", buried, &json!({}));
    let url = server.url("looked");
    let (ours, others) = (
        queue(&server, "looked"),
        queue_at(&url.replace("/labels.looked?", "/labels.others?")),
    );
    let view = view(&url).await;
    for newest_first in [false, true] {
        assert!(all(&*view, newest_first, 4).await.is_empty());
    }
    let sent: Vec<_> = (0..EVENTS)
        .map(|n| message(&format!("looked at {n}"), n.to_string().as_bytes()))
        .collect();
    for message in &sent {
        ours.send(message).await.expect("taken");
        others.send(message).await.expect("taken");
    }
    // Nobody has consumed, and so there is no consumer.
    assert_eq!(all(&*view, false, 5).await.len(), EVENTS);
    let consumer = Consumer::of(&server, "looked").await;
    let long = Duration::from_secs(300);
    let held = consumer.0.receive(3, long, Duration::ZERO).await.unwrap();
    assert_eq!(held.len(), 3);
    consumer.0.ack(&[&held[1].receipt]).await.expect("answered");

    let places: Vec<u64> = [1].into_iter().chain((5..24).step_by(2)).collect();
    let backwards: Vec<u64> = places.iter().rev().copied().collect();
    for max in [1, 4, 100] {
        let events = all(&*view, false, max).await;
        assert_eq!(numbers(&events), places, "{max} at a time");
        let events = all(&*view, true, max).await;
        assert_eq!(numbers(&events), backwards, "{max} at a time");
    }
    let events = all(&*view, false, 100).await;
    for (place, event) in events.iter().enumerate() {
        let (state, receives) = match place {
            0 | 1 => (ViewedState::Hidden, 1),
            _ => (ViewedState::Ready, 0),
        };
        assert_eq!((event.state, event.receives), (state, receives), "{place}");
        // Milliseconds, of a time in this century's third decade or later.
        assert!(event.queued_ms > 1_577_836_800_000, "{}", event.queued_ms);
        let of = if place == 0 { 0 } else { place + 1 };
        assert!(event.envelope == sent[of].body, "byte for byte");
    }
    for (newest_first, expected) in [(false, [7, 9]), (true, [9, 7])] {
        let between = ViewPage {
            after: Some(5),
            before: Some(11),
            ..page(newest_first, 100)
        };
        let events = view.page(between).await.expect("looked at");
        assert_eq!(numbers(&events), expected);
    }
    assert_eq!(server.messages("looked"), 2 * EVENTS as u64 - 1);
}

/// A page has some 8 MiB at most, and what is left is on the next one.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: cargo xtask test"]
async fn large_events_come_in_smaller_pages() {
    const EVENTS: u64 = 12;
    let server = Server::start();
    server.add_streams("heavy");
    let queue = queue(&server, "heavy");
    let filling = "x".repeat(900_000);
    for n in 0..EVENTS {
        let body = format!("\"{filling}\"");
        let message = message(&format!("heavy {n}"), body.as_bytes());
        queue.send(&message).await.expect("taken");
    }
    let view = view(&server.url("heavy")).await;
    let places: Vec<u64> = (1..=EVENTS).collect();
    for newest_first in [false, true] {
        let first = view.page(page(newest_first, 100)).await.expect("looked at");
        assert!((9..=10).contains(&first.len()), "{}", first.len());
        let mut events = numbers(&all(&*view, newest_first, 100).await);
        events.sort_unstable();
        assert_eq!(events, places, "each once");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: cargo xtask test"]
async fn a_stream_that_is_not_there_is_not_looked_at() {
    let server = Server::start();
    let view = view(&server.url("absent")).await;
    let error = view.page(page(false, 10)).await.unwrap_err().to_string();
    for word in ["/absent/labels.absent", "stream not found"] {
        assert!(error.contains(word), "{error}");
    }
}
