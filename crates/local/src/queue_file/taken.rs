//! Messages that one receive takes, in its transaction.

use super::dead_letters::count_dead;
use super::delivery::{Delivery, MAX_VISIBILITY, receipt};
use super::received::{KnownDamage, Met};
use super::{Received, columns};
use crate::queue_file_error::FileError;
use crate::sqlite::{ms, set_setting, setting};
use crate::sqlite_error::is_damage;
use rusqlite::{Connection, OptionalExtension as _};
use std::ops::RangeInclusive;

/// Bytes of envelopes that one receive returns at most, beyond the first: they are in memory together.
const MAX_RECEIVE_BYTES: usize = 64 * 1024 * 1024;

/// Rounds of one receive that find nothing but messages that were received too often. Bounded, for the
/// owner waits meanwhile; what is left is buried by the next receive.
const BURIALS: usize = 10;

/// Unreadable events that one transaction makes dead letters of at most.
const BURIED_AT_ONCE: u64 = 1000;

/// Messages that one receive has taken so far.
pub(super) struct Taken<'a> {
    now: i64,
    visible: i64,
    bytes: usize,
    damage: &'a KnownDamage,
    pub(super) received: Received,
    /// Events that could not be read, and are dead letters now.
    buried: u64,
    /// More cannot be read than one transaction goes around.
    pub(super) is_cut_off: bool,
    /// Damage that is not known yet. It ends this attempt.
    pub(super) met: Option<Met>,
}

impl<'a> Taken<'a> {
    /// Nothing so far; what is taken is hidden until `visible`.
    pub(super) fn new(now: i64, visible: i64, damage: &'a KnownDamage) -> Self {
        Self {
            now,
            visible,
            bytes: 0,
            damage,
            received: Received::default(),
            buried: 0,
            is_cut_off: false,
            met: None,
        }
    }

    /// Takes messages whose visibility ran out, soonest first, and makes dead letters of those that were
    /// received too often.
    pub(super) fn take_visible_again(
        &mut self,
        db: &Connection,
        max: usize,
    ) -> Result<(), FileError> {
        let limit = setting(db, "max_receives")?.unwrap_or(i64::MAX);
        for _ in 0..BURIALS {
            let visible = self.visible_again(db, max - self.received.deliveries.len())?;
            for (seq, before) in &visible {
                if self.is_full(max) {
                    break;
                } else if i64::from(*before) >= limit {
                    bury(db, *seq, self.now)?;
                } else if self.damage.has_again(seq.cast_unsigned()) {
                    let seq = seq.cast_unsigned();
                    self.bury_unreadable(db, seq..=seq)?;
                } else {
                    let mut read =
                        db.prepare_cached("SELECT envelope FROM events WHERE seq = ?1")?;
                    let envelope = read.query_row([seq], |row| columns::bytes(row, 0));
                    match envelope.optional() {
                        Ok(Some(envelope)) => self.take(db, *seq, *before, envelope)?,
                        // A file that was recovered may have lost the event, and kept this. Nothing can be received.
                        Ok(None) => {
                            db.prepare_cached("DELETE FROM deliveries WHERE seq = ?1")?
                                .execute([seq])?;
                        }
                        Err(error) => {
                            let met = Met::Again(seq.cast_unsigned());
                            return Err(self.meets(met, error));
                        }
                    }
                }
            }
            if visible.is_empty() || self.is_full(max) {
                break;
            }
        }
        Ok(())
    }

    /// Numbers and receive counts of messages whose visibility ran out; or that a clock which was set back
    /// would hide for too long. Two queries, for each of them is a range of the index, however many
    /// messages are in flight.
    fn visible_again(&self, db: &Connection, max: usize) -> rusqlite::Result<Vec<(i64, u32)>> {
        let mut found = Vec::new();
        let too_far = self.now.saturating_add(ms(MAX_VISIBILITY));
        for (range, bound) in [("visible_ms <= ?1", self.now), ("visible_ms > ?1", too_far)] {
            let find = format!(
                "SELECT seq, receive_count FROM deliveries WHERE state = 0 AND {range} ORDER BY visible_ms, seq LIMIT ?2"
            );
            let left = i64::try_from(max - found.len()).unwrap_or(i64::MAX);
            let mut find = db.prepare_cached(&find)?;
            for row in find.query_map([bound, left], |row| Ok((row.get(0)?, row.get(1)?)))? {
                found.push(row?);
            }
        }
        Ok(found)
    }

    /// Takes messages that no receive has reached, in order of arrival.
    pub(super) fn new_ones(&mut self, db: &Connection, max: usize) -> Result<(), FileError> {
        let through = setting(db, "received_through")?.unwrap_or(0);
        let mut last = through;
        if self.damage.is_ahead() {
            self.around_damage(&mut last, db, max)?;
        } else {
            self.in_order(&mut last, db, max)?;
        }
        if last > through {
            set_setting(db, "received_through", last)?;
        }
        Ok(())
    }

