//! Removing the acknowledged: when, what not, and that room and numbers are handled well.

use crate::support::{QueueDir, ids, message, send};
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
fn only_events_acknowledged_long_ago_are_removed() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    send(&queue, "done early");
    acknowledge_all(&queue_dir.file());
    queue_dir.clock.advance(2 * HOUR);
    send(&queue, "done late");
    acknowledge_all(&queue_dir.file());
    send(&queue, "in flight");
    queue_dir.file().receive(1, HOUR).unwrap();
    send(&queue, "ready");
    assert_eq!(queue_dir.file().prune(HOUR).unwrap(), 1);
    assert_eq!(ids(&queue_dir.file()), ["done late", "in flight", "ready"]);
}

#[test]
fn the_window_of_repeats_is_kept_whatever_is_asked_for() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    send(&queue, "a");
    acknowledge_all(&queue_dir.file());
    queue_dir.clock.advance(Duration::from_secs(1));
    assert_eq!(queue_dir.file().prune(Duration::ZERO).unwrap(), 0);
    assert!(
        send(&queue, "a").repeat,
        "pruning must not make a repeat an event"
    );
    queue_dir.clock.advance(HOUR);
    assert_eq!(queue_dir.file().prune(Duration::ZERO).unwrap(), 1);
}

#[test]
fn the_owner_prunes_by_itself() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| options.retention = HOUR);
    for n in 0..400 {
        send(&queue, &n.to_string());
    }
    acknowledge_all(&queue_dir.file());
    queue_dir.clock.advance(2 * HOUR);
    // Each turn of the writer prunes a batch; a check is a turn that writes nothing.
    for _ in 0..10 {
        block_on(queue.check()).unwrap();
    }
    assert_eq!(ids(&queue_dir.file()), Vec::<String>::new());
}

#[test]
fn numbers_are_never_given_twice() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    send(&queue, "a");
    let last = send(&queue, "b").message_id;
    acknowledge_all(&queue_dir.file());
    queue_dir.clock.advance(HOUR);
    assert_eq!(queue_dir.file().prune(Duration::ZERO).unwrap(), 2);
    queue.close();
    let next = send(&queue_dir.open(), "c").message_id;
    assert_eq!((last.as_deref(), next.as_deref()), (Some("2"), Some("3")));
}

#[test]
fn freed_space_is_reused() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    let mut sizes = Vec::new();
    for round in 0..4 {
        for n in 0..100 {
            block_on(queue.send(&queue_suite::message(
                &format!("{round}.{n}"),
                &[b"\"", &*b"x".repeat(50_000), b"\""].concat(),
            )))
            .unwrap();
        }
        acknowledge_all(&queue_dir.file());
        queue_dir.clock.advance(HOUR);
        assert_eq!(queue_dir.file().prune(Duration::ZERO).unwrap(), 100);
        let db = rusqlite::Connection::open(queue_dir.path()).unwrap();
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
    assert_eq!(
        queue_dir.file().list(&Filter::default(), 9).unwrap().len(),
        1
    );
    let _ = message("");
}
