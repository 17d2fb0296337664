//! A ledger that cannot follow: no delivery is refused or waits for it, and it takes everything in later, in order.

use super::{
    annotation, completed, created, deleted, event, gone, is_in_step, ledger, named_task, open,
    send, stored, tasks_deleted, until,
};
use crate::support::QueueDir;
use labelrelay_event::Origin;
use rusqlite::Connection;
use serde_json::json;

/// Takes all room as soon as the ledger writes, and only then.
const NO_ROOM: &str = "
    CREATE TABLE pad(bytes BLOB);
    CREATE TRIGGER no_room BEFORE INSERT ON ledger_things BEGIN INSERT INTO pad VALUES(zeroblob(50000000)); END;";

#[test]
fn without_room_for_the_ledger_events_are_stored_and_it_follows_when_there_is_room() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| {
        options.derivation = super::derivation();
        options.max_file_bytes = Some(8 * 1024 * 1024);
    });
    let file = queue_dir.file();
    send(&queue, &created(1, 7, 1));
    let other = Connection::open(queue_dir.path()).unwrap();
    other.execute_batch(NO_ROOM).unwrap();
    send(&queue, &created(2, 8, 1));
    send(&queue, &deleted("delete 1", [1]));
    send(&queue, &created(3, 7, 1));
    // It is noted at once that a task is gone.
    send(&queue, &tasks_deleted("delete 99", &[99]));
    send(&queue, &created(4, 9, 1));
    let mut delivered = stored(&file);
    delivered.retain(|event| event.attributes.origin != Some(Origin::Derived));
    assert_eq!(delivered.len(), 6);
    until("it is said", || {
        let ledger = ledger(&queue);
        ledger.waits.is_some() && ledger.behind >= 6
    });
    assert_eq!(ledger(&queue).off, None);

    other.execute_batch("DROP TRIGGER no_room").unwrap();
    until("it follows", || is_in_step(&queue));
    let tasks: Vec<_> = completed(&file)
        .iter()
        .map(|event| event.data["task"].as_i64().unwrap())
        .collect();
    assert_eq!(
        tasks,
        [7, 8, 7, 9],
        "in the order of the file, and each once"
    );
    send(&queue, &deleted("delete 3", [3]));
    assert_eq!(named_task(&file, "delete 3").as_deref(), Some("7"));
}

#[test]
fn many_events_from_before_are_taken_in_before_new_ones() {
    const MANY: i64 = 650;
    let queue_dir = QueueDir::new();
    // The ledger begins with an empty queue, and is switched off for a while.
    drop(open(&queue_dir));
    let queue = queue_dir.open();
    for id in 1..=MANY {
        send(&queue, &created(id, id, 1));
    }
    drop(queue);
    let queue = open(&queue_dir);
    // Taken in before what completed the task, they would complete it a second time, or never.
    send(&queue, &deleted("reopens it", [MANY]));
    send(&queue, &created(MANY + 1, MANY, 1));
    until("it has caught up", || is_in_step(&queue));
    let tasks: Vec<_> = completed(&queue_dir.file())
        .iter()
        .map(|event| event.data["task"].as_i64().unwrap())
        .collect();
    let expected: Vec<_> = (1..=MANY).chain([MANY]).collect();
    assert_eq!(tasks, expected);
}

#[test]
fn events_that_are_read_again_complete_nothing_again() {
    let queue_dir = QueueDir::new();
    let queue = open(&queue_dir);
    let file = queue_dir.file();
    // An import that brings a task with its annotation. All of it goes again.
    let body = json!({"action": "TASKS_CREATED", "tasks": [super::task_state(7, true, 1)]});
    send(&queue, &event("import", "io.labelstud.task.created", &body));
    send(&queue, &tasks_deleted("gone", &[7]));
    assert_eq!(completed(&file).len(), 1);
    drop(queue);
    // Repeats are not recognised any more, and the mark of what was read is as old as can be.
    queue_dir
        .clock
        .advance(std::time::Duration::from_secs(3600));
    let other = Connection::open(queue_dir.path()).unwrap();
    other
        .execute_batch("UPDATE settings SET value = 0 WHERE name = 'ledger_through'")
        .unwrap();
    drop(other);
    let queue = open(&queue_dir);
    until("all was read", || is_in_step(&queue));
    assert_eq!(completed(&file).len(), 1);
    // A delivery that comes again after that, too.
    send(
        &queue,
        &event("import again", "io.labelstud.task.created", &body),
    );
    assert_eq!(completed(&file).len(), 1);
}

#[test]
fn large_events_are_read_after_they_are_stored_and_huge_ones_never() {
    let queue_dir = QueueDir::new();
    let queue = open(&queue_dir);
    let file = queue_dir.file();
    let body = |id: i64, pad: usize| {
        let mut annotation = annotation(id, id, 1);
        annotation["result"] = json!("x".repeat(pad));
        json!({"action": "ANNOTATION_CREATED", "annotation": annotation, "task": super::task_state(id, true, 1)})
    };
    let made = "io.labelstud.annotation.created";
    send(&queue, &event("large", made, &body(1, 100_000)));
    send(&queue, &event("huge", made, &body(2, 3_000_000)));
    send(&queue, &event("small", made, &body(3, 10)));
    until("it has caught up", || is_in_step(&queue));
    let tasks: Vec<_> = completed(&file)
        .iter()
        .map(|event| event.data["task"].clone())
        .collect();
    assert_eq!(tasks, [1, 3]);
}

#[test]
fn one_damaged_row_is_forgotten_and_nothing_else() {
    let queue_dir = QueueDir::new();
    let queue = open(&queue_dir);
    let file = queue_dir.file();
    for id in 1..=3 {
        send(&queue, &created(id, id, 1));
    }
    // What it knows is in the file alone after this.
    send(&queue, &tasks_deleted("none of these", &[99]));
    let other = Connection::open(queue_dir.path()).unwrap();
    let damage = "UPDATE ledger_things SET version = CAST(x'ff' AS TEXT) WHERE annotation = 1;
        INSERT INTO ledger_rest(seq, told) VALUES(1, 'not what was written')";
    other.execute_batch(damage).unwrap();
    send(&queue, &deleted("delete 1", [1]));
    send(&queue, &deleted("delete 2", [2]));
    assert_eq!(named_task(&file, "delete 1"), None);
    assert_eq!(named_task(&file, "delete 2").as_deref(), Some("2"));
    until("it is said", || ledger(&queue).forgotten == 1);
    drop(queue);
    let queue = open(&queue_dir);
    until("the piece of work is given up", || {
        ledger(&queue).forgotten == 1
    });
    send(&queue, &tasks_deleted("its task", &[3]));
    assert_eq!(gone(&file), ["annotation/3"]);
    assert_eq!(ledger(&queue).off, None);
}
