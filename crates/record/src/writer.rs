//! The thread that writes the file.

use crate::class::{Class, PerClass};
use crate::error::RecordError;
use crate::inbox::Inbox;
use crate::options::Options;
use crate::row::Row;
use crate::set_aside::set_aside;
use crate::store::Store;
use labelrelay_core::{Clock, chain};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Without deliveries, what is too old is looked for this often.
const IDLE: Duration = Duration::from_secs(60);

/// A file that cannot be used is tried again this often.
const AGAIN: Duration = Duration::from_secs(5);

/// Lost rows are told this often at most.
const TELL_EVERY: Duration = Duration::from_secs(10);

pub(crate) struct Writer {
    path: PathBuf,
    options: Options,
    clock: Arc<dyn Clock>,
    store: Option<Store>,
    /// When the file could not be used last.
    failed: Option<Instant>,
    /// Rows that are lost and not noted in the file yet.
    unnoted: PerClass<u64>,
    /// Rows that are lost and not told in the log yet.
    untold: PerClass<u64>,
    told: Option<Instant>,
}

impl Writer {
    pub(crate) fn new(path: PathBuf, options: Options, clock: Arc<dyn Clock>) -> Self {
        Self {
            path,
            options,
            clock,
            store: None,
            failed: None,
            unnoted: PerClass::default(),
            untold: PerClass::default(),
            told: None,
        }
    }

    /// Writes what comes, until the inbox is closed.
    pub(crate) fn run(mut self, inbox: &Inbox) {
        self.write(&[]);
        while let Some(batch) = inbox.next(IDLE) {
            self.lose(batch.lost);
            self.write(&batch.rows);
            self.tell(false);
        }
        self.tell(true);
    }

    fn write(&mut self, rows: &[Row]) {
        if self.failed.is_some_and(|at| at.elapsed() < AGAIN) {
            return self.lose_rows(rows);
        }
        // A second time, after a file was set aside.
        let mut written = self.append(rows);
        if let Err(error) = &written
            && self.make_room(error)
        {
            written = self.append(rows);
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
                self.store = None;
                self.lose_rows(rows);
            }
        }
    }

    fn append(&mut self, rows: &[Row]) -> Result<(), RecordError> {
        let store = match self.store.take().filter(Store::is_there) {
            Some(store) => store,
            None => Store::open(&self.path)?,
        };
        let now_ms = self.clock.now().as_millisecond();
        let appended = store.append(rows, self.unnoted, &self.options, now_ms);
        self.store = Some(store);
        appended?;
        self.unnoted = PerClass::default();
        Ok(())
    }

    /// Sets a file aside that can never be written. `true` if the next one may be.
    fn make_room(&mut self, error: &RecordError) -> bool {
        let ending = match error {
            RecordError::Damaged { .. } => "damaged",
            RecordError::Newer { .. } => "newer",
            _ => return false,
        };
        self.store = None;
        match set_aside(&self.path, ending) {
            Ok(aside) => {
                tracing::error!(name: "record_set_aside", reason = %chain(error), set_aside = %aside.display(), "the record cannot be used; it was set aside, and a new one begins");
                true
            }
            Err(cannot) => {
                if self.failed.is_some() {
                    return false;
                }
                tracing::error!(name: "record_not_set_aside", reason = %chain(error), error = %cannot, "the record cannot be used, and cannot be renamed either: move it away");
                false
            }
        }
    }

    fn lose_rows(&mut self, rows: &[Row]) {
        let mut lost = PerClass::<u64>::default();
        for row in rows {
            *lost.of_mut(row.class()) += 1;
        }
        self.lose(lost);
    }

    fn lose(&mut self, lost: PerClass<u64>) {
        for class in Class::ALL {
            *self.unnoted.of_mut(class) += lost.of(class);
            *self.untold.of_mut(class) += lost.of(class);
        }
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
