//! The mark up to which the ledger has read the queue: it moves together with what is known, from memory into the file.

use super::{TaskLedger, tables};
use crate::sqlite::{begin, set_setting};
use rusqlite::Connection;

/// The mark up to which the queue was read is moved so often, at least. What is read again changes nothing.
const MARK_EVERY: u64 = 4000;

impl TaskLedger {
    /// Moves the mark at the end of a transaction, if it is so far behind that it is worth some pages.
    pub(in crate::embedded) fn mark_if_due(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let is_far = self.reading >= self.marked.saturating_add(MARK_EVERY);
        if self.must_mark || is_far || self.recent.is_worth_a_write() {
            self.mark(db)?;
            self.must_mark = true;
        }
        Ok(())
    }

    fn mark(&self, db: &Connection) -> rusqlite::Result<()> {
        self.recent.write(db)?;
        set_setting(db, tables::THROUGH, self.reading.cast_signed())
    }

    /// The event up to which what was told is in the file. Later ones are read after this, or once more after a crash;
    /// `None` while it waits, for nobody knows how long.
    pub(in crate::embedded) fn read_for_good(&self) -> Option<u64> {
        self.waits.is_none().then_some(self.marked)
    }

    /// Tells whether it knows something that is not in the file.
    pub(in crate::embedded) fn is_ahead_of_file(&self) -> bool {
        self.recent.is_ahead()
    }

    /// Moves the mark in a transaction of its own.
    pub(in crate::embedded) fn save(&mut self, db: &Connection) -> rusqlite::Result<()> {
        if self.marked == self.through && !self.recent.is_ahead() {
            return Ok(());
        }
        let transaction = begin(db)?;
        self.mark(db)?;
        transaction.commit()?;
        self.recent.written();
        self.marked = self.through;
        Ok(())
    }
}
