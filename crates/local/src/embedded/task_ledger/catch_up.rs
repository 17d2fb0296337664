//! Takes in what is in the file already, in the order in which it is there.

use super::damage::is_one_row;
use super::{Budget, TaskLedger, rest};
use crate::sqlite_error::is_damage;
use labelrelay_core::OutboundMessage;
use labelrelay_core::derive::EventFacts;
use rusqlite::{Connection, OptionalExtension as _};

/// Events that one transaction reads, and numbers that it looks at for them.
const READ_AT_A_TIME: usize = 1000;
const LOOKED_AT: u64 = 2000;
/// Twice the bytes of a group of deliveries, for the same reason as the [budget](Budget::alone)'s.
const READ_BYTES: usize = 8 * 1024 * 1024;

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
        // What was left is done, and in the file no more: so what it stated has to be there.
        self.must_mark |= self.reading != self.marked || self.recent.is_ahead();
        Ok(derived)
    }

    /// Reads events that are not taken in yet.
    fn read_on(
        &mut self,
        db: &Connection,
        next: u64,
        left: &mut Budget,
    ) -> rusqlite::Result<Vec<OutboundMessage>> {
        let end = next.min(self.reading.saturating_add(1 + LOOKED_AT));
        let numbers = self.numbers(db, end)?;
        let is_all = numbers.len() < READ_AT_A_TIME;
        let last = numbers.last().copied().unwrap_or(self.reading);
        let before = self.reading;
        let missing = missing(db, before, if is_all { end - 1 } else { last })?;
        if let Some(highest) = missing.highest {
            self.note_gaps(db, highest)?;
        }
        let (derived, is_done) = self.read_these(db, numbers, left)?;
        if is_all && is_done {
            self.reading = self.reading.max(end - 1);
        }
        if missing.highest.is_some() {
            self.misses += self::missing(db, before, self.reading)?.events;
        }
        Ok(derived)
    }

    /// Reads events as far as there is time; `true` if that is all of them.
    fn read_these(
        &mut self,
        db: &Connection,
        numbers: Vec<u64>,
        left: &mut Budget,
    ) -> rusqlite::Result<(Vec<OutboundMessage>, bool)> {
        let mut derived = Vec::new();
        let mut bytes = 0;
        for seq in numbers {
            if left.is_spent() || self.has_rest || bytes > READ_BYTES {
                return Ok((derived, false));
            }
            let (event, read) = self.read_event(db, seq)?;
            bytes += read;
            if let Some(event) = event {
                let follows = self.apply(db, seq, &event, left)?;
                derived.append(&mut unless_written(db, seq, follows)?);
            }
            self.reading = seq;
        }
        Ok((derived, !self.has_rest))
    }

    /// Numbers of the events before `end` that may state facts.
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

    /// Facts of an event, and its size. One that is damaged states none: nobody can read it.
    fn read_event(
        &self,
        db: &Connection,
        seq: u64,
    ) -> rusqlite::Result<(Option<EventFacts>, usize)> {
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
            let mut work = self.work(db, &kept.event.cause, kept.seq, *left);
            let room = work.whole_room();
            let rest = work.all(&kept.event.facts)?;
            let follows = std::mem::take(&mut work.derived);
            *left = work.left;
            let (forgot, grown) = (work.forgot, work.grown(room));
            self.grown += grown;
            derived.append(&mut unless_written(db, kept.seq, follows)?);
            rest::replace(db, number, &kept.event.cause, rest)?;
            self.note_forgotten(db, forgot)?;
        }
        Ok(derived)
    }
}

/// Those of the events that follow from event `seq` that are not in the queue. The ledger's own knowledge may be behind
/// the queue after a crash. It is so only where one event at most followed, and that was written next to its cause.
fn unless_written(
    db: &Connection,
    seq: u64,
    follows: Vec<OutboundMessage>,
) -> rusqlite::Result<Vec<OutboundMessage>> {
    let [event] = follows.as_slice() else {
        return Ok(follows);
    };
    let Some(next) = seq.checked_add(1) else {
        return Ok(follows);
    };
    let is_written = db
        .prepare_cached("SELECT 1 FROM events WHERE seq = ?1 AND id = ?2")?
        .exists((next.cast_signed(), event.id()))?;
    Ok(if is_written { Vec::new() } else { follows })
}

/// Events that are in the file no more, though nobody read them here: they were pruned.
struct Missing {
    events: u64,
    highest: Option<u64>,
}

/// Looks for events that are missing after `after` up to `through`. Numbers have no gaps but these.
fn missing(db: &Connection, after: u64, through: u64) -> rusqlite::Result<Missing> {
    let range = (after.cast_signed(), through.cast_signed());
    let there: i64 = db
        .prepare_cached("SELECT count(*) FROM events WHERE seq > ?1 AND seq <= ?2")?
        .query_row(range, |row| row.get(0))?;
    let events = through
        .saturating_sub(after)
        .saturating_sub(there.cast_unsigned());
    if events == 0 {
        return Ok(Missing {
            events,
            highest: None,
        });
    }
    let mut highest = through;
    let mut downwards =
        db.prepare_cached("SELECT seq FROM events WHERE seq > ?1 AND seq <= ?2 ORDER BY seq DESC")?;
    for seq in downwards.query_map(range, |row| row.get::<_, i64>(0))? {
        if seq?.cast_unsigned() != highest {
            break;
        }
        highest -= 1;
    }
    Ok(Missing {
        events,
        highest: Some(highest),
    })
}
