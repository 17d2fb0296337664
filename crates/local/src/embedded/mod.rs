//! The embedded queue's sending side: one owner, one writer, group commit.

mod checkpoint;
mod group_commit;
mod open;
pub(crate) mod prune;
mod repeat_window;
pub(crate) mod sequencer;
mod writer;

use crate::error::OpenError;
use crate::lock::Lock;
use futures_channel::oneshot;
use group_commit::Pending;
use labelrelay_core::{
    BoxFuture, Clock, Copies, EventQueue, OutboundMessage, QueueError, QueueErrorKind, QueueLimits,
    Receipt,
};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use writer::Command;

/// Settings of an embedded queue. Those marked "kept in the file" hold for its readers too.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// How long a repeat is recognised; zero: never. An event takes 11 to 12 bytes of memory as long as it
    /// is within the window. Kept in the file.
    pub window: Duration,
    /// How many times a message is received before it becomes a dead letter. Kept in the file.
    pub max_receives: u32,
    /// How long an acknowledged event is kept. Kept in the file.
    pub retention: Duration,
    /// How often the acknowledged are looked through.
    pub prune_every: Duration,
    /// How long the writer waits for another program that writes to the file, before it fails a group.
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
    /// How much of the journal is moved at a time, beside the writer. Small, because a send that is to be
    /// synced meanwhile waits for it.
    pub checkpoint_step_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(5 * 60),
            max_receives: 5,
            retention: Duration::from_secs(24 * 3600),
            prune_every: Duration::from_secs(60),
            busy_timeout: Duration::from_secs(1),
            max_message_bytes: 512 * 1024 * 1024,
            max_waiting: 4096,
            max_file_bytes: None,
            checkpoint_bytes: 32 * 1024 * 1024,
            checkpoint_step_bytes: 2 * 1024 * 1024,
        }
    }
}

/// The sending side of a queue file, held by its one owner. Shared by all requests.
#[derive(Debug)]
pub struct EmbeddedQueue {
    path: PathBuf,
    max_message_bytes: u64,
    trouble: Trouble,
    commands: SyncSender<Command>,
    running: Mutex<Option<Running>>,
}

/// Why nothing is stored although `SQLite` would: told by the writer.
type Trouble = Arc<Mutex<Option<String>>>;

/// Everything that lives as long as the queue is open. Fields are dropped in this order: the lock goes last.
#[derive(Debug)]
struct Running {
    writer: JoinHandle<()>,
    checkpointer: checkpoint::Checkpointer,
    lock: Lock,
}

impl EmbeddedQueue {
    /// The database's own of the bound value, and the row. The writer makes those of one message at a time.
    pub const COPIES: Copies = Copies {
        of_each: 0,
        of_one: 2,
    };

    /// Opens the queue file at `path` as its owner, and makes it when there is none.
    ///
    /// # Errors
    /// [`OpenError`] names the file and the cure. A file that is something else, newer, or owned by another
    /// process is left as it is.
    pub fn open(
        path: impl AsRef<Path>,
        options: Options,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        open::open(path.as_ref(), options, clock)
    }

    /// The queue file: its absolute path, through no symbolic link.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Damage to the queue's files, and the cure, while they are not as they were when they were opened: nothing is
    /// stored then. Checked once a second, and before each answer.
    pub fn displaced(&self) -> Option<String> {
        self.trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Finishes what was sent before, moves the journal into the file and gives the file up. Blocks until
    /// then. Dropping the queue does the same. Later sends fail.
    pub fn close(&self) {
        let running = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(Running {
            writer,
            checkpointer,
            lock,
        }) = running
        {
            // First, and wholly: of two connections that close at once neither is the last, and the last
            // one moves the journal into the file and removes it.
            drop(checkpointer);
            // Waits while the writer has too much to do; fails only when it is gone.
            let _gone = self.commands.send(Command::Close);
            let _ = writer.join();
            drop(lock);
        }
    }

    fn enqueue(&self, command: Command) -> Result<(), QueueError> {
        self.commands
            .try_send(command)
            .map_err(|error| match error {
                TrySendError::Full(_) => QueueError::new(
                    QueueErrorKind::Throttled,
                    "too many messages wait to be written: try again later; if it happens often, the disk is too slow for so many",
                ),
                TrySendError::Disconnected(_) => gone(),
            })
    }
}

impl Drop for EmbeddedQueue {
    fn drop(&mut self) {
        self.close();
    }
}

impl EventQueue for EmbeddedQueue {
    fn send<'a>(
        &'a self,
        message: &'a OutboundMessage,
    ) -> BoxFuture<'a, Result<Receipt, QueueError>> {
        Box::pin(async move {
            let bytes = message.body.len() as u64;
            if bytes > self.max_message_bytes {
                let message = format!(
                    "a message of {bytes} bytes; the queue file takes up to {}: configure a blob store for such bodies",
                    self.max_message_bytes
                );
                return Err(QueueError::new(QueueErrorKind::TooLarge, message));
            }
            let (done, answer) = oneshot::channel();
            self.enqueue(Command::Send(Pending {
                message: message.clone(),
                done,
            }))?;
            answer.await.unwrap_or_else(|_| Err(gone()))
        })
    }

    fn limits(&self) -> QueueLimits {
        QueueLimits::bytes(self.max_message_bytes)
    }

    fn copies(&self) -> Copies {
        Self::COPIES
    }

    fn check(&self) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(async move {
            let (done, answer) = oneshot::channel();
            self.enqueue(Command::Check(done))?;
            answer.await.unwrap_or_else(|_| Err(gone()))
        })
    }
}

fn gone() -> QueueError {
    QueueError::new(QueueErrorKind::Unavailable, "the queue file is closed: its process is ending, or the writer's thread ended with a message of its own; start `serve` again").permanent()
}
