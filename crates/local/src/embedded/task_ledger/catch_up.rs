//! Takes in what is in the file already, in the order in which it is there.

use super::damage::is_one_row;
use super::{Budget, TaskLedger, rest};
use crate::sqlite_error::is_damage;
use labelrelay_core::OutboundMessage;
use labelrelay_core::derive::Told;
use rusqlite::{Connection, OptionalExtension as _};

/// Events that one transaction reads, and numbers that it looks at for them.
const READ_AT_A_TIME: usize = 200;
const LOOKED_AT: u64 = 2000;
const READ_BYTES: usize = 2 * 1024 * 1024;

/// An event of more is not read, so that the ledger's memory has a bound: about 130,000 ids.
const LARGEST_READ: i64 = 2 * 1024 * 1024;

impl TaskLedger {
    /// Does some of the work for which no delivery waits. `next` is the number of the event to come.
    pub(in crate::embedded) fn catch_up(
        &mut self,
        db: &Connection,
        next: u64,
        left: &mut Budget,
    ) -> rusqlite::Result<Vec<OutboundMessage>> {
        let mut derived = self.do_rest(db, left)?;
        if !self.has_rest && !left.is_spent() {
            derived.append(&mut self.read_on(db, next, left)?);
        }
        self.must_mark |= self.reading != self.marked;
        Ok(derived)
    }

    /// Reads events that are not taken in yet.
    fn read_on(
        &mut self,
        db: &Connection,
        next: u64,
        left: &mut Budget,
    ) -> rusqlite::Result<Vec<OutboundMessage>> {
        let mut derived = Vec::new();
        let end = next.min(self.reading.saturating_add(1 + LOOKED_AT));
        let numbers = self.numbers(db, end)?;
        let is_all = numbers.len() < READ_AT_A_TIME;
        let mut bytes = 0;
        for seq in numbers {
            if left.is_spent() || self.has_rest || bytes > READ_BYTES {
                return Ok(derived);
            }
            let (told, read) = self.read_event(db, seq)?;
            bytes += read;
            if let Some(told) = told {
                derived.append(&mut self.apply(db, seq, &told, left)?);
            }
            self.reading = seq;
        }
        if is_all && !self.has_rest {
            self.reading = self.reading.max(end - 1);
        }
        Ok(derived)
    }

    /// Numbers of the events before `end` that may tell something.
    fn numbers(&self, db: &Connection, end: u64) -> rusqlite::Result<Vec<u64>> {
        db.prepare_cached(
            "SELECT seq FROM events
             WHERE seq > ?1 AND seq < ?2
                 AND (type GLOB '*.annotation.*' OR type GLOB '*.task.*' OR type GLOB '*.project.deleted')
             ORDER BY seq LIMIT ?3",
        )?
        .query_map(
            (
                self.reading.cast_signed(),
                end.cast_signed(),
                i64::try_from(READ_AT_A_TIME).unwrap_or(i64::MAX),
            ),
            |row| row.get::<_, i64>(0).map(i64::cast_unsigned),
        )?
        .collect()
    }

    /// Statements of an event, and its size. One that is damaged tells nothing: nobody can read it.
    fn read_event(&self, db: &Connection, seq: u64) -> rusqlite::Result<(Option<Told>, usize)> {
        let read = db
            .prepare_cached(
                "SELECT CASE WHEN length(envelope) <= ?2 THEN envelope END FROM events WHERE seq = ?1",
            )?
            .query_row((seq.cast_signed(), LARGEST_READ), |row| {
                let envelope = row.get_ref(0)?.as_blob_or_null()?.unwrap_or_default();
                Ok((self.derivation.read_envelope(envelope), envelope.len()))
            })
            .optional();
        match read {
            Ok(read) => Ok(read.unwrap_or_default()),
            Err(error) if is_damage(&error) || is_one_row(&error) => Ok((None, 0)),
            Err(error) => Err(error),
        }
    }

    /// Does some of what was left.
    fn do_rest(
        &mut self,
        db: &Connection,
        left: &mut Budget,
    ) -> rusqlite::Result<Vec<OutboundMessage>> {
        let mut derived = Vec::new();
        while self.has_rest && !left.is_spent() {
            let Some((number, kept)) = rest::first(db)? else {
                self.has_rest = false;
                break;
            };
            let Some(kept) = kept else {
                rest::remove(db, number)?;
                self.note_forgotten(db, 1)?;
                continue;
            };
            let mut work = self.work(db, &kept.told.cause, kept.seq, *left);
            let rest = work.all(&kept.told.statements)?;
            derived.append(&mut work.derived);
            *left = work.left;
            let forgot = work.forgot;
            rest::replace(db, number, &kept.told.cause, rest)?;
            self.note_forgotten(db, forgot)?;
        }
        Ok(derived)
    }
}
