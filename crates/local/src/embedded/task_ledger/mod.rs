//! The ledger of tasks and annotations: what the queue's own events told, kept in the queue file and in the very
//! transactions that bring events in, so that more can be derived from them.
//!
//! It never stops a delivery. What it cannot read turns it off until the next start, and nothing is derived then.

mod annotation;
mod deletion;
mod rest;
mod tables;
mod task;
mod work;

use super::options::Options;
use crate::sqlite::{set_setting, setting};
use labelrelay_core::OutboundMessage;
use labelrelay_core::QueueLimits;
use labelrelay_core::derive::{Cause, Derivation, Told};
use labelrelay_core::told::Statement;
use rusqlite::{Connection, ErrorCode};
use std::sync::Arc;
use work::Work;

/// Statements and derived events that one transaction has time for, so that no delivery waits for a deletion of a
/// hundred thousand. What is left is kept in the file, and done in the next ones.
const AT_A_TIME: usize = 1000;

/// Events of others that one transaction reads.
const READ_AT_A_TIME: usize = 200;
const READ_BYTES: usize = 4 * 1024 * 1024;

/// The mark up to which the queue was read is moved so often. What is read again changes nothing.
const MARK_EVERY: u64 = 1000;

/// The ledger, as its writer has it.
pub(super) struct TaskLedger {
    derivation: Arc<Derivation>,
    limits: QueueLimits,
    /// The queue was read up to this event.
    through: u64,
    marked: u64,
    /// Events up to this one came before the ledger: it learns from them, and derives nothing.
    learned: u64,
    has_rest: bool,
}

/// Consequences of one event.
#[derive(Default)]
pub(super) struct Consequences {
    /// The task of all annotations that it says are gone.
    pub(super) task: Option<i64>,
    /// Events that follow from it.
    pub(super) derived: Vec<OutboundMessage>,
}

