//! The thread that writes the journal: one write for each group of deliveries, and nothing that waits for more.

use crate::class::{Class, PerClass};
use crate::error::RecordError;
use crate::inbox::{Batch, Inbox};
use crate::journal::Journal;
use crate::lock;
use crate::open_files::OpenFiles;
use crate::options::Options;
use crate::room;
use crate::set_aside::set_aside;
use crate::shared::Shared;
use crate::store::Store;
use labelrelay_core::chain;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// A file that cannot be used is tried again this often.
const AGAIN: Duration = Duration::from_secs(5);

/// Lost rows are told this often at most.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// Memory that is kept for the next group.
const KEPT_BYTES: usize = 4 * 1024 * 1024;

/// Strangers have this much of the journal at least, whatever their bounds: two groups of them, which are moved in a
/// moment. So nothing is lost of what only has to be pruned.
const STRANGERS_LEAST: u64 = 4 * 1024 * 1024;

pub(crate) struct Writer {
    path: PathBuf,
    options: Options,
    shared: Arc<Shared>,
    /// `true` if there is no file at the path, but a journal beside it alone: the record is elsewhere.
    is_elsewhere: bool,
    /// When the file could not be used last.
    failed: Option<Instant>,
    /// `true` if trying without a delivery tells whether it can be used again.
    can_be_tried: bool,
    /// Rows that are lost and not told in the log yet.
    untold: PerClass<u64>,
    told: Option<Instant>,
    tell_every: Duration,
}

