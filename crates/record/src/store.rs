//! The file, for the one thread that moves deliveries into it.

use crate::bounds;
use crate::class::{Class, PerClass};
use crate::entry::Entry;
use crate::error::{Failure, RecordError};
use crate::intake::{Done, Intake, Load, Sink};
use crate::journal;
use crate::moved;
use crate::needed::Oldest;
use crate::open::{self, begin};
use crate::totals::{self, Totals, bound, length};
use rusqlite::{Connection, params};
use std::path::{Path, PathBuf};

/// Rows that one transaction removes at least as far as it has to: a bound that was lowered is reached in steps.
const REMOVED_AT_ONCE: usize = 2000;

const INSERT: &str = "
INSERT INTO deliveries(
    number, class, arrived_ms, bytes, status, flags, body_bytes, elapsed_us, queue_us, outcome, source, event_id,
    event_type, subject, project, delivery_id, verified_by, client, body_sha256, method, path, reason, head)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)
";

pub(crate) struct Store {
    db: Connection,
    path: PathBuf,
}

impl Store {
    /// The file at `path`, made when there is none.
    pub(crate) fn open(path: &Path) -> Result<Self, RecordError> {
        Ok(Self {
            db: open::to_write(path)?,
            path: path.to_owned(),
        })
    }

    /// Number of the last delivery that was moved into it.
    pub(crate) fn moved(&self) -> Result<i64, RecordError> {
        moved::read(&self.db).map_err(|source| RecordError::of(&self.path, source))
    }

    /// Ends what somebody was killed at who took an address out of the journal.
    pub(crate) fn finish_forgetting(&self) -> Result<(), RecordError> {
        if !journal::is_half_rewritten(&self.path) {
            return Ok(());
        }
        let finish = || -> Result<(), Failure> {
            let _transaction = begin(&self.db)?;
            journal::finish_rewriting(&self.path)?;
            Ok(())
        };
        finish().map_err(|failure| failure.of(&self.path))
    }

    /// Takes rows out of the journal, notes how many were lost on the way there, and removes what is too much or too
    /// old: in one transaction.
    pub(crate) fn take_in(&self, load: &Load<'_>) -> Result<Done, RecordError> {
        self.in_one_transaction(load)
            .map_err(|failure| failure.of(&self.path))
    }

    fn in_one_transaction(&self, load: &Load<'_>) -> Result<Done, Failure> {
        // The journal is read behind the lock: whoever takes an address out of it has the lock, too.
        let transaction = begin(&self.db)?;
        let before = totals::read(&transaction)?;
        let from = moved::read(&transaction)?;
        let oldest_ms = load.oldest_ms();
        let rows = Rows {
            db: &transaction,
            all: before,
        };
        let taken = Intake::new(rows, &self.path, load, from).run()?;
        let later = taken.later;
        let (Rows { mut all, .. }, mut done) = (taken.sink, taken.done);
        all.verified.lost = all.verified.lost.saturating_add(taken.missed);
        let most = REMOVED_AT_ONCE.max(done.inserted.saturating_mul(2));
        for class in Class::ALL {
            let sums = all.of_mut(class);
            sums.lost = sums.lost.saturating_add(bound(*load.lost.of(class)));
            let limits = load.options.limits(class);
            bounds::enforce(&transaction, class, sums, limits, oldest_ms, most)?;
        }
        done.oldest = Some(match bounds::oldest_ms(&transaction, Class::Verified)? {
            Some(ms) => Oldest::At(ms),
            None if later.verified.rows > 0 => Oldest::InTheJournal,
            None => Oldest::NoneAt(load.now_ms),
        });
        if all == before && done.moved == from {
            // Nothing was written, so nothing has to be.
            transaction.rollback()?;
            return Ok(done);
        }
        totals::write(&transaction, &all)?;
        moved::write(&transaction, done.moved)?;
        transaction.commit()?;
        Ok(done)
    }
}

/// A transaction under way.
struct Rows<'a> {
    db: &'a Connection,
    all: PerClass<Totals>,
}

impl Sink for Rows<'_> {
    fn insert(&mut self, number: i64, entry: &Entry<'_>) -> Result<(), Failure> {
        let class = entry.class();
        let bytes = length(entry.bytes());
        self.db.prepare_cached(INSERT)?.execute(params![
            number,
            class.number(),
            entry.arrived_ms,
            bytes,
            entry.status,
            entry.flags,
            entry.body_bytes,
            entry.elapsed_us,
            entry.queue_us,
            entry.outcome,
            entry.source,
            entry.event_id,
            entry.event_type,
            entry.subject,
            entry.project,
            entry.delivery_id,
            entry.verified_by,
            entry.client,
            entry.body_sha256().as_deref(),
            entry.method,
            entry.path,
            entry.reason,
            entry.head,
        ])?;
        let sums = self.all.of_mut(class);
        sums.deliveries += 1;
        sums.bytes += bytes;
        if let Some(start) = entry.body_start {
            self.db
                .prepare_cached("INSERT INTO bodies(number, class, start) VALUES (?1, ?2, ?3)")?
                .execute((number, class.number(), start))?;
            sums.body_bytes += length(start.len());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
