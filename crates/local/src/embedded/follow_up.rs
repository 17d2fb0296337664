//! Events that follow from events: derived by the ledger, written by the sequencer.

use super::ledger_figures::LedgerFigures;
use super::pending_message::{Pending, Said};
use super::sequencer::{Open, Sequencer, next_number};
use super::task_ledger::{self, Budget, Consequences, is_busy, unless_it_panics};
use crate::sqlite::without_waiting;
use crate::sqlite_error::advice;
use jiff::Timestamp;
use labelrelay_core::{OutboundMessage, Receipt};
use rusqlite::Connection;
use std::time::Duration;

impl Sequencer {
    /// State of the ledger.
    pub(super) fn ledger_figures(&self) -> LedgerFigures {
        match &self.ledger {
            Some(ledger) => ledger.figures(self.next),
            None => LedgerFigures {
                off: self.ledger_trouble.clone(),
                ..LedgerFigures::default()
            },
        }
    }

    /// Derives what follows from what is in the file and was not taken in yet. `true` if there is more to do; `None`
    /// if nothing was tried.
    pub(super) fn derive_more(
        &mut self,
        db: &Connection,
        received_ms: i64,
        is_idle: bool,
    ) -> Option<bool> {
        self.is_taken = false;
        let has_more = |this: &Self| {
            let ledger = this.ledger.as_ref();
            ledger.is_some_and(|ledger| ledger.has_work(this.next))
        };
        if !self.ledger.as_mut()?.may_try(is_idle) || !(has_more(self) || self.others_wrote(db)) {
            return None;
        }
        let done = self.write(db, &[], received_ms);
        self.is_taken = !self.has_begun && done.as_ref().is_err_and(is_busy);
        if let (Ok(_), Some(ledger)) = (&done, &mut self.ledger) {
            ledger.go_on();
        }
        // Work that fails now is tried again at the next occasion.
        Some(done.is_ok() && has_more(self))
    }

    /// Removes what the ledger needs no more, if it is time.
    pub(super) fn sweep(
        &mut self,
        db: &Connection,
        now: Duration,
        today: Timestamp,
        is_idle: bool,
    ) {
        let Some(ledger) = &mut self.ledger else {
            return;
        };
        let sweep = || ledger.sweep(db, now, today, is_idle);
        let swept = without_waiting(|| unless_it_panics(sweep));
        // An error that passes is tried again.
        let _known = self.judge(swept);
    }

    fn others_wrote(&self, db: &Connection) -> bool {
        next_number(db).is_ok_and(|next| next > self.next)
    }

    /// Writes again without the ledger what failed with it: it stops no delivery. It is behind then, and catches up.
    pub(super) fn write_without_ledger(
        &mut self,
        db: &Connection,
        messages: &[Pending],
        received_ms: i64,
        error: rusqlite::Error,
    ) -> rusqlite::Result<Vec<Receipt>> {
        if messages.is_empty() {
            self.let_ledger_wait(&error);
            return Err(error);
        }
        let ledger = self.ledger.take();
        let written = self.attempt_twice(db, messages, received_ms);
        self.ledger = ledger;
        // An error that comes without it too is not its fault.
        if written.is_ok() {
            self.let_ledger_wait(&error);
        }
        written
    }

    fn let_ledger_wait(&mut self, error: &rusqlite::Error) {
        if let Some(ledger) = &mut self.ledger {
            ledger.wait(format!("{} ({error})", advice(error)));
        }
    }

    /// Adds what follows from events that are in the file already.
    pub(super) fn derive_from_file(
        &mut self,
        open: &mut Open<'_>,
        left: &mut Budget,
    ) -> rusqlite::Result<()> {
        let next = self.next;
        let Some(ledger) = &mut self.ledger else {
            return Ok(());
        };
        let derived = unless_it_panics(|| ledger.catch_up(open.db, next, left));
        let derived = self.judge(derived)?;
        self.add_derived(&derived, open)?;
        // Nothing follows from what was derived.
        if let Some(ledger) = self.ledger.as_mut().filter(|it| it.is_in_step(next)) {
            ledger.has_read(self.next - 1);
        }
        Ok(())
    }

    /// Events that follow from event `next`, which is about to be written.
    pub(super) fn follow(
        &mut self,
        db: &Connection,
        said: &Said,
        left: &mut Budget,
    ) -> rusqlite::Result<Consequences> {
        let next = self.next;
        let Some(ledger) = &mut self.ledger else {
            return Ok(Consequences::default());
        };
        let followed = unless_it_panics(|| ledger.follow(db, next, said, left));
        self.judge(followed)
    }

    /// Notes that all that was written so far was taken in.
    pub(super) fn has_followed(&mut self) {
        if let Some(ledger) = &mut self.ledger {
            ledger.has_read(self.next - 1);
        }
    }

    pub(super) fn mark_if_due(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let marked = match &mut self.ledger {
            Some(ledger) => ledger.mark_if_due(db),
            None => Ok(()),
        };
        self.judge(marked)
    }

    /// Gives the ledger up where it is at fault for good.
    fn judge<T>(&mut self, of_the_ledger: rusqlite::Result<T>) -> rusqlite::Result<T> {
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
