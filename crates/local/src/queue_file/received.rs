//! Messages that a receive takes, and the damage that it goes around.
//!
//! `SQLite` writes nothing more in a transaction that has read a damaged page. So a receive that meets one is taken back.
//! Then the damage is looked at outside of any transaction, and the receive begins again, knowing what not to touch.

use super::behind_damage::{readable_from, unless_damaged};
use super::{Delivery, QueueFile};
use crate::queue_file_error::FileError;
use rusqlite::{Connection, OptionalExtension as _};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

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

    /// Events that were taken or buried by transactions before one that failed: they are told all the same.
    pub(super) fn or_failed(mut self, error: FileError) -> Result<Self, FileError> {
        if self.deliveries.is_empty() && self.unreadable.is_empty() {
            return Err(error);
        }
        self.damage = Some(error);
        Ok(self)
    }

    pub(super) fn add_unreadable(&mut self, range: RangeInclusive<u64>) {
        match self.unreadable.last_mut() {
            Some(last) if last.end().saturating_add(1) == *range.start() => {
                *last = *last.start()..=*range.end();
            }
            _ => self.unreadable.push(range),
        }
    }
}

/// Place at which a receive met damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    /// An event that was received before.
    Again(u64),
    /// The next event that no receive has reached, or the page that it would be in.
    New(u64),
}

/// Events that were received before, of which one cannot be read, are looked at together: so many.
const LOOKED_AT_TOGETHER: i64 = 1000;

/// Damage that a receive met so far.
#[derive(Debug, Default)]
pub(super) struct KnownDamage {
    /// Events that were received before and cannot be read any more.
    again: BTreeSet<u64>,
    /// Numbers that no receive has reached. They have no gaps, so each is an event.
    new: Vec<RangeInclusive<u64>>,
    /// From this number on nothing can be read, and nobody knows how many there are.
    end: Option<u64>,
    /// Each event can be read by its number, but not one after the other.
    by_number: bool,
    /// Error with which `SQLite` said so first.
    pub(super) error: Option<FileError>,
}

impl KnownDamage {
    /// Tells whether damage lies among the events that no receive has reached.
    pub(super) fn is_ahead(&self) -> bool {
        self.by_number || !self.new.is_empty() || self.end.is_some()
    }

    pub(super) fn has_again(&self, seq: u64) -> bool {
        self.again.contains(&seq)
    }

    /// The last of the unreadable events that `seq` is one of.
    pub(super) fn gap_at(&self, seq: u64) -> Option<u64> {
        let gap = self.new.iter().find(|gap| gap.contains(&seq));
        gap.map(|gap| *gap.end())
    }

    pub(super) fn ends_before(&self, seq: u64) -> bool {
        self.end.is_some_and(|end| seq >= end)
    }

    /// Looks at what was met. Outside of a transaction.
    ///
    /// # Errors
    /// The damage itself, where it is none of an event; and whatever else is wrong.
    pub(super) fn look_at(
        &mut self,
        met: Met,
        damage: FileError,
        queue: &QueueFile,
    ) -> Result<(), FileError> {
        match met {
            Met::Again(seq) if self.has_again(seq) => return Err(damage),
            Met::Again(seq) => {
                self.again.insert(seq);
                self.again.extend(queue.unreadable_again()?);
            }
            Met::New(from) => {
                let behind =
                    queue.read(|db| Ok(readable_from(db, from, |seq| is_readable(db, seq))?))?;
                match behind {
                    Some(behind) if behind > from => self.new.push(from..=behind - 1),
                    Some(_) if !self.by_number => self.by_number = true,
                    // It can be read after all: something else cannot.
                    Some(_) => return Err(damage),
                    None => self.end = Some(from),
                }
            }
        }
        self.error.get_or_insert(damage);
        Ok(())
    }
}

impl QueueFile {
    /// Numbers of events in flight that cannot be read, of those that come back first. One transaction then buries all of
    /// them, and not one transaction each.
    fn unreadable_again(&self) -> Result<Vec<u64>, FileError> {
        self.read(|db| {
            let mut find = db.prepare_cached(
                "SELECT seq FROM deliveries WHERE state = 0 ORDER BY visible_ms, seq LIMIT ?1",
            )?;
            let numbers = find.query_map([LOOKED_AT_TOGETHER], |row| row.get(0))?;
            let mut unreadable = Vec::new();
            for seq in numbers {
                let seq: i64 = seq?;
                let seq = seq.cast_unsigned();
                if read_event(db, seq)? == Event::Damaged {
                    unreadable.push(seq);
                }
            }
            Ok(unreadable)
        })
    }
}

fn is_readable(db: &Connection, seq: u64) -> rusqlite::Result<bool> {
    Ok(read_event(db, seq)? == Event::Whole)
}

/// State of one event in the file.
#[derive(PartialEq, Eq)]
enum Event {
    Whole,
    Damaged,
    Absent,
}

fn read_event(db: &Connection, seq: u64) -> rusqlite::Result<Event> {
    let read = db
        .prepare_cached("SELECT envelope FROM events WHERE seq = ?1")?
        .query_row([seq.cast_signed()], |row| row.get_ref(0).map(drop))
        .optional();
    Ok(match unless_damaged(read)? {
        Some(Some(())) => Event::Whole,
        Some(None) => Event::Absent,
        None => Event::Damaged,
    })
}
