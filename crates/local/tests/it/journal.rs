//! The journal under senders that never pause.

use crate::support::{QueueDir, ids, message, send, try_send};
use futures_executor::ThreadPool;
use futures_executor::block_on;
use futures_util::future::join_all;
use futures_util::task::SpawnExt as _;
use labelrelay_core::{EventQueue as _, QueueErrorKind};
use rusqlite::Connection;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[test]
fn the_journal_begins_anew_although_nobody_pauses() {
    const JOURNAL: u64 = 512 * 1024;
    let queue_dir = QueueDir::new();
    let queue = Arc::new(queue_dir.open_with(|options| {
        options.checkpoint_bytes = JOURNAL;
        options.checkpoint_step_bytes = 64 * 1024;
    }));
    let pool = ThreadPool::builder().pool_size(2).create().unwrap();
    let senders = (0..16).map(|sender| {
        let queue = Arc::clone(&queue);
        let work = async move {
            for n in 0..200 {
                let mut message = message(&format!("{sender}.{n}"));
                message.body = vec![b'x'; 4000].into();
                queue.send(&message).await.unwrap();
            }
        };
        pool.spawn_with_handle(work).unwrap()
    });
    block_on(join_all(senders.collect::<Vec<_>>()));
    // 12.8 MB went through it.
    let journal = queue_dir
        .dir
        .path()
        .join("queue.db-wal")
        .metadata()
        .unwrap()
        .len();
    assert!(journal <= 5 * JOURNAL, "{journal} bytes");
    assert_eq!(ids(&queue_dir.file()).len(), 3200);
}

#[test]
fn a_journal_that_a_reader_made_long_does_not_refuse_for_ever_though_nobody_pauses() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| options.max_file_bytes = Some(2 * 1024 * 1024));
    send(&queue, "before");
    let reader = Connection::open(queue_dir.path()).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let count = |sql| reader.query_row(sql, [], |row| row.get::<_, i64>(0));
    assert_eq!(count("SELECT count(*) FROM events").unwrap(), 1);
    let full = (0..1000)
        .find_map(|n| try_send(&queue, &format!("{n} {}", "x".repeat(10_000))).err())
        .expect("the journal is not full");
    assert_eq!(full.kind, QueueErrorKind::Full, "{full}");
    assert!(full.message.contains("reads for long"), "{full}");
    reader.execute_batch("COMMIT").unwrap();
    // Far more than it takes, and without the second's pause in which the writer would look by itself.
    let begun = Instant::now();
    while let Err(error) = try_send(&queue, "after") {
        assert_eq!(error.kind, QueueErrorKind::Full, "{error}");
        assert!(begun.elapsed() < Duration::from_secs(120), "{error}");
    }
}
