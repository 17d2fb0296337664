//! Removing the acknowledged: when, what not, and that room and numbers are handled well.

use crate::support::{Place, ids, message, send};
use futures_executor::block_on;
use labelrelay_core::EventQueue as _;
use labelrelay_local::{Filter, QueueFile};
use labelrelay_testkit::queue_suite;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

fn acknowledge_all(file: &QueueFile) {
    loop {
        let taken = file.receive(1000, HOUR).unwrap();
        if taken.is_empty() {
            return;
        }
        let receipts: Vec<_> = taken
            .iter()
            .map(|delivery| delivery.receipt.as_str())
            .collect();
        file.acknowledge_all(&receipts).unwrap();
    }
}

#[test]
fn only_what_was_acknowledged_long_enough_ago_is_removed() {
    let place = Place::new();
    let queue = place.open();
    send(&queue, "done early");
    acknowledge_all(&place.file());
    place.clock.advance(2 * HOUR);
    send(&queue, "done late");
    acknowledge_all(&place.file());
    send(&queue, "in flight");
    place.file().receive(1, HOUR).unwrap();
    send(&queue, "ready");
    assert_eq!(place.file().prune(HOUR).unwrap(), 1);
    assert_eq!(ids(&place.file()), ["done late", "in flight", "ready"]);
}

#[test]
fn the_window_of_repeats_is_kept_whatever_is_asked_for() {
    let place = Place::new();
    let queue = place.open();
    send(&queue, "a");
    acknowledge_all(&place.file());
    place.clock.advance(Duration::from_secs(1));
    assert_eq!(place.file().prune(Duration::ZERO).unwrap(), 0);
    assert!(
        send(&queue, "a").repeat,
        "pruning must not make a repeat an event"
    );
    place.clock.advance(HOUR);
    assert_eq!(place.file().prune(Duration::ZERO).unwrap(), 1);
}

#[test]
fn the_owner_prunes_by_itself() {
    let place = Place::new();
    let queue = place.open_with(|options| options.retention = HOUR);
    for n in 0..400 {
        send(&queue, &n.to_string());
    }
    acknowledge_all(&place.file());
    place.clock.advance(2 * HOUR);
    // Each turn of the writer prunes a batch; a check is a turn that writes nothing.
    for _ in 0..10 {
        block_on(queue.check()).unwrap();
    }
    assert_eq!(ids(&place.file()), Vec::<String>::new());
}

#[test]
fn numbers_are_never_given_twice() {
    let place = Place::new();
    let queue = place.open();
    send(&queue, "a");
    let last = send(&queue, "b").message_id;
    acknowledge_all(&place.file());
    place.clock.advance(HOUR);
    assert_eq!(place.file().prune(Duration::ZERO).unwrap(), 2);
    queue.close();
    let next = send(&place.open(), "c").message_id;
    assert_eq!((last.as_deref(), next.as_deref()), (Some("2"), Some("3")));
}

#[test]
fn room_is_used_again() {
    let place = Place::new();
    let queue = place.open();
    let mut sizes = Vec::new();
    for round in 0..4 {
        for n in 0..100 {
            block_on(queue.send(&queue_suite::message(
                &format!("{round}.{n}"),
                &[b"\"", &*b"x".repeat(50_000), b"\""].concat(),
            )))
            .unwrap();
        }
        acknowledge_all(&place.file());
        place.clock.advance(HOUR);
        assert_eq!(place.file().prune(Duration::ZERO).unwrap(), 100);
        let db = rusqlite::Connection::open(place.path()).unwrap();
        sizes.push(
            db.query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0))
                .unwrap(),
        );
    }
    assert!(
        sizes[3] <= sizes[0] + sizes[0] / 10,
        "pages after each round: {sizes:?}"
    );
    send(&queue, "still works");
    assert_eq!(place.file().list(&Filter::default(), 9).unwrap().len(), 1);
    let _ = message("");
}
