//! The one writer: takes what has arrived since its last commit, commits it, answers.

use super::checkpoint::{Journal, checkpoint};
use super::group_commit::{self, CommitContext, Outcome};
use super::kept_for_record::Kept;
use super::ledger_figures::SharedFigures;
use super::options::Options;
use super::pending_message::Pending;
use super::prune_schedule::PruneSchedule;
use super::sequencer::Sequencer;
use crate::disk_reserve;
use crate::displaced_error::displaced_error;
use crate::displaced_files::QueueFiles;
use crate::sqlite::{begin, ms, now_ms};
use crate::sqlite_error::queue_error;
use futures_channel::oneshot;
use labelrelay_core::{Clock, QueueError};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::wal::CheckpointMode;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A group ends here at the latest, so that its first message does not wait for a crowd. Measured.
const GROUP_MESSAGES: usize = 256;
const GROUP_BYTES: usize = 4 * 1024 * 1024;

/// Time for which the ledger's work waits for a delivery while another program writes, before it tries again.
const TAKEN: Duration = Duration::from_millis(5);

/// An event of more is its own reason when it does not fit.
const LARGEST_PROBE: usize = 64 * 1024;

/// Why nothing is stored although `SQLite` would: told by the writer.
pub(super) type Trouble = Arc<Mutex<Option<String>>>;

/// A request to the writer.
pub(super) enum Command {
    Send(Pending),
    Check(oneshot::Sender<Result<(), QueueError>>),
    Close,
}

/// The writer's state; it lives on a thread of its own.
pub(super) struct Writer {
    pub(super) db: Connection,
    pub(super) files: QueueFiles,
    pub(super) path: PathBuf,
    pub(super) trouble: Trouble,
    pub(super) ledger_figures: SharedFigures,
    pub(super) journal: Arc<Journal>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) options: Options,
    pub(super) kept: Kept,
}

/// Time that a delivery may wait for the ledger's own work.
fn ledger_patience(derives_more: bool, sequencer: &Sequencer) -> Duration {
    if derives_more {
        Duration::ZERO
    } else if sequencer.is_taken {
        TAKEN
    } else {
        Duration::MAX
    }
}

/// The error once more: it has no copy.
fn same(error: &QueueError) -> QueueError {
    let mut same = QueueError::new(error.kind, error.message.clone());
    same.retryable = error.retryable;
    same
}

