//! The journal under senders that never pause.

use crate::support::{QueueDir, ids, message};
use futures_executor::ThreadPool;
use futures_executor::block_on;
use futures_util::future::join_all;
use futures_util::task::SpawnExt as _;
use labelrelay_core::EventQueue as _;
use std::sync::Arc;

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
