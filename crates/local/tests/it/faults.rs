//! A full disk, a locked file: the sender learns of it, nothing is lost, and it works again afterwards.

use crate::support::{QueueDir, ids, message, send};
use futures_executor::block_on;
use futures_util::future::join_all;
use labelrelay_core::{EventQueue as _, OutboundMessage, QueueErrorKind};
use labelrelay_testkit::queue_suite;
use rusqlite::Connection;
use std::task::Poll;
use std::time::Duration;

#[test]
fn a_locked_file_is_unavailable_and_works_again_when_it_is_free() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| options.busy_timeout = Duration::from_millis(20));
    let other = Connection::open(queue_dir.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let sent: Vec<_> = (0..10).map(|n| message(&n.to_string())).collect();
    for answer in block_on(join_all(sent.iter().map(|message| queue.send(message)))) {
        let error = answer.unwrap_err();
        assert_eq!(error.kind, QueueErrorKind::Unavailable);
        assert!(error.retryable);
    }
    assert_eq!(
        block_on(queue.check()).unwrap_err().kind,
        QueueErrorKind::Unavailable
    );
    other.execute_batch("ROLLBACK").unwrap();
    block_on(queue.check()).unwrap();
    assert!(
        !send(&queue, "3").repeat,
        "a failed send leaves no trace that would swallow the next one"
    );
    assert_eq!(ids(&queue_dir.file()), ["3"]);
}

#[test]
fn a_locked_file_that_is_freed_in_time_is_waited_for() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| options.busy_timeout = Duration::from_secs(20));
    let other = Connection::open(queue_dir.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let sent = message("a");
    let mut answer = queue.send(&sent);
    assert!(block_on(async { futures_util::poll!(&mut answer) }).is_pending());
    other.execute_batch("COMMIT").unwrap();
    block_on(answer).unwrap();
}

#[test]
fn a_full_file_is_reported_as_full_and_works_again_when_there_is_space() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| options.max_file_bytes = Some(4 * 1024 * 1024));
    let mut fitted = 0;
    let error = loop {
        match block_on(queue.send(&large(&format!("alone {fitted}")))) {
            Ok(_) => fitted += 1,
            Err(error) => break error,
        }
    };
    assert!(
        (8..14).contains(&fitted),
        "{fitted} of 300,000 bytes in 4 MiB"
    );
    assert_eq!(error.kind, QueueErrorKind::Full, "{error}");
    assert!(!error.retryable);

    // None of them fits alone either, however the writer groups them.
    let group: Vec<OutboundMessage> = (0..20).map(|n| large(&format!("together {n}"))).collect();
    for answer in block_on(join_all(group.iter().map(|message| queue.send(message)))) {
        assert_eq!(answer.unwrap_err().kind, QueueErrorKind::Full);
    }
    let file = queue_dir.file();
    assert_eq!(
        ids(&file).len(),
        fitted,
        "what was acknowledged, and nothing else"
    );

    let taken = file.receive(100, Duration::from_secs(60)).unwrap();
    let receipts: Vec<_> = taken
        .iter()
        .map(|delivery| delivery.receipt.as_str())
        .collect();
    file.acknowledge_all(&receipts).unwrap();
    queue_dir.clock.advance(Duration::from_secs(3600));
    file.prune(Duration::ZERO).unwrap();
    block_on(queue.check()).unwrap();
    for message in group.iter().take(8) {
        assert!(
            !block_on(queue.send(message)).unwrap().repeat,
            "a failed send leaves no trace that would swallow the next one"
        );
    }
    assert_eq!(ids(&file).len(), 8);
}

#[test]
fn one_message_that_does_not_fit_takes_no_other_with_it() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| {
        options.max_file_bytes = Some(4 * 1024 * 1024);
        options.busy_timeout = Duration::from_secs(20);
    });
    let too_large =
        queue_suite::message("large", format!("{:?}", "x".repeat(5_000_000)).as_bytes());
    let small: Vec<_> = (0..50).map(|n| message(&n.to_string())).collect();
    // The writer waits with the first of them; the others, the large one among them, become its next group.
    let other = Connection::open(queue_dir.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut answers: Vec<_> = small.iter().map(|message| queue.send(message)).collect();
    answers.insert(20, queue.send(&too_large));
    block_on(async {
        for answer in &mut answers {
            assert!(futures_util::poll!(answer).is_pending());
        }
    });
    other.execute_batch("ROLLBACK").unwrap();
    let mut answers = block_on(join_all(answers));
    assert_eq!(
        answers.remove(20).unwrap_err().kind,
        QueueErrorKind::Full,
        "the large one"
    );
    for answer in answers {
        assert!(!answer.unwrap().repeat);
    }
    let mut held = ids(&queue_dir.file());
    held.sort_by_key(|id| id.parse::<u32>().unwrap());
    let sent: Vec<_> = small.iter().map(OutboundMessage::id).collect();
    assert_eq!(held, sent);
    assert!(send(&queue, "7").repeat);
}