impl Writer {
    pub(super) fn run(self, mut sequencer: Sequencer, commands: &Receiver<Command>) {
        let mut group = Vec::new();
        let mut failing = None;
        let mut pruned = PruneSchedule::new(self.options.prune_every);
        let mut open = true;
        // The rest of the last run, as far as it takes no longer than one delivery may wait.
        let mut derives_more = self.check_files().is_ok()
            && self.has_room(true, false).is_ok()
            && self.derive_more(&mut sequencer, true);
        while open {
            let most = ledger_patience(derives_more, &sequencer);
            let patience = pruned.patience(self.clock.monotonic()).min(most);
            // Without work it wakes now and then to prune; with more to prune it only looks whether work came.
            let mut command = match commands.recv_timeout(patience) {
                Ok(command) => Some(command),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(Command::Close),
            };
            let is_idle = command.is_none();
            let reserve_due = is_idle || !disk_reserve::exists(&self.path);
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
            let fit = self
                .check_files()
                .and_then(|()| self.has_room(reserve_due, !group.is_empty() || !checks.is_empty()));
            if let Err(unfit) = fit {
                // Nothing is written or pruned: the files are somebody else's or nobody's, or what room there is
                // belongs to the consumers.
                group_commit::refuse(group.drain(..), &unfit);
                failing = Some(failing.unwrap_or_default());
                derives_more = false;
                pruned.put_off(self.clock.monotonic());
                for answer in checks {
                    let _gone = answer.send(Err(same(&unfit)));
                }
                continue;
            }
            if !group.is_empty() {
                let sizes = group.iter().map(|pending| pending.message.body.len());
                let smallest = sizes.min().unwrap_or_default();
                let now = ms(self.clock.monotonic());
                sequencer.expire(now);
                let time_of_day = now_ms(&*self.clock);
                let still_there = || {
                    self.files.committed(self.journal.pages());
                    self.files
                        .check(&self.db)
                        .map_err(|displaced| displaced_error(&displaced))
                };
                let make_room = |error| self.make_room(error);
                let context = CommitContext {
                    still_there: &still_there,
                    make_room: &make_room,
                };
                match group_commit::commit(
                    &self.db,
                    &mut sequencer,
                    &mut group,
                    time_of_day,
                    &context,
                ) {
                    // A group that was not tried says nothing about the disk.
                    Outcome::Nothing => {}
                    Outcome::Written => failing = None,
                    Outcome::Failed => failing = Some(smallest.min(LARGEST_PROBE)),
                }
                sequencer.arrived(now);
            }
            for answer in checks {
                let _gone = answer.send(self.check(failing));
            }
            if open {
                derives_more = self.derive_more(&mut sequencer, is_idle);
                let turn = pruned.take(self.clock.monotonic(), self.kept.is_released(), || {
                    self.prune(&mut sequencer, is_idle, failing.is_some())
                });
                // Room that is not freed is no reason to refuse events as long as they can be written;
                // whether they can is what the next check then really tries.
                if turn.is_err() {
                    failing = Some(failing.unwrap_or_default());
                }
            }
            self.journal.tend(&self.db);
        }
        if self.check_files().is_ok() {
            sequencer.save_ledger(&self.db);
        }
        if self.files.is_cut_off() {
            // The last one to close moves the journal into the file, and this one has holes.
            let _known = self
                .db
                .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
    }

    /// Derives events for which no delivery waits, a little at a time; `true` if there are more.
    fn derive_more(&self, sequencer: &mut Sequencer, is_idle: bool) -> bool {
        // The ledger does without where a delivery would be refused: it refuses nobody.
        if !sequencer.has_ledger(&self.db, &self.options, is_idle)
            || self.has_room(false, true).is_err()
        {
            self.tell_figures(sequencer);
            return false;
        }
        let has_more = sequencer.derive_more(&self.db, now_ms(&*self.clock), is_idle);
        if has_more.is_some() {
            sequencer.arrived(ms(self.clock.monotonic()));
        }
        if has_more != Some(true) {
            let now = self.clock.monotonic();
            sequencer.sweep(&self.db, now, self.clock.now(), is_idle);
        }
        self.files.committed(self.journal.pages());
        self.tell_figures(sequencer);
        has_more.unwrap_or(false)
    }

    /// Leaves the ledger's figures for whoever watches the queue.
    fn tell_figures(&self, sequencer: &Sequencer) {
        let figures = sequencer.ledger_figures();
        let mut told = self
            .ledger_figures
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if *told != figures {
            *told = figures;
        }
    }

    /// Checks that the files are what they were; leaves what it finds for whoever watches the queue.
    fn check_files(&self) -> Result<(), QueueError> {
        let looked = self.files.check(&self.db);
        self.journal.halt(looked.is_err());
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let Err(displaced) = looked else {
            *trouble = None;
            return Ok(());
        };
        if trouble.is_none() && QueueFiles::only_the_journal_is_gone(&displaced) {
            // This process is the last that holds the newest events, and may be killed at any moment.
            let _as_far_as_it_goes = checkpoint(&self.db);
        }
        *trouble = Some(displaced.to_string());
        Err(displaced_error(&displaced))
    }

    /// Checks that deliveries may be written: not before the consumers' reserve is there again, and not beyond the
    /// largest size.
    fn has_room(&self, reserve_due: bool, asked: bool) -> Result<(), QueueError> {
        let kept = || disk_reserve::ensure(&self.path, || self.reusable_bytes());
        if reserve_due && !kept() && !(self.empty_the_journal() && kept()) {
            let full = disk_reserve::disk_full("what is left of the disk is left to the consumers");
            return Err(queue_error(&full));
        }
        if asked && disk_reserve::journal_is_in_the_way(&self.path) && !self.empty_the_journal() {
            let full = disk_reserve::disk_full("the journal cannot be moved into the queue file");
            return Err(queue_error(&full));
        }
        if let Some(most) = self.options.max_file_bytes
            && asked
            && self.journal.is_longer_than_it_should()
            && self.files.bytes() >= most
            // The reader may have ended, and nothing else would shorten the journal while senders try again.
            && !self.journal.empty(&self.db, self.options.busy_timeout)
        {
            let full = disk_reserve::disk_full(
                "a program that reads for long keeps the journal from beginning anew",
            );
            return Err(queue_error(&full));
        }
        Ok(())
    }

    pub(super) fn reusable_bytes(&self) -> u64 {
        self.page_bytes("PRAGMA freelist_count")
    }

    /// Bytes of so many pages as `pragma` says; 0 if it says nothing.
    pub(super) fn page_bytes(&self, pragma: &str) -> u64 {
        let pages = self.db.query_row(pragma, [], |row| row.get::<_, i64>(0));
        u64::try_from(pages.unwrap_or(0))
            .unwrap_or(0)
            .saturating_mul(u64::from(crate::schema::PAGE_BYTES))
    }

    /// Want of room may be in the journal alone: what it takes is free when all of it was moved into the file. And an event
    /// that is kept for the record alone goes before one is refused.
    /// The reserve stays: given up here, any other program would have it before the consumers.
    fn make_room(&self, error: rusqlite::Error) -> (rusqlite::Error, bool) {
        let error = disk_reserve::diagnose(error, &self.path);
        if !disk_reserve::is_disk_full(&error) {
            return (error, false);
        }
        let made =
            self.empty_the_journal() && disk_reserve::ensure(&self.path, || self.reusable_bytes());
        let freed = self.release_some_of_the_record();
        (error, made || freed)
    }

    /// Moves the journal into the file, and gives its room back to the disk; says whether it could.
    fn empty_the_journal(&self) -> bool {
        let truncate = || {
            self.db
                .wal_checkpoint_v2(Some("main"), CheckpointMode::TRUNCATE)
        };
        checkpoint(&self.db).is_some_and(|(log, moved)| log == moved) && truncate().is_ok()
    }

    /// Checks that a send could work. After a failure it really writes, and an event of the size that failed has to
    /// fit: a full disk and a file of the largest size show in no other way.
    fn check(&self, failing: Option<usize>) -> Result<(), QueueError> {
        let probe = || {
            let transaction = begin(&self.db)?;
            if let Some(bytes) = failing {
                let fits = self.db.execute_batch(&format!(
                    "SAVEPOINT probe;
                     INSERT INTO events(seq, received_ms, id, type, source, envelope)
                         SELECT coalesce(max(seq), 0) + 1, 0, '', '', '', zeroblob({bytes}) FROM events;
                     ROLLBACK TO probe;
                     RELEASE probe"
                ));
                if let Err(error) = fits {
                    // Anything else is one message's own trouble.
                    if disk_reserve::is_disk_full(&error) {
                        return Err(error);
                    }
                    self.db.execute_batch("ROLLBACK TO probe; RELEASE probe")?;
                }
                crate::sqlite::set_setting(&self.db, "checked_ms", now_ms(&*self.clock))?;
                transaction.commit()
            } else {
                transaction.rollback()
            }
        };
        probe()
            .or_else(|error| match self.make_room(error) {
                (_, true) => probe(),
                (error, false) => Err(error),
            })
            .map_err(|error| queue_error(&disk_reserve::diagnose(error, &self.path)))
    }
}
