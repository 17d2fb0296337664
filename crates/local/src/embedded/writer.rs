//! The one writer: takes what has arrived since its last commit, commits it, answers.

use super::Options;
use super::arrivals::Arrivals;
use super::checkpoint::Journal;
use super::group::{self, Outcome, Pending};
use super::prune;
use crate::meaning::queue_error;
use crate::sqlite::{begin, ms, now_ms};
use futures_channel::oneshot;
use labelrelay_core::{Clock, QueueError};
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// A group ends here at the latest, so that its first message does not wait for a crowd. Measured.
const GROUP_MESSAGES: usize = 256;
const GROUP_BYTES: usize = 4 * 1024 * 1024;

/// What the writer is asked to do.
pub(super) enum Command {
    Send(Pending),
    Check(oneshot::Sender<Result<(), QueueError>>),
    Close,
}

/// The writer's state; it lives on a thread of its own.
pub(super) struct Writer {
    pub(super) db: Connection,
    pub(super) journal: Arc<Journal>,
    pub(super) arrivals: Arrivals,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) options: Options,
}

impl Writer {
    pub(super) fn run(mut self, commands: &Receiver<Command>) {
        let mut group = Vec::new();
        let mut failing = false;
        let mut pruned = prune::Turns::new(self.options.prune_every);
        let mut open = true;
        while open {
            // Without work it wakes now and then to prune; with more to prune it only looks whether work came.
            let mut command = match commands.recv_timeout(pruned.patience(self.clock.monotonic())) {
                Ok(command) => Some(command),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(Command::Close),
            };
            let mut bytes = 0;
            let mut checks = Vec::new();
            while let Some(next) = command.take() {
                match next {
                    Command::Send(pending) => {
                        bytes += pending.message.body.len();
                        group.push(pending);
                    }
                    Command::Check(answer) => checks.push(answer),
                    Command::Close => {
                        open = false;
                        break;
                    }
                }
                if group.len() < GROUP_MESSAGES && bytes < GROUP_BYTES {
                    command = commands.try_recv().ok();
                }
            }
            if !group.is_empty() {
                let now = ms(self.clock.monotonic());
                self.arrivals.expire(now);
                let time_of_day = now_ms(&*self.clock);
                match group::commit(&self.db, &mut self.arrivals, &mut group, time_of_day) {
                    // It says nothing about the disk.
                    Outcome::Nothing => {}
                    Outcome::Written => failing = false,
                    Outcome::Failed => failing = true,
                }
                self.arrivals.arrived(now);
            }
            for answer in checks {
                let _gone = answer.send(self.check(failing));
            }
            if open {
                let turn = pruned.take(self.clock.monotonic(), || {
                    prune::batch(&self.db, &*self.clock, &self.options)
                });
                // Room that is not freed is no reason to refuse events as long as they can be written;
                // whether they can is what the next check then really tries.
                failing |= turn.is_err();
            }
            self.journal.tend(&self.db);
        }
    }

    /// Whether a send could work. After a failure it really writes: a full disk shows in no other way.
    fn check(&self, failing: bool) -> Result<(), QueueError> {
        let probe = || {
            let transaction = begin(&self.db)?;
            if failing {
                crate::sqlite::set_setting(&self.db, "checked_ms", now_ms(&*self.clock))?;
                transaction.commit()
            } else {
                transaction.rollback()
            }
        };
        probe().map_err(|error| queue_error(&error))
    }
}

/// Longest that the writer sleeps at a time.
pub(super) const IDLE: Duration = Duration::from_secs(60);
