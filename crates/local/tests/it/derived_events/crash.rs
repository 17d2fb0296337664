//! What the ledger knows ahead of the file, after a crash: the events behind its mark are read again, and what followed
//! from them follows once.

use super::{
    annotation, completed, created, deleted, event, is_in_step, named_task, open, send, stored,
    task_state, tasks_deleted, until,
};
use crate::support::QueueDir;
use labelrelay_core::OutboundMessage;
use labelrelay_event::Origin;
use labelrelay_local::QueueFile;
use rusqlite::Connection;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// The files as a crash would leave them now. So much later that no repeat is recognised by its id any more.
fn crashed(queue_dir: &QueueDir) -> QueueDir {
    let mut after = QueueDir::new();
    after.clock = queue_dir.clock.clone();
    for end in ["-wal", ""] {
        let name = format!("queue.db{end}");
        let from = queue_dir.dir.path().join(&name);
        std::fs::copy(from, after.dir.path().join(&name)).unwrap();
    }
    after.clock.advance(Duration::from_secs(3600));
    after
}

/// Number of rows that the ledger has in the file.
fn rows(queue_dir: &QueueDir) -> i64 {
    let db = Connection::open(queue_dir.path()).unwrap();
    db.query_row("SELECT count(*) FROM ledger_things", [], |row| row.get(0))
        .unwrap()
}

/// Red if what was known ahead of the file is lost, or if what followed from an event follows again.
#[test]
fn a_crash_takes_no_knowledge_and_completes_nothing_twice() {
    let queue_dir = QueueDir::new();
    let queue = open(&queue_dir);
    for id in 1..=20 {
        send(&queue, &created(id, id, 1));
    }
    send(&queue, &deleted("delete 20", [20]));
    let after = crashed(&queue_dir);
    let queue = open(&after);
    until("it has read again", || is_in_step(&queue));
    let file = after.file();
    assert_eq!(completed(&file).len(), 20);
    send(&queue, &deleted("delete 1", [1]));
    assert_eq!(named_task(&file, "delete 1").as_deref(), Some("1"));
    send(&queue, &created(21, 20, 1));
    send(&queue, &created(22, 19, 2));
    assert_eq!(completed(&file).len(), 21, "task 20 was open again");
}

/// Red if work that was left is done in the file's eyes, while what it told is in memory alone.
#[test]
fn work_that_was_left_is_known_after_a_crash() {
    let queue_dir = QueueDir::new();
    let queue = open(&queue_dir);
    let tasks: Vec<_> = (1..=1500).map(|id| task_state(id, true, 1)).collect();
    let body = json!({"action": "TASKS_CREATED", "tasks": tasks, "project": {"id": 1}});
    send(&queue, &event("import", "io.labelstud.task.created", &body));
    until("it has caught up", || is_in_step(&queue));
    let after = crashed(&queue_dir);
    let queue = open(&after);
    until("all of it is known", || rows(&after) == 1500);
    drop(queue);
    assert_eq!(completed(&after.file()).len(), 1500);
}

/// So much that it is worth a write is written without an idle moment.
#[test]
fn knowledge_ahead_of_the_file_has_a_bound() {
    let queue_dir = QueueDir::new();
    let queue = open(&queue_dir);
    for id in 1..=600 {
        send(&queue, &created(id, id, 1));
    }
    assert!(rows(&queue_dir) >= 1024);
    drop(queue);
    assert_eq!(rows(&queue_dir), 1200, "the rest is written at the end");
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: i64) -> i64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let number = (self.0 >> 33).cast_signed();
        number.rem_euclid(sides)
    }
}

/// One of the things that Label Studio tells.
fn next(dice: &mut Dice, step: i64) -> OutboundMessage {
    let (id, task) = (1 + dice.roll(60), 1 + dice.roll(25));
    let name = format!("step {step}");
    match dice.roll(10) {
        0..=4 => {
            let mut annotation = annotation(id, task, step);
            let was_cancelled = dice.roll(5) == 0;
            annotation
                .as_object_mut()
                .unwrap()
                .insert("was_cancelled".to_owned(), json!(was_cancelled));
            let mut body = json!({"action": "ANNOTATION_CREATED", "annotation": annotation, "project": {"id": 1 + task % 2}});
            if dice.roll(4) > 0 {
                let state = task_state(task, dice.roll(2) == 0, dice.roll(3));
                body.as_object_mut()
                    .unwrap()
                    .insert("task".to_owned(), state);
            }
            event(&name, "io.labelstud.annotation.created", &body)
        }
        5 | 6 => deleted(&name, [id]),
        7 => deleted(&name, [id, 1 + dice.roll(60), 1 + dice.roll(60)]),
        8 => tasks_deleted(&name, &[task]),
        _ => {
            let tasks = [task_state(task, dice.roll(2) == 0, dice.roll(3))];
            let body =
                json!({"action": "TASKS_CREATED", "tasks": tasks, "project": {"id": 1 + task % 2}});
            event(&name, "io.labelstud.task.created", &body)
        }
    }
}

/// How often each derived event is in the queue, by id, subject and task.
fn all_derived(file: &QueueFile) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for event in stored(file) {
        let attributes = event.attributes;
        if attributes.origin == Some(Origin::Derived) {
            let what = format!(
                "{} {:?} {:?}",
                attributes.id, attributes.subject, attributes.task
            );
            *times.entry(what).or_default() += 1;
        }
    }
    times
}

/// Red if a crash at any moment makes a difference to what is derived.
#[test]
fn what_is_derived_is_the_same_whenever_the_process_ended() {
    for seed in 0..2 {
        let calm = QueueDir::new();
        let queue = open(&calm);
        let mut dice = Dice(seed);
        let events: Vec<_> = (0..120).map(|step| next(&mut dice, step)).collect();
        for event in &events {
            send(&queue, event);
        }
        let expected = all_derived(&calm.file());
        assert!(expected.len() > 20, "{}", expected.len());

        let mut queue_dir = QueueDir::new();
        let mut queue = open(&queue_dir);
        for event in &events {
            send(&queue, event);
            if dice.roll(5) == 0 {
                let after = crashed(&queue_dir);
                drop(queue);
                queue_dir = after;
                queue = open(&queue_dir);
                until("it has read again", || is_in_step(&queue));
            }
        }
        assert_eq!(all_derived(&queue_dir.file()), expected, "seed {seed}");
    }
}
