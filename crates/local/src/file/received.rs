//! Messages that a receive takes, and the damage that it goes around.

use super::Delivery;
use super::behind_damage::{readable_from, unless_damaged};
use super::dead_letters::count_dead;
use crate::queue_file_error::FileError;
use rusqlite::{Connection, OptionalExtension as _};
use std::ops::RangeInclusive;

/// Unreadable events that one transaction makes dead letters of at most: the owner waits meanwhile.
pub(super) const BURIED_AT_ONCE: u64 = 1000;

/// Result of a receive from a file of which some cannot be read. `Debug` shows no envelope and no receipt.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Received {
    /// Messages, taken for a while.
    pub deliveries: Vec<Delivery>,
    /// Numbers of events that cannot be read, and are dead letters now. They are not acknowledged: where the file is
    /// mended, they can be made ready again.
    pub unreadable: Vec<RangeInclusive<u64>>,
    /// The damage that hides them, or that hides what comes after the last delivery.
    pub damage: Option<FileError>,
}

impl Received {
    /// Adds what a second receive took.
    pub(super) fn extend(&mut self, other: Self) {
        self.deliveries.extend(other.deliveries);
        for range in other.unreadable {
            self.add_unreadable(range);
        }
        self.damage = self.damage.take().or(other.damage);
    }

    fn add_unreadable(&mut self, range: RangeInclusive<u64>) {
        match self.unreadable.last_mut() {
            Some(last) if last.end().saturating_add(1) == *range.start() => {
                *last = *last.start()..=*range.end();
            }
            _ => self.unreadable.push(range),
        }
    }

    /// Makes a dead letter of one that was received before and can no longer be read.
    pub(super) fn bury(
        &mut self,
        db: &Connection,
        seq: u64,
        now: i64,
        damage: FileError,
    ) -> rusqlite::Result<()> {
        bury(db, seq..=seq, now)?;
        self.add_unreadable(seq..=seq);
        self.damage.get_or_insert(damage);
        Ok(())
    }

    /// Makes dead letters of the events from `from` on that cannot be read, up to the next one that can. Numbers that no
    /// receive has reached have no gaps, so each of these is an event. Returns the last of them; `None` if nothing can be
    /// read behind them, so that nobody knows how many they are.
    pub(super) fn go_around(
        &mut self,
        db: &Connection,
        from: u64,
        now: i64,
        damage: FileError,
    ) -> rusqlite::Result<Option<u64>> {
        self.damage.get_or_insert(damage);
        let Some(behind) = readable_from(db, from, |seq| is_readable(db, seq))? else {
            return Ok(None);
        };
        let last = behind
            .saturating_sub(1)
            .min(from.saturating_add(BURIED_AT_ONCE - 1));
        if from <= last {
            bury(db, from..=last, now)?;
            self.add_unreadable(from..=last);
        }
        Ok(Some(last))
    }
}

fn is_readable(db: &Connection, seq: u64) -> rusqlite::Result<bool> {
    let read = db
        .prepare_cached("SELECT length(envelope), id, envelope FROM events WHERE seq = ?1")?
        .query_row([seq.cast_signed()], |row| row.get_ref(2).map(drop))
        .optional();
    Ok(unless_damaged(read)?.flatten().is_some())
}

fn bury(db: &Connection, numbers: RangeInclusive<u64>, now: i64) -> rusqlite::Result<()> {
    let mut bury = db.prepare_cached(
        "INSERT INTO deliveries(seq, state, receive_count, visible_ms, changed_ms) VALUES(?1, 2, 0, 0, ?2)
         ON CONFLICT(seq) DO UPDATE SET state = 2, receipt = NULL, changed_ms = excluded.changed_ms",
    )?;
    let mut buried = 0;
    for seq in numbers {
        buried += bury.execute((seq.cast_signed(), now))?;
    }
    count_dead(db, buried).map(drop)
}