/// Tells whether a check has really written to the file, and not only asked for its turn.
fn has_written(queue_dir: &QueueDir) -> bool {
    let db = Connection::open(queue_dir.path()).unwrap();
    let written = "SELECT count(*) FROM settings WHERE name = 'checked_ms'";
    db.query_row(written, [], |row| row.get::<_, i64>(0))
        .unwrap()
        > 0
}

#[test]
fn a_group_that_everybody_gave_up_on_does_not_hide_a_failure() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| options.busy_timeout = Duration::from_secs(20));
    block_on(queue.check()).unwrap();
    assert!(!has_written(&queue_dir), "nothing has failed yet");
    let other = Connection::open(queue_dir.path()).unwrap();
    other
        .execute_batch(
            "CREATE TRIGGER no BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no'); END;
             BEGIN IMMEDIATE",
        )
        .unwrap();
    // The writer waits with the first; when its turn comes, nobody waits for the second any more.
    let (fails, given_up) = (message("fails"), message("given up"));
    let mut first = queue.send(&fails);
    assert!(block_on(async { futures_util::poll!(&mut first) }).is_pending());
    let mut second = queue.send(&given_up);
    assert!(block_on(async { futures_util::poll!(&mut second) }).is_pending());
    drop(second);
    other.execute_batch("ROLLBACK").unwrap();
    block_on(first).unwrap_err();
    block_on(queue.check()).unwrap();
    assert!(has_written(&queue_dir));
}

#[test]
fn after_a_pruning_that_failed_a_check_really_writes_and_sends_go_on() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    send(&queue, "a");
    let file = queue_dir.file();
    let taken = file.receive(1, Duration::from_secs(60)).unwrap();
    file.acknowledge(&taken[0].receipt).unwrap();
    let other = Connection::open(queue_dir.path()).unwrap();
    other
        .execute_batch(
            "CREATE TRIGGER no BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'no'); END",
        )
        .unwrap();
    queue_dir.clock.advance(Duration::from_secs(48 * 3600));
    // The writer prunes after it has answered.
    block_on(queue.check()).unwrap();
    assert!(!has_written(&queue_dir), "nothing has failed yet");
    block_on(queue.check()).unwrap();
    assert!(has_written(&queue_dir));
    send(&queue, "b");
    other.execute_batch("DROP TRIGGER no").unwrap();
    queue_dir.clock.advance(Duration::from_secs(3600));
    // Two rounds: the second begins when the first has pruned.
    block_on(queue.check()).unwrap();
    block_on(queue.check()).unwrap();
    assert_eq!(ids(&file), ["b"]);
}

#[test]
fn too_many_waiting_messages_are_throttled() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| options.max_waiting = 5);
    let other = Connection::open(queue_dir.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let sent: Vec<_> = (0..300).map(|n| message(&n.to_string())).collect();
    let mut answers: Vec<_> = sent.iter().map(|message| queue.send(message)).collect();
    let mut waiting = Vec::new();
    let mut refused = 0;
    for mut answer in answers.drain(..) {
        match block_on(async { futures_util::poll!(&mut answer) }) {
            Poll::Ready(answer) => {
                assert_eq!(answer.unwrap_err().kind, QueueErrorKind::Throttled);
                refused += 1;
            }
            Poll::Pending => waiting.push(answer),
        }
    }
    other.execute_batch("ROLLBACK").unwrap();
    assert!(refused > 0 && !waiting.is_empty());
    for answer in block_on(join_all(waiting)) {
        answer.unwrap();
    }
    assert_eq!(ids(&queue_dir.file()).len(), 300 - refused);
}

fn large(id: &str) -> OutboundMessage {
    queue_suite::message(id, format!("{:?}", "x".repeat(300_000)).as_bytes())
}
