//! The ledger's size: what is gone goes after a week, and what was told longest ago where there is too much.

use super::{
    annotation, completed, created, deleted, event, open, send, source, task_state, tasks_deleted,
    until,
};
use crate::support::QueueDir;
use labelrelay_core::from_api::ReconciledEvent;
use labelrelay_core::ledger::{Change, Key};
use labelrelay_core::{EventQueue as _, OutboundMessage};
use rusqlite::Connection;
use serde_json::json;
use std::ops::RangeInclusive;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn rows(queue_dir: &QueueDir, of: &str) -> i64 {
    let db = Connection::open(queue_dir.path()).unwrap();
    let count = format!("SELECT count(*) FROM ledger_things WHERE {of}");
    db.query_row(&count, [], |row| row.get(0)).unwrap()
}

#[test]
fn removed_things_are_remembered_for_a_week() {
    let queue_dir = QueueDir::new();
    // Events of this test were received at noon, by the clock of the queue in three hours.
    queue_dir.clock.advance(DAY / 8);
    let queue = open(&queue_dir);
    for id in 1..=4 {
        send(&queue, &created(id, id, 1));
    }
    send(&queue, &deleted("one", [1]));
    send(&queue, &tasks_deleted("a task", &[2]));
    send(
        &queue,
        &event(
            "project",
            "io.labelstud.project.deleted",
            &json!({"action": "PROJECT_DELETED", "project": {"id": 1}}),
        ),
    );
    // Of a project that began anew.
    send(&queue, &created(5, 5, 1));
    drop(queue);
    queue_dir.clock.advance(6 * DAY);
    // Marks all that was read, without which nothing goes.
    let queue = open(&queue_dir);
    until("it was looked through", || {
        queue.ledger().unwrap().things > 0
    });
    assert_eq!(rows(&queue_dir, "annotation > 0"), 5);
    queue_dir.clock.advance(2 * DAY);
    until("they are forgotten", || rows(&queue_dir, "1") == 2);
    assert_eq!(rows(&queue_dir, "task = 5"), 2);
    until("it is said", || queue.ledger().unwrap().things == 2);
    assert_eq!(completed(&queue_dir.file()).len(), 5);
}

#[test]
fn the_oldest_knowledge_makes_room() {
    const MANY: i64 = 900;
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| {
        options.derivation = super::derivation();
        // An eighth of it has room for 1,092 things of 120 bytes.
        options.max_file_bytes = Some(1024 * 1024);
    });
    for id in 1..=MANY {
        send(&queue, &created(id, id, 1));
        if id % 150 == 0 {
            consume(&queue_dir);
        }
    }
    until("it is small", || rows(&queue_dir, "1") <= 1100);
    until("the newest are there", || {
        rows(&queue_dir, &format!("annotation = {MANY}")) == 1
    });
    assert_eq!(rows(&queue_dir, "task = 1"), 0);
    // A pull finds an annotation of a task of which nothing is known any more: it was completed long ago.
    let before = completed(&queue_dir.file()).len();
    let found = annotation(MANY + 1, 1, 59).to_string();
    let key = Key::new("annotation", (MANY + 1).to_string());
    let found = ReconciledEvent::describe(&source(), &key, Change::Created, found.as_bytes());
    let now = "2026-11-21T09:00:00Z".parse().unwrap();
    let message = found.unwrap().message(&source(), queue.limits(), now);
    queue_dir.file().append(&[message], 0).unwrap();
    until("it is noted", || rows(&queue_dir, "task = 1") == 2);
    assert_eq!(completed(&queue_dir.file()).len(), before);
}

/// Imports tell of more than the ledger may know. Red if it grows beyond an eighth above its bound, or if it learns
/// nothing any more once it was full.
#[test]
fn a_full_ledger_adds_nothing_until_what_is_oldest_is_gone() {
    // An eighth of it has room for 1,092 things of 120 bytes.
    const MOST: i64 = 1092;
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| {
        options.derivation = super::derivation();
        options.max_file_bytes = Some(1024 * 1024);
    });
    for import in 0..3 {
        send(&queue, &imported_many(import, 500));
        assert!(rows(&queue_dir, "1") <= MOST + MOST / 8, "import {import}");
    }
    // A large import is taken in after its answer.
    until("it is full", || queue.ledger().unwrap().forgotten > 0);
    until("the oldest are gone", || {
        rows(&queue_dir, "task <= 500") == 0
    });
    assert!(rows(&queue_dir, "1") <= MOST);
    until("it is counted", || {
        queue.ledger().unwrap().things <= MOST.cast_unsigned()
    });
    send(&queue, &imported_many(3, 100));
    until("it learns again", || rows(&queue_dir, "task > 1500") == 100);
}

/// A task was labelled while nothing was derived, and the event of that is pruned. Red if a later annotation of it
/// completes it, or if nobody hears of what was missed.
#[test]
fn events_that_were_pruned_unread_complete_nothing_later() {
    let queue_dir = QueueDir::new();
    let queue = open(&queue_dir);
    send(&queue, &imported(7));
    send(&queue, &created(1, 8, 1));
    drop(queue);
    let queue = queue_dir.open();
    send(&queue, &created(2, 7, 1));
    consume(&queue_dir);
    drop(queue);
    let queue = open(&queue_dir);
    send(&queue, &created(3, 7, 2));
    send(&queue, &created(4, 9, 1));
    until("it is said", || queue.ledger().unwrap().missed > 0);
    until("it has read all", || queue.ledger().unwrap().behind == 0);
    send(&queue, &created(5, 7, 3));
    let tasks: Vec<_> = completed(&queue_dir.file())
        .iter()
        .map(|event| event.data["task"].as_i64().unwrap())
        .collect();
    assert_eq!(
        tasks,
        [9],
        "task 8 was completed before, and pruned; 7 was, unseen"
    );
}

/// A task that nobody has labelled.
fn imported(task: i64) -> OutboundMessage {
    import_of(task..=task)
}

/// So many of them, in the import of this number.
fn imported_many(import: i64, tasks: i64) -> OutboundMessage {
    let first = import * 500 + 1;
    import_of(first..=first + tasks - 1)
}

fn import_of(tasks: RangeInclusive<i64>) -> OutboundMessage {
    let name = format!("imported {tasks:?}");
    let tasks: Vec<_> = tasks.map(|id| task_state(id, false, 0)).collect();
    let body = json!({"action": "TASKS_CREATED", "project": {"id": 1}, "tasks": tasks});
    event(&name, "io.labelstud.task.created", &body)
}

/// Takes everything out of the queue, so that there is room.
fn consume(queue_dir: &QueueDir) {
    let file = queue_dir.file();
    let taken = file.receive(1000, Duration::from_secs(60)).unwrap();
    let receipts: Vec<_> = taken.iter().map(|it| it.receipt.as_str()).collect();
    file.acknowledge_all(&receipts).unwrap();
    queue_dir.clock.advance(Duration::from_secs(400));
    file.prune(Duration::ZERO).unwrap();
}
