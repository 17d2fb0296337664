//! The queue `stdout:`: one envelope a line, for pipes and for looking.
//!
//! One thread writes. A reader that is slow holds up that thread alone, and an attempt that was given
//! up while it waited is never written.

mod line_writer;
#[cfg(test)]
mod tests;

use crate::output::JsonForTerminal;
use labelrelay_core::clock::within;
use labelrelay_core::{
    BoxFuture, Clock, EventQueue, OutboundMessage, QueueError, QueueErrorKind, QueueLimits, Receipt,
};
use line_writer::{Command, LineWriter, Pending};
use std::fs::File;
use std::io::{IsTerminal as _, Write};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::time::Duration;
use tokio::sync::oneshot;

/// Events that may wait for the reader; beyond it the queue says that we are too fast.
const MAX_WAITING: usize = 1024;

/// A writer that has not answered by then is held up by a reader that does not read.
const PATIENCE: Duration = Duration::from_secs(1);

/// Limits of `stdout:`: a line has none of its own, but a reader has to hold it.
pub(super) const LIMITS: QueueLimits = {
    let mut limits = QueueLimits::bytes(512 * 1024 * 1024);
    limits.single_line = true;
    limits
};

/// Durable is here what has left this process: a reader that loses it loses it.
pub(super) struct StdoutQueue {
    commands: SyncSender<Command>,
    clock: Arc<dyn Clock>,
}

impl StdoutQueue {
    /// The process's own stdout, without the buffer of `std`: a line that could not be written must not
    /// follow later by itself.
    pub(super) fn open(clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let out = stdout()?;
        if out.is_terminal() {
            return Self::writing_to(JsonForTerminal(out), clock);
        }
        Self::writing_to(out, clock)
    }

    fn writing_to(
        out: impl Write + Send + 'static,
        clock: Arc<dyn Clock>,
    ) -> std::io::Result<Self> {
        let (commands, received) = sync_channel(MAX_WAITING);
        std::thread::Builder::new()
            .name("stdout".to_owned())
            .spawn(move || LineWriter::new(out).run(&received))?;
        Ok(Self { commands, clock })
    }

    fn submit(&self, command: Command) -> Result<(), QueueError> {
        self.commands
            .try_send(command)
            .map_err(|error| match error {
                TrySendError::Full(_) => QueueError::new(
                    QueueErrorKind::Throttled,
                    "stdout: too many events wait for the reader",
                ),
                TrySendError::Disconnected(_) => gone(),
            })
    }
}

impl EventQueue for StdoutQueue {
    fn send<'a>(
        &'a self,
        message: &'a OutboundMessage,
    ) -> BoxFuture<'a, Result<Receipt, QueueError>> {
        Box::pin(async move {
            let (done, answer) = oneshot::channel();
            self.submit(Command::Write(Pending {
                message: message.clone(),
                done,
            }))?;
            answer.await.unwrap_or_else(|_| Err(gone()))
        })
    }

    fn limits(&self) -> QueueLimits {
        LIMITS
    }

    fn check(&self) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(async move {
            let (done, answer) = oneshot::channel();
            self.submit(Command::Check(done))?;
            match within(&*self.clock, PATIENCE, answer).await {
                Ok(answer) => answer.unwrap_or_else(|_| Err(gone())),
                Err(_) => Err(QueueError::new(
                    QueueErrorKind::Late,
                    "stdout: its reader does not read",
                )),
            }
        })
    }
}

fn gone() -> QueueError {
    QueueError::new(QueueErrorKind::Unavailable, "stdout: its writer has ended").permanent()
}

#[cfg(unix)]
fn stdout() -> std::io::Result<File> {
    use std::os::fd::AsFd as _;
    Ok(std::io::stdout().as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn stdout() -> std::io::Result<File> {
    use std::os::windows::io::AsHandle as _;
    Ok(std::io::stdout().as_handle().try_clone_to_owned()?.into())
}
