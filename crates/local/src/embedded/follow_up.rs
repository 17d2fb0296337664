//! Events that follow from events: derived by the ledger, written by the sequencer.

use super::ledger_figures::LedgerFigures;
use super::options::Options;
use super::pending_message::{MessageFacts, Pending};
use super::sequencer::{Open, Sequencer, next_number};
use super::task_ledger::{self, Budget, Consequences, TaskLedger, is_busy, unless_it_panics};
use crate::sqlite::without_waiting;
use crate::sqlite_error::advice;
use jiff::Timestamp;
use labelrelay_core::{OutboundMessage, Receipt};
use rusqlite::Connection;
use std::time::Duration;

impl Sequencer {
    /// Opens the ledger, if events shall be derived. `next` was the event to come when the queue was opened: what came
    /// before is only learned from.
    pub(super) fn open_ledger(&mut self, db: &Connection, options: &Options, next: u64) {
        self.opens_ledger_from = None;
        match TaskLedger::open(db, options, next) {
            Ok(ledger) => (self.ledger, self.ledger_trouble) = (ledger, None),
            Err(trouble) => {
                self.opens_ledger_from = trouble.retryable.then_some(next);
                self.ledger_trouble = Some(trouble.reason);
            }
        }
    }

    /// Opens the ledger at an idle moment, if it could not be opened for a reason that may have passed. Tells whether
    /// there is one.
    pub(super) fn has_ledger(&mut self, db: &Connection, options: &Options, is_idle: bool) -> bool {
        if let (Some(next), true) = (self.opens_ledger_from, is_idle) {
            without_waiting(|| self.open_ledger(db, options, next));
        }
        self.ledger.is_some()
    }

    /// State of the ledger.
    pub(super) fn ledger_figures(&self) -> LedgerFigures {
        match (&self.ledger, self.opens_ledger_from) {
            (Some(ledger), _) => ledger.figures(self.next),
            (None, Some(from)) => LedgerFigures {
                waits: self.ledger_trouble.clone(),
                behind: self.next.saturating_sub(from),
                ..LedgerFigures::default()
            },
            (None, None) => LedgerFigures {
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
        let ledger = self.ledger.as_mut()?;
        let may_try = ledger.may_try(is_idle);
        // The next delivery finds out what others wrote, too. What is known is written when nobody waits.
        let is_due = |this: &Self| is_idle && (this.is_ahead_of_file() || this.others_wrote(db));
        if !may_try || !(has_more(self) || is_due(self)) {
            self.last_turn = self.next;
            return None;
        }
        let done = self.write(db, &[], received_ms);
        self.last_turn = self.next;
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

    /// The event up to which the ledger needs none any more; `None` if it needs none at all, or cannot say.
    pub(super) fn read_for_good(&self) -> Option<u64> {
        self.ledger.as_ref().and_then(TaskLedger::read_for_good)
    }

    fn is_ahead_of_file(&self) -> bool {
        let ledger = self.ledger.as_ref();
        ledger.is_some_and(TaskLedger::is_ahead_of_file)
    }

    /// Writes what the ledger knows, before the file is closed. Without it, the next start reads some events again.
    pub(super) fn save_ledger(&mut self, db: &Connection) {
        if let Some(ledger) = &mut self.ledger {
            let _read_again = without_waiting(|| unless_it_panics(|| ledger.save(db)));
        }
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
        facts: &MessageFacts,
        left: &mut Budget,
    ) -> rusqlite::Result<Consequences> {
        let next = self.next;
        let Some(ledger) = &mut self.ledger else {
            return Ok(Consequences::default());
        };
        let followed = unless_it_panics(|| ledger.follow(db, next, facts, left));
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
            } else if let Some(ledger) = &mut self.ledger {
                ledger.was_told_before();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::task_ledger::tables::LEARNED;
    use crate::schema;
    use crate::sqlite::setting;
    use labelrelay_core::config::Config;
    use labelrelay_core::derive::Derivation;
    use labelrelay_testkit::clock::FakeClock;
    use std::sync::Arc;

    /// Red if an error that passes turns the ledger off until the next start, or if what came meanwhile counts as what was
    /// there before the ledger.
    #[test]
    fn a_ledger_that_could_not_be_opened_is_opened_later() {
        let dir = tempfile::TempDir::new().unwrap();
        let db = schema::new_in(&dir);
        let secret = |name: &str| {
            (name == "LABEL_STUDIO_WEBHOOK_SECRET").then(|| "0123456789abcdef".to_owned())
        };
        let config = Config::from_environment("/".into(), &secret).unwrap();
        let options = Options {
            derivation: Derivation::of(&config.unwrap().sources).map(Arc::new),
            ..Options::default()
        };
        db.pragma_update(None, "query_only", true).unwrap();
        let mut sequencer =
            Sequencer::read(&db, &options, &FakeClock::at("2026-11-21T12:00:00Z")).unwrap();
        let figures = sequencer.ledger_figures();
        assert!(
            figures.waits.is_some() && figures.off.is_none(),
            "{figures:?}"
        );
        sequencer.next += 3;
        assert!(!sequencer.has_ledger(&db, &options, true));
        db.pragma_update(None, "query_only", false).unwrap();
        assert!(
            !sequencer.has_ledger(&db, &options, false),
            "no delivery waits for it"
        );
        assert!(sequencer.has_ledger(&db, &options, true));
        assert_eq!(setting(&db, LEARNED).unwrap(), Some(0));
        let figures = sequencer.ledger_figures();
        assert_eq!(
            (figures.waits, figures.off, figures.behind),
            (None, None, 3)
        );
    }
}
