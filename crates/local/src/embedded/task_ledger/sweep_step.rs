//! One step of a sweep: some of what the ledger knows is looked at, and removed where it is of no more use.

use super::TaskLedger;
use super::sweep::KEPT;
use super::sweep_look::{next_rows, remove};
use jiff::Timestamp;
use labelrelay_core::time;
use rusqlite::Connection;
use std::time::Duration;

impl TaskLedger {
    /// Looks at some of what it knows, if it is time. `now` is monotonic.
    pub(in crate::embedded) fn sweep(
        &mut self,
        db: &Connection,
        now: Duration,
        today: Timestamp,
        is_idle: bool,
    ) -> rusqlite::Result<()> {
        if self.waits.is_some() || !self.sweep.is_due(now, is_idle) {
            return Ok(());
        }
        // It goes by what is in the file. Knowledge that may be read again stays, so nothing shall be.
        self.save(db)?;
        self.recent.forget();
        let mut look = match self.sweep.look.take() {
            Some(look) => look,
            None => self.sweep.begin(self.marked),
        };
        let cutoff = today
            .checked_sub(KEPT)
            .map_or_else(|_| String::new(), time::sequence);
        let rows = next_rows(db, &look.after)?;
        let is_all = rows.is_empty();
        if let Some(last) = rows.last() {
            look.after.clone_from(&last.key);
        }
        let mut goes = std::mem::take(&mut look.undone);
        let mut forgets = std::mem::take(&mut look.forgets);
        for row in rows {
            forgets |= look.decide(db, row, &cutoff, &mut goes)?;
        }
        if is_all {
            goes.append(&mut look.last);
        }
        if !goes.is_empty() {
            let gaps = forgets.then(|| self.gaps.max(1));
            if let Err(error) = remove(db, &goes, look.marked, gaps.map(u64::cast_signed)) {
                (look.undone, look.forgets) = (goes, forgets);
                self.sweep.look = Some(look);
                return Err(error);
            }
            self.gaps = gaps.unwrap_or(self.gaps);
        }
        if is_all {
            self.sweep.end(look, now);
        } else {
            self.sweep.look = Some(look);
        }
        Ok(())
    }
}
