//! The thread that writes the journal: one write for each group of deliveries, and nothing that waits for more.

use crate::class::{Class, PerClass};
use crate::error::RecordError;
use crate::inbox::{Batch, Inbox};
use crate::journal::Journal;
use crate::lock;
use crate::options::Options;
use crate::set_aside::set_aside;
use crate::shared::Shared;
use crate::store::Store;
use labelrelay_core::chain;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A file that cannot be used is tried again this often.
const AGAIN: Duration = Duration::from_secs(5);

/// Lost rows are told this often at most.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// Memory that is kept for the next group.
const KEPT_BYTES: usize = 4 * 1024 * 1024;

pub(crate) struct Writer {
    path: PathBuf,
    options: Options,
    shared: Arc<Shared>,
    /// When the file could not be used last.
    failed: Option<Instant>,
    /// Rows that are lost and not told in the log yet.
    untold: PerClass<u64>,
    told: Option<Instant>,
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
            failed: None,
            untold: PerClass::default(),
            told: None,
        }
    }

    /// Writes what comes, until the inbox is closed.
    pub(crate) fn run(mut self, inbox: &Inbox) {
        self.write(&mut Batch::default());
        let mut spare = Vec::new();
        while let Some(mut batch) = inbox.next(std::mem::take(&mut spare)) {
            self.lose(batch.lost);
            self.write(&mut batch);
            self.tell(false);
            if batch.frame.capacity() <= KEPT_BYTES {
                spare = batch.frame;
            }
        }
        self.tell(true);
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
                    tracing::info!(name: "record_works_again", file = %self.path.display(), "deliveries are recorded again");
                }
            }
            Err(error) => {
                if self.failed.is_none() {
                    tracing::error!(name: "record_failed", reason = %chain(&error), "deliveries are not recorded; they are taken all the same, and the record is tried again every 5 seconds");
                }
                self.failed = Some(Instant::now());
                self.lose_batch(batch);
            }
        }
    }

    fn append(&self, batch: &mut Batch) -> Result<(), RecordError> {
        let mut state = self.shared.lock();
        let mut journal = state.journal.take();
        // Somebody removed the record. What waits in its journal belongs to it. A record that cannot be looked at is no
        // removed one.
        let is_removed = matches!(self.path.try_exists(), Ok(false));
        if let Some(removed) = journal.as_mut().filter(|_| is_removed) {
            removed.discard();
            journal = None;
        }
        let journal = if let Some(journal) = journal {
            state.journal.insert(journal)
        } else {
            if state.lock.is_none() {
                state.lock = Some(lock::take(&self.path)?);
            }
            let store = Store::open(&self.path)?;
            let journal = Journal::open(&self.path, store.moved()?)?;
            state.begin(store, journal)
        };
        let rows = batch.sums.rows();
        if rows > 0 {
            let appended = journal.append(&mut batch.frame, &batch.sums);
            appended.map_err(|source| RecordError::Journal {
                path: self.path.clone(),
                source,
            })?;
        }
        // Only where nothing could be moved for long. Whoever moves what follows counts what is missing.
        let most = self.options.journal_bytes().saturating_mul(2);
        while journal.bytes() > most {
            journal.remove_oldest();
        }
        if rows > 0 {
            state.note_group(rows);
        }
        drop(state);
        self.shared.notify();
        Ok(())
    }

    /// Sets a file aside that can never be written. `true` if the next one may be.
    fn make_room(&self, error: &RecordError) -> bool {
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
        let is_soon = self.told.is_some_and(|at| at.elapsed() < TELL_EVERY) && !is_end;
        if verified + stranger == 0 || is_soon {
            return;
        }
        tracing::warn!(name: "record_rows_lost", verified, refused = stranger, "deliveries are missing in the record: more came than can be written, or the file could not be used");
        self.untold = PerClass::default();
        self.told = Some(Instant::now());
    }
}