/// However it ends, the other thread ends, too.
impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl Writer {
    pub(crate) fn new(path: PathBuf, options: Options, shared: Arc<Shared>) -> Self {
        Self {
            path,
            options,
            shared,
            is_elsewhere: false,
            failed: None,
            can_be_tried: true,
            untold: PerClass::default(),
            told: None,
            tell_every: TELL_EVERY,
        }
    }

    /// The same for a record elsewhere, of which only the journal is beside `path`.
    pub(crate) fn of_journal(path: PathBuf, options: Options, shared: Arc<Shared>) -> Self {
        let mut writer = Self::new(path, options, shared);
        writer.is_elsewhere = true;
        writer
    }

    /// Writes what comes, until the inbox is closed.
    pub(crate) fn run(mut self, inbox: &Inbox) {
        self.write(&mut Batch::default());
        let mut spare = Vec::new();
        while self.turn(inbox, &mut spare) {}
        self.tell(true);
    }

    /// Writes what has gathered. Where nothing comes, it does what it has put off. `false` once the inbox is closed.
    fn turn(&mut self, inbox: &Inbox, spare: &mut Vec<u8>) -> bool {
        let Some(mut batch) = inbox.next(std::mem::take(spare), self.patience()) else {
            return false;
        };
        self.lose(batch.lost);
        if batch.sums.rows() > 0 || self.tries_again() {
            self.write(&mut batch);
        }
        self.tell(false);
        if batch.frame.capacity() <= KEPT_BYTES {
            *spare = batch.frame;
        }
        true
    }

    /// Time after which there is something to do without a delivery: to say what was lost at the end of a flood, or to try
    /// a file again.
    fn patience(&self) -> Option<Duration> {
        let left = |since: Instant, time: Duration| time.saturating_sub(since.elapsed());
        let PerClass { verified, stranger } = self.untold;
        let tell = (verified + stranger > 0).then(|| {
            self.told
                .map_or(Duration::ZERO, |told| left(told, self.tell_every))
        });
        let again = self.failed.filter(|_| self.tries_again());
        let again = again.map(|failed| left(failed, AGAIN));
        tell.into_iter().chain(again).min()
    }

    const fn tries_again(&self) -> bool {
        self.failed.is_some() && self.can_be_tried
    }

    fn write(&mut self, batch: &mut Batch) {
        if self.failed.is_some_and(|at| at.elapsed() < AGAIN) {
            return self.lose_batch(batch);
        }
        // A second time, after a file was set aside.
        let mut written = self.append(batch);
        if let Err(error) = &written
            && self.make_room(error)
        {
            written = self.append(batch);
        }
        match written {
            Ok(()) => {
                if self.failed.take().is_some() {
                    self.shared.is_failing.store(false, Ordering::Relaxed);
                    tracing::info!(name: "record_works_again", file = %self.path.display(), "deliveries are recorded again");
                }
            }
            Err(error) => {
                if self.failed.is_none() {
                    tracing::error!(name: "record_failed", reason = %chain(&error), "deliveries are not recorded; they are taken all the same, and the record is tried again every 5 seconds");
                }
                self.failed = Some(Instant::now());
                self.shared.is_failing.store(true, Ordering::Relaxed);
                // A journal that is open is written by deliveries alone: without one, nothing would fail.
                let is_open = self.shared.lock().journal.is_some();
                self.can_be_tried = !(is_open && matches!(error, RecordError::Journal { .. }));
                // Of what may pass by itself, the queue is told nothing: what it prunes meanwhile does not come back.
                if matches!(error, RecordError::Foreign { .. }) {
                    self.shared.needed.tell_failure();
                }
                self.lose_batch(batch);
            }
        }
    }

    fn append(&mut self, batch: &mut Batch) -> Result<(), RecordError> {
        if room::is_low(&self.path, self.failed.is_some()) {
            return Err(RecordError::NoRoom {
                path: self.path.clone(),
            });
        }
        let mut state = self.shared.lock();
        let mut journal = state.journal.take();
        // Somebody removed the record, or put another one in its place. What waits in its journal belongs to it.
        let is_displaced =
            journal.is_some() && !self.is_elsewhere && state.files.are_displaced(&self.path);
        if let Some(displaced) = journal.as_mut().filter(|_| is_displaced) {
            let waiting = displaced.sums().rows();
            tracing::warn!(name: "record_displaced", file = %self.path.display(), waiting, "the file of the record was removed or replaced: deliveries from now on are recorded in the one that is there, or in a new one; those that waited in the journal are gone with the old one");
            displaced.discard();
            state.files.remove_left_over(&self.path);
            journal = None;
        }
        let journal = if let Some(journal) = journal {
            state.journal.insert(journal)
        } else {
            if state.lock.is_none() {
                state.lock = Some(lock::take(&self.path)?);
            }
            if self.is_elsewhere {
                state.begin_journal(Journal::open(&self.path, 0)?)
            } else {
                let before = OpenFiles::at(&self.path);
                let store = Store::open(&self.path)?;
                let moved = store.moved()?;
                store.finish_forgetting()?;
                let files = OpenFiles::at(&self.path).opened_after(before);
                let journal = Journal::open(&self.path, moved)?;
                state.begin(store, files, journal)
            }
        };
        // While it cannot be moved as fast as strangers send, they have their share of the journal, and no more.
        let share = self.options.stranger.all_bytes().saturating_mul(2);
        let strangers_most = share.max(STRANGERS_LEAST);
        let mut left_out = PerClass::<u64>::default();
        if journal.sums().stranger.all_bytes() > strangers_most {
            left_out.stranger = batch.leave_out_strangers();
        }
        let rows = batch.sums.rows();
        let appended = if rows > 0 {
            journal.append(&mut batch.frame, &batch.sums)
        } else {
            Ok(())
        };
        // Only where nothing could be moved for long. Whoever moves what follows counts what is missing. Strangers have
        // all of their share without a row less for others; and the file that is written stays, however little the
        // bounds allow.
        let verified_most = self.options.verified.all_bytes().saturating_mul(2);
        // The last group of them may go beyond it.
        let strangers_most = strangers_most.saturating_add(STRANGERS_LEAST);
        let most = verified_most.saturating_add(strangers_most);
        while journal.bytes() > most && journal.has_older() {
            // The log tells of them here.
            let removed = journal.remove_oldest();
            for class in Class::ALL {
                *self.untold.of_mut(class) += removed.of(class).rows;
            }
        }
        state.lose(left_out);
        self.untold.stranger += left_out.stranger;
        appended.map_err(|source| RecordError::Journal {
            path: self.path.clone(),
            source,
        })?;
        if rows > 0 {
            state.note_group(rows);
        }
        drop(state);
        self.shared.notify();
        Ok(())
    }

    /// Sets a file aside that can never be written. `true` if the next one may be.
    fn make_room(&self, error: &RecordError) -> bool {
        if self.is_elsewhere {
            return false;
        }
        // Meanwhile the other thread opens nothing there.
        let _state = self.shared.lock();
        set_aside(&self.path, error, self.failed.is_none())
    }

    fn lose_batch(&mut self, batch: &Batch) {
        self.lose(PerClass {
            verified: batch.sums.verified.rows,
            stranger: batch.sums.stranger.rows,
        });
    }

    fn lose(&mut self, lost: PerClass<u64>) {
        for class in Class::ALL {
            *self.untold.of_mut(class) += lost.of(class);
        }
        self.shared.lock().lose(lost);
    }

    fn tell(&mut self, is_end: bool) {
        let PerClass { verified, stranger } = self.untold;
        let is_soon = self.told.is_some_and(|at| at.elapsed() < self.tell_every) && !is_end;
        if verified + stranger == 0 || is_soon {
            return;
        }
        tracing::warn!(name: "record_rows_lost", verified, refused = stranger, "deliveries are missing in the record: more came than can be written, or the file could not be used");
        self.untold = PerClass::default();
        self.told = Some(Instant::now());
    }
}

#[cfg(test)]
pub(crate) mod tests;
