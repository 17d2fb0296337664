//! The queue, as its sender sees it.

use super::checkpoint::Checkpointer;
use super::ledger_figures::{LedgerFigures, SharedFigures};
use super::pending_message::{MessageFacts, Pending};
use super::writer::{Command, Trouble};
use crate::lock::Lock;
use futures_channel::oneshot;
use labelrelay_core::derive::Derivation;
use labelrelay_core::{
    BoxFuture, Copies, EventQueue, OutboundMessage, QueueError, QueueErrorKind, QueueLimits,
    Receipt,
};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// The sending side of a queue file, held by its one owner. Shared by all requests.
#[derive(Debug)]
pub struct EmbeddedQueue {
    pub(super) path: PathBuf,
    pub(super) max_message_bytes: u64,
    pub(super) trouble: Trouble,
    pub(super) ledger_figures: SharedFigures,
    pub(super) derivation: Option<Arc<Derivation>>,
    pub(super) commands: SyncSender<Command>,
    pub(super) running: Mutex<Option<Running>>,
}

/// Everything that lives as long as the queue is open. Fields are dropped in this order: the lock goes last.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) writer: JoinHandle<()>,
    pub(super) checkpointer: Checkpointer,
    pub(super) lock: Lock,
}

impl EmbeddedQueue {
    /// The database's own of the bound value, and the row. The writer makes those of one message at a time.
    pub const COPIES: Copies = Copies {
        of_each: 0,
        of_one: 2,
    };

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

    /// State of the ledger from which events are derived, as of the last moment when the writer had time; `None` where
    /// nothing is to be derived. Deliveries do not depend on it.
    pub fn ledger(&self) -> Option<LedgerFigures> {
        self.derivation.as_ref()?;
        let figures = self
            .ledger_figures
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Some(figures.clone())
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

    /// Damage is told with the file's name.
    fn located(&self, mut error: QueueError) -> QueueError {
        if error.kind == QueueErrorKind::Misconfigured {
            error.message = format!("{}: {}", self.path.display(), error.message);
        }
        error
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
            // Read here, because the writer is one for all.
            let facts = MessageFacts::of(message, self.derivation.as_deref());
            self.enqueue(Command::Send(Pending {
                message: message.clone(),
                facts,
                done,
            }))?;
            let answer = answer.await.unwrap_or_else(|_| Err(gone()));
            answer.map_err(|error| self.located(error))
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
            let answer = answer.await.unwrap_or_else(|_| Err(gone()));
            answer.map_err(|error| self.located(error))
        })
    }
}

fn gone() -> QueueError {
    QueueError::new(QueueErrorKind::Unavailable, "the queue file is closed: its process is ending, or the writer's thread ended with a message of its own; start `serve` again").permanent()
}