impl TaskLedger {
    /// Opens the ledger in the queue file, and makes it when there is none. `next` is the number of the event to come.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub(super) fn open(
        db: &Connection,
        options: &Options,
        next: u64,
    ) -> Result<Option<Self>, String> {
        let Some(derivation) = &options.derivation else {
            return Ok(None);
        };
        tables::make(db, next - 1)?;
        let mark = |name: &str| -> Result<u64, String> {
            let value = setting(db, name).map_err(|error| error.to_string())?;
            Ok(value.unwrap_or(0).cast_unsigned())
        };
        let through = mark(tables::THROUGH)?;
        Ok(Some(Self {
            derivation: Arc::clone(derivation),
            limits: QueueLimits::bytes(options.max_message_bytes),
            through,
            marked: through,
            learned: mark(tables::LEARNED)?,
            has_rest: rest::first(db)
                .map_err(|error| error.to_string())?
                .is_some(),
        }))
    }

    /// Tells whether there is something to do besides what is delivered.
    pub(super) fn has_work(&self, next: u64) -> bool {
        self.has_rest || self.through + 1 < next
    }

    /// Applies what event `seq` tells, which is written in this transaction.
    pub(super) fn apply(
        &mut self,
        db: &Connection,
        seq: u64,
        told: &Told,
        left: &mut usize,
    ) -> rusqlite::Result<Consequences> {
        let task = match told.statements.as_slice() {
            [Statement::AnnotationsGone { ids, .. }] if !told.cause.is_fetched => {
                deletion::only_task(db, &told.cause.source, ids)?
            }
            _ => None,
        };
        // Nothing overtakes what waits, so that what was told first counts first.
        if self.has_rest {
            *left = left.saturating_sub(1);
            rest::keep(db, seq, &told.cause, told.statements.clone())?;
            return Ok(Consequences {
                task,
                derived: Vec::new(),
            });
        }
        let mut work = self.work(db, &told.cause, seq, *left);
        let rest = work.all(&told.statements)?;
        let (derived, remains) = (work.derived, work.left);
        *left = remains;
        if !rest.is_empty() {
            rest::keep(db, seq, &told.cause, rest)?;
            self.has_rest = true;
        }
        Ok(Consequences { task, derived })
    }

    /// Reads what others wrote into the file since, in the order in which it is there.
    pub(super) fn catch_up(
        &mut self,
        db: &Connection,
        next: u64,
        left: &mut usize,
    ) -> rusqlite::Result<Vec<OutboundMessage>> {
        let mut derived = Vec::new();
        if self.through + 1 >= next {
            return Ok(derived);
        }
        let mut read = db.prepare_cached(
            "SELECT seq, envelope FROM events
             WHERE seq > ?1 AND seq < ?2 AND (type GLOB '*.annotation.*' OR type GLOB '*.task.*')
             ORDER BY seq LIMIT ?3",
        )?;
        let range = (
            self.through.cast_signed(),
            next.cast_signed(),
            i64::try_from(READ_AT_A_TIME).unwrap_or(i64::MAX),
        );
        let mut rows = read.query(range)?;
        let (mut count, mut bytes, mut last) = (0, 0, self.through);
        while let Some(row) = rows.next()? {
            let seq = row.get::<_, i64>(0)?.cast_unsigned();
            let envelope = row.get_ref(1)?.as_blob()?;
            (count, bytes, last) = (count + 1, bytes + envelope.len(), seq);
            if let Some(told) = self.derivation.read_envelope(envelope) {
                derived.append(&mut self.apply(db, seq, &told, left)?.derived);
            }
            if bytes > READ_BYTES {
                break;
            }
        }
        let is_all = count < READ_AT_A_TIME && bytes <= READ_BYTES;
        let through = if is_all { next - 1 } else { last };
        self.through = through;
        self.mark(db)?;
        Ok(derived)
    }

    /// Does some of what was left.
    pub(super) fn do_rest(
        &mut self,
        db: &Connection,
        left: &mut usize,
    ) -> rusqlite::Result<Vec<OutboundMessage>> {
        let mut derived = Vec::new();
        while *left > 0 {
            let Some(kept) = rest::first(db)? else {
                self.has_rest = false;
                break;
            };
            let mut work = self.work(db, &kept.told.cause, kept.seq, *left);
            let rest = work.all(&kept.told.statements)?;
            derived.append(&mut work.derived);
            *left = work.left;
            rest::replace(db, kept.number, &kept.told.cause, rest)?;
        }
        Ok(derived)
    }

    /// Everything up to event `last` was applied as it was written, and committed.
    pub(super) fn written(&mut self, first: u64, last: u64) {
        if self.through + 1 >= first {
            self.through = self.through.max(last);
        }
    }

    /// Reads again what was committed, which is not known.
    pub(super) fn doubt(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let through = setting(db, tables::THROUGH)?.unwrap_or(0).cast_unsigned();
        (self.through, self.marked) = (through, through);
        self.has_rest = rest::first(db)?.is_some();
        Ok(())
    }

    /// Tells whether the mark is so far behind that it is worth a page.
    pub(super) fn mark_if_due(&mut self, db: &Connection) -> rusqlite::Result<()> {
        if self.through >= self.marked + MARK_EVERY {
            self.mark(db)?;
        }
        Ok(())
    }

    fn mark(&mut self, db: &Connection) -> rusqlite::Result<()> {
        set_setting(db, tables::THROUGH, self.through.cast_signed())?;
        self.marked = self.through;
        Ok(())
    }

    fn work<'a>(&'a self, db: &'a Connection, cause: &'a Cause, seq: u64, left: usize) -> Work<'a> {
        Work {
            db,
            derivation: &self.derivation,
            limits: self.limits,
            cause,
            seq: seq.cast_signed(),
            is_silent: seq <= self.learned,
            left,
            derived: Vec::new(),
        }
    }
}

/// The statements and events that one transaction has time for.
pub(super) const fn budget() -> usize {
    AT_A_TIME
}

/// Tells whether an error is about the ledger alone, so that events can be written without it.
pub(super) fn is_its_own(error: &rusqlite::Error) -> bool {
    !matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::OperationInterrupted
                | ErrorCode::SystemIoFailure
                | ErrorCode::OutOfMemory
                | ErrorCode::ReadOnly
        )
    )
}
