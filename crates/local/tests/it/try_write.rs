//! A write that is tried leaves nothing, and disturbs nobody.

use crate::support::{QueueDir, ids, send};
use labelrelay_core::chain;
use rusqlite::Connection;
use std::time::Duration;

#[test]
fn nothing_is_left_of_a_write_that_is_tried() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    send(&queue, "a");
    let file = queue_dir.file();
    for _ in 0..3 {
        file.try_write().unwrap();
    }
    assert_eq!(file.last_number().unwrap(), 1);
    assert_eq!(send(&queue, "b").message_id.as_deref(), Some("2"));
    file.try_write().unwrap();
    assert_eq!(ids(&file), ["a", "b"]);
    assert!(send(&queue, "b").repeat);
    let received = file.receive(10, Duration::from_secs(60)).unwrap();
    assert_eq!(received.len(), 2);
    queue.close();
}

#[test]
fn a_file_that_takes_no_event_is_found() {
    let queue_dir = QueueDir::new();
    queue_dir.open().close();
    let file = queue_dir.file();
    file.try_write().unwrap();
    let db = Connection::open(queue_dir.path()).unwrap();
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no events today'); END";
    db.execute_batch(refuse).unwrap();
    let error = file.try_write().unwrap_err();
    let said = chain(&error);
    assert!(said.contains("no events today"), "{said}");
    db.execute_batch("DROP TRIGGER refuse").unwrap();
    file.try_write().unwrap();
    // One that loses what it is given.
    let lose = "CREATE TRIGGER lose AFTER INSERT ON events BEGIN DELETE FROM events WHERE seq = NEW.seq; END";
    db.execute_batch(lose).unwrap();
    file.try_write().unwrap_err();
}
