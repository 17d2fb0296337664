//! Events that follow from events: derived by the ledger, written by the sequencer.

use super::sequencer::{Open, Sequencer, next_number};
use super::task_ledger;
use labelrelay_core::OutboundMessage;
use rusqlite::Connection;

impl Sequencer {
    /// Why nothing is derived from what is written, though it shall be.
    pub(super) fn ledger_trouble(&self) -> Option<&str> {
        self.ledger_trouble.as_deref()
    }

    /// Derives what follows from what others wrote into the file, and what an earlier transaction had no time for.
    /// `true` if there is more to do; `None` if there was nothing.
    pub(super) fn derive_more(&mut self, db: &Connection, received_ms: i64) -> Option<bool> {
        let has_more = |this: &Self| {
            let ledger = this.ledger.as_ref();
            ledger.is_some_and(|ledger| ledger.has_work(this.next))
        };
        if self.ledger.is_none() || !(has_more(self) || self.others_wrote(db)) {
            return None;
        }
        // Work that fails now is tried again at the next occasion, in a second at the latest.
        Some(self.write(db, &[], received_ms).is_ok() && has_more(self))
    }

    fn others_wrote(&self, db: &Connection) -> bool {
        next_number(db).is_ok_and(|next| next > self.next)
    }

    /// Adds what follows from events that are in the file already.
    pub(super) fn derive_from_others(
        &mut self,
        open: &mut Open<'_>,
        does_rest: bool,
        left: &mut usize,
    ) -> rusqlite::Result<()> {
        let next = self.next;
        let Some(ledger) = &mut self.ledger else {
            return Ok(());
        };
        let derived = ledger
            .catch_up(open.db, next, left)
            .and_then(|mut derived| {
                if does_rest {
                    derived.append(&mut ledger.do_rest(open.db, left)?);
                }
                ledger.mark_if_due(open.db)?;
                Ok(derived)
            });
        let derived = self.judge(derived)?;
        self.add_derived(&derived, open)
    }

    /// Gives the ledger up where it is at fault.
    pub(super) fn judge<T>(&mut self, of_the_ledger: rusqlite::Result<T>) -> rusqlite::Result<T> {
        of_the_ledger.inspect_err(|error| {
            if task_ledger::is_its_own(error) {
                self.ledger = None;
                self.ledger_trouble = Some(format!("the ledger in it failed: {error}"));
            }
        })
    }

    pub(super) fn add_derived(
        &mut self,
        derived: &[OutboundMessage],
        open: &mut Open<'_>,
    ) -> rusqlite::Result<()> {
        for message in derived {
            // A pull may have found it already.
            let fingerprint = self.fingerprint(message);
            if self.first_copy(open.db, message, fingerprint)?.is_none() {
                self.add(message, fingerprint, open)?;
            }
        }
        Ok(())
    }
}
