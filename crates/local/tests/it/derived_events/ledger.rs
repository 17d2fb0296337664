//! The ledger from which is derived: what it reads, and that it stops no delivery.

use super::{
    annotation, completed, created, deleted, named_task, open, send, source, stored, until,
};
use crate::support::QueueDir;
use labelrelay_core::EventQueue as _;
use labelrelay_core::from_api::ReconciledEvent;
use labelrelay_core::ledger::{Change, Key};
use rusqlite::Connection;

#[test]
fn appended_events_count_and_earlier_ones_are_learned() {
    let queue_dir = QueueDir::new();
    send(&queue_dir.open(), &created(1, 7, 1));
    let queue = open(&queue_dir);
    let file = queue_dir.file();
    send(&queue, &deleted("delete 1", [1]));
    assert_eq!(named_task(&file, "delete 1").as_deref(), Some("7"));
    assert_eq!(completed(&file).len(), 0, "it was completed long ago");

    let source = source();
    let fetched = annotation(2, 7, 5).to_string();
    let key = Key::new("annotation", "2");
    let found = ReconciledEvent::describe(&source, &key, Change::Created, fetched.as_bytes());
    let message = found.unwrap().message(
        &source,
        queue.limits(),
        "2026-11-21T09:00:00Z".parse().unwrap(),
    );
    file.append(&[message], 0).unwrap();
    until("it is told without a delivery", || {
        completed(&file).len() == 1
    });
    send(&queue, &deleted("delete 2", [2]));
    assert_eq!(named_task(&file, "delete 2").as_deref(), Some("7"));
}

#[test]
fn a_ledger_that_is_none_stops_no_delivery() {
    let spoil = [
        "CREATE TABLE ledger_things(a)",
        "INSERT INTO settings VALUES('ledger_format', 99)",
        "INSERT INTO settings VALUES('ledger_format', 1)",
    ];
    for spoiled in spoil {
        let queue_dir = QueueDir::new();
        drop(queue_dir.open());
        let other = Connection::open(queue_dir.path()).unwrap();
        other.execute_batch(spoiled).unwrap();
        drop(other);
        let queue = open(&queue_dir);
        send(&queue, &created(1, 7, 1));
        until("it is said", || {
            queue.ledger().and_then(|ledger| ledger.off).is_some()
        });
        assert_eq!(stored(&queue_dir.file()).len(), 1, "{spoiled}");
    }
}

#[test]
fn a_ledger_that_breaks_stops_no_delivery() {
    let queue_dir = QueueDir::new();
    let queue = open(&queue_dir);
    send(&queue, &created(1, 7, 1));
    assert_eq!(queue.ledger().and_then(|ledger| ledger.off), None);
    let other = Connection::open(queue_dir.path()).unwrap();
    other.execute_batch("DROP TABLE ledger_things").unwrap();
    send(&queue, &created(2, 8, 1));
    send(&queue, &deleted("delete 1", [1]));
    let file = queue_dir.file();
    assert_eq!(named_task(&file, "delete 1"), None);
    assert_eq!(completed(&file).len(), 1);
    until("it is said", || {
        queue.ledger().and_then(|ledger| ledger.off).is_some()
    });
}

#[test]
fn without_the_setting_nothing_is_derived() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    send(&queue, &created(1, 7, 1));
    send(&queue, &deleted("bulk", [1, 2]));
    let stored = stored(&queue_dir.file());
    assert_eq!(stored.len(), 2);
    assert!(stored.iter().all(|event| event.attributes.task.is_none()));
}
