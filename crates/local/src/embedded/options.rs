//! Settings of an embedded queue.

use super::kept_for_record::KeptForRecord;
use labelrelay_core::derive::Derivation;
use std::sync::Arc;
use std::time::Duration;

/// Settings of an embedded queue. Those marked "kept in the file" hold for its readers too.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Time for which a repeat is recognised; zero: never. An event takes 11 to 12 bytes of memory as long as it
    /// is within the window. Kept in the file.
    pub window: Duration,
    /// Number of times that a message is received before it becomes a dead letter. Kept in the file.
    pub max_receives: u32,
    /// Time for which an acknowledged event is kept. Kept in the file.
    pub retention: Duration,
    /// Acknowledged events that are kept for longer, since a record of deliveries refers to them; without it, none are.
    pub kept_for_record: Option<KeptForRecord>,
    /// Pause between two looks for acknowledged events to remove.
    pub prune_every: Duration,
    /// Time that the writer waits for another program that writes to the file, before it fails a group.
    pub busy_timeout: Duration,
    /// Largest envelope. `SQLite`'s own limit is 1,000,000,000 bytes a row; half of it leaves room for what
    /// else is in the row, and for the memory of copying it.
    pub max_message_bytes: u64,
    /// Messages that may wait for the writer; beyond it the queue says that we are too fast.
    pub max_waiting: usize,
    /// Largest size of the file and its journal together; beyond it the queue is full until something was
    /// pruned. A group that is under way may exceed it by itself, 4 MiB or one message. Without it the disk is
    /// the limit.
    pub max_file_bytes: Option<u64>,
    /// Length of the journal at which it begins anew, for which the writer pauses briefly. At twice this
    /// length, which it reaches where the disk is slower than the senders, the writer pauses for longer.
    pub checkpoint_bytes: u64,
    /// Part of the journal that is moved at a time, beside the writer. Small, because a send that is to be
    /// synced meanwhile waits for it.
    pub checkpoint_step_bytes: u64,
    /// Rules by which events are derived from those that come in; without them, none are.
    pub derivation: Option<Arc<Derivation>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(5 * 60),
            max_receives: 5,
            retention: Duration::from_secs(24 * 3600),
            kept_for_record: None,
            prune_every: Duration::from_secs(60),
            busy_timeout: Duration::from_secs(1),
            max_message_bytes: 512 * 1024 * 1024,
            max_waiting: 4096,
            max_file_bytes: None,
            checkpoint_bytes: 32 * 1024 * 1024,
            checkpoint_step_bytes: 2 * 1024 * 1024,
            derivation: None,
        }
    }
}
