//! The one writer: a line for each event, whole, once.

use labelrelay_core::{OutboundMessage, QueueError, QueueErrorKind, Receipt};
use std::collections::VecDeque;
use std::io::{ErrorKind, Write};
use std::sync::mpsc::Receiver;
use tokio::sync::oneshot;

/// Events remembered that were written after their attempt had been given up: the next attempt of the
/// pipeline comes within seconds.
const MAX_UNCLAIMED: usize = 1024;

/// Order to the writer.
pub(super) enum Command {
    Write(Pending),
    Check(oneshot::Sender<Result<(), QueueError>>),
}

/// An event that waits to be written.
pub(super) struct Pending {
    pub(super) message: OutboundMessage,
    pub(super) done: oneshot::Sender<Result<Receipt, QueueError>>,
}

/// The writer's state; it lives on a thread of its own.
pub(super) struct LineWriter<W> {
    out: W,
    /// `true` if the last write failed: perhaps within a line.
    within_line: bool,
    /// Ids of events that were written when nobody waited for the answer any more.
    unclaimed: VecDeque<String>,
}

impl<W: Write> LineWriter<W> {
    pub(super) fn new(out: W) -> Self {
        Self {
            out,
            within_line: false,
            unclaimed: VecDeque::new(),
        }
    }

    /// Ends when the queue is dropped.
    pub(super) fn run(mut self, commands: &Receiver<Command>) {
        while let Ok(command) = commands.recv() {
            match command {
                Command::Write(pending) => self.write(pending),
                Command::Check(done) => {
                    let _gone = done.send(self.mend().map_err(|error| refused(&error)));
                }
            }
        }
    }

    fn write(&mut self, pending: Pending) {
        let Pending { message, done } = pending;
        // A sender that gave up waiting tries again, or said that the event was not stored.
        if done.is_closed() {
            return;
        }
        let unclaimed = self.unclaimed.iter().position(|id| id == message.id());
        let answer = if let Some(at) = unclaimed {
            self.unclaimed.remove(at);
            Ok(Receipt::repeat(None))
        } else {
            self.line(&message.body)
                .map(|()| Receipt::new(None))
                .map_err(|error| refused(&error))
        };
        // The attempt was given up while its line was being written: the next one finds it here.
        if let Err(Ok(_)) = done.send(answer) {
            if self.unclaimed.len() == MAX_UNCLAIMED {
                self.unclaimed.pop_front();
            }
            self.unclaimed.push_back(message.id().to_owned());
        }
    }

    fn line(&mut self, envelope: &[u8]) -> std::io::Result<()> {
        self.mend()?;
        self.within_line = true;
        self.out.write_all(envelope)?;
        self.out.write_all(b"\n")?;
        self.out.flush()?;
        self.within_line = false;
        Ok(())
    }

    /// Ends a line that was broken off, so that it spoils no other one.
    fn mend(&mut self) -> std::io::Result<()> {
        if self.within_line {
            self.out.write_all(b"\n")?;
            self.out.flush()?;
            self.within_line = false;
        }
        Ok(())
    }
}

/// Not retryable: what stopped one write stops the next one too.
fn refused(error: &std::io::Error) -> QueueError {
    let (kind, message) = match error.kind() {
        ErrorKind::BrokenPipe => (
            QueueErrorKind::Unavailable,
            "stdout: its reader has ended; start labelrelay again with one that goes on".to_owned(),
        ),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            (QueueErrorKind::Full, format!("stdout: {error}"))
        }
        _ => (QueueErrorKind::Unavailable, format!("stdout: {error}")),
    };
    QueueError::new(kind, message).permanent()
}
