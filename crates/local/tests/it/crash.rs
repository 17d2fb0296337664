//! An event that was acknowledged to the sender survives the end of the process at any moment.

use crate::support::{QueueDir, ids, message, send};
use futures_executor::block_on;
use futures_util::future::join_all;
use labelrelay_core::EventQueue as _;

/// Copies the files as they are while the owner is at work: what a crash would leave.
#[test]
fn all_that_was_acknowledged_is_in_a_copy_taken_at_any_moment() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| options.checkpoint_bytes = 256 * 1024);
    let mut acknowledged = Vec::new();
    for round in 0..20 {
        let sent: Vec<_> = (0..50).map(|n| message(&format!("{round}.{n}"))).collect();
        for answer in block_on(join_all(sent.iter().map(|message| queue.send(message)))) {
            answer.unwrap();
        }
        acknowledged.extend(sent.into_iter().map(|message| message.id().to_owned()));
        let after = QueueDir::new();
        // The journal first: a checkpoint between the two copies can only put more into the file.
        for end in ["-wal", ""] {
            std::fs::copy(
                queue_dir.dir.path().join(format!("queue.db{end}")),
                after.dir.path().join(format!("queue.db{end}")),
            )
            .unwrap();
        }
        let reopened = after.open();
        assert_eq!(ids(&after.file()), acknowledged, "round {round}");
        assert!(
            send(&reopened, &acknowledged[0]).repeat,
            "and repeats are still recognised"
        );
    }
}

#[test]
fn a_message_sent_before_closing_is_written() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    let sent: Vec<_> = (0..500).map(|n| message(&n.to_string())).collect();
    let mut answers: Vec<_> = sent.iter().map(|message| queue.send(message)).collect();
    // Each future is started, so each message is with the writer; then the queue is closed.
    block_on(async {
        for answer in &mut answers {
            let _ = futures_util::poll!(answer);
        }
    });
    queue.close();
    for answer in block_on(join_all(answers)) {
        answer.unwrap();
    }
    assert_eq!(ids(&queue_dir.file()).len(), 500);
}