    fn in_order(&mut self, last: &mut i64, db: &Connection, max: usize) -> Result<(), FileError> {
        // Not `> last`: that would look for `last` first, where the file may be damaged.
        let mut find =
            db.prepare_cached("SELECT seq, envelope FROM events WHERE seq >= ?1 ORDER BY seq")?;
        let mut rows = find.query([last.saturating_add(1)])?;
        while !self.is_full(max) {
            let met = Met::New(last.cast_unsigned().saturating_add(1));
            let Some(row) = rows.next().map_err(|error| self.meets(met, error))? else {
                break;
            };
            let seq = row.get(0)?;
            if seq <= *last {
                return Err(self.meets(met, out_of_order(seq)));
            }
            self.take(db, seq, 0, columns::bytes(row, 1)?)?;
            *last = seq;
        }
        Ok(())
    }

    /// The same, one by one: a step from one to the next would touch the page behind it.
    fn around_damage(
        &mut self,
        last: &mut i64,
        db: &Connection,
        max: usize,
    ) -> Result<(), FileError> {
        let mut find = db.prepare_cached(
            "SELECT seq, envelope FROM events WHERE seq >= ?1 ORDER BY seq LIMIT 1",
        )?;
        while !self.is_full(max) {
            let next = last.cast_unsigned().saturating_add(1);
            if self.damage.ends_before(next) {
                break;
            }
            if let Some(end) = self.damage.gap_at(next) {
                let end = end.min(next.saturating_add(BURIED_AT_ONCE - 1));
                self.bury_unreadable(db, next..=end)?;
                *last = end.cast_signed();
                self.buried += end - next + 1;
                if self.buried >= BURIED_AT_ONCE {
                    self.is_cut_off = true;
                    break;
                }
                continue;
            }
            let found = find.query_row([next.cast_signed()], |row| {
                Ok((row.get(0)?, columns::bytes(row, 1)?))
            });
            let found = found.optional();
            let found = found.map_err(|error| self.meets(Met::New(next), error))?;
            let Some((seq, envelope)) = found else {
                break;
            };
            if seq <= *last {
                return Err(self.meets(Met::New(next), out_of_order(seq)));
            }
            self.take(db, seq, 0, envelope)?;
            *last = seq;
        }
        Ok(())
    }

    /// The error that ends this attempt, which remembers where it met damage.
    fn meets(&mut self, met: Met, error: rusqlite::Error) -> FileError {
        if is_damage(&error) {
            self.met = Some(met);
        }
        error.into()
    }

    fn bury_unreadable(
        &mut self,
        db: &Connection,
        numbers: RangeInclusive<u64>,
    ) -> rusqlite::Result<()> {
        let mut bury = db.prepare_cached(
            "INSERT INTO deliveries(seq, state, receive_count, visible_ms, changed_ms) VALUES(?1, 2, 0, 0, ?2)
             ON CONFLICT(seq) DO UPDATE SET state = 2, receipt = NULL, changed_ms = excluded.changed_ms",
        )?;
        let mut buried = 0;
        for seq in numbers.clone() {
            buried += bury.execute((seq.cast_signed(), self.now))?;
        }
        count_dead(db, buried)?;
        self.received.add_unreadable(numbers);
        Ok(())
    }

    fn is_full(&self, max: usize) -> bool {
        self.received.deliveries.len() >= max || self.bytes >= MAX_RECEIVE_BYTES
    }

    fn take(
        &mut self,
        db: &Connection,
        seq: i64,
        before: u32,
        envelope: Vec<u8>,
    ) -> Result<(), FileError> {
        let mut token = [0; 16];
        getrandom::fill(&mut token)
            .map_err(|error| FileError::System(std::io::Error::other(error)))?;
        let receive_count = before.saturating_add(1);
        db.prepare_cached(
            "INSERT INTO deliveries(seq, state, receive_count, visible_ms, changed_ms, receipt) VALUES(?1, 0, ?2, ?3, ?4, ?5)
             ON CONFLICT(seq) DO UPDATE SET receive_count = excluded.receive_count, visible_ms = excluded.visible_ms,
                                            changed_ms = excluded.changed_ms, receipt = excluded.receipt",
        )?
        .execute((seq, receive_count, self.visible, self.now, token))?;
        self.bytes += envelope.len();
        self.received.deliveries.push(Delivery {
            receipt: receipt(seq, token),
            receive_count,
            seq: seq.cast_unsigned(),
            envelope,
        });
        Ok(())
    }
}

/// A page in which the numbers are in no order: whoever followed it would go back, and hand out the same again.
fn out_of_order(seq: i64) -> rusqlite::Error {
    rusqlite::Error::IntegralValueOutOfRange(0, seq)
}

/// Makes a dead letter of a message.
fn bury(db: &Connection, seq: i64, now: i64) -> rusqlite::Result<usize> {
    db.prepare_cached(
        "UPDATE deliveries SET state = 2, receipt = NULL, changed_ms = ?2 WHERE seq = ?1",
    )?
    .execute((seq, now))
    .and_then(|buried| count_dead(db, buried))
}
