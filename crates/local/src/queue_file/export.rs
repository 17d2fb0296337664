//! Exports all events that are held, in order of arrival, without taking them.

use super::behind_damage::{gap_from, readable_from, unless_damaged};
use super::event::{StoredEvent, stored};
use super::{Filter, QueueFile};
use crate::queue_file_error::FileError;
use std::collections::VecDeque;

/// A page of an export ends when it holds this much: pages lie in memory, and a transaction that reads
/// for long keeps the journal from being begun anew.
const PAGE_EVENTS: usize = 256;
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// Iterates over events in order of arrival. Events that arrive meanwhile are included. Where the file is damaged,
/// one [`FileError::Damaged`] stands for what cannot be read, and what lies behind it follows. Where the states of events
/// cannot be read, all pass for ready.
#[derive(Debug)]
pub struct Export<'a> {
    queue: &'a QueueFile,
    filter: Filter,
    page: VecDeque<StoredEvent>,
    /// Told when the page is used up.
    damage: Option<FileError>,
    ended: bool,
}

impl QueueFile {
    /// Exports without consuming: events that pass `filter`, in order of arrival.
    pub const fn export(&self, mut filter: Filter) -> Export<'_> {
        filter.newest_first = false;
        Export {
            queue: self,
            filter,
            page: VecDeque::new(),
            damage: None,
            ended: false,
        }
    }
}

impl QueueFile {
    /// Reads every row of the states. An error that passes is no damage.
    fn deliveries_are_damaged(&self) -> Result<bool, FileError> {
        let sql = "SELECT coalesce(sum(length(receipt) + state), 0) FROM deliveries NOT INDEXED";
        self.read(|db| {
            let sum = db.query_row(sql, [], |row| row.get::<_, i64>(0));
            Ok(unless_damaged(sum)?.is_none())
        })
    }
}

impl Export<'_> {
    fn read(&mut self) -> Result<(), FileError> {
        let Self { filter, page, .. } = self;
        let (mut bytes, mut is_full) = (0, false);
        let read = self.queue.each(filter, "e.envelope", |row| {
            let event = stored(row)?;
            bytes += event.envelope.len();
            page.push_back(event);
            is_full = page.len() >= PAGE_EVENTS || bytes >= PAGE_BYTES;
            Ok(!is_full)
        });
        self.ended = !is_full;
        if let Some(last) = self.page.back() {
            self.filter.after = Some(last.event.seq);
        }
        match read {
            Err(damage @ FileError::Damaged { .. }) => {
                self.damage = Some(damage);
                self.go_behind_the_damage()
            }
            other => other,
        }
    }

    /// Goes on with the first event behind the next one that cannot be read. If it is the states of events that cannot
    /// be read, goes on without them, as if no event had been received: better twice than not at all.
    fn go_behind_the_damage(&mut self) -> Result<(), FileError> {
        let queue = self.queue;
        let from = self.filter.after.unwrap_or(0).saturating_add(1);
        let is_readable = |db: &_, seq| queue.is_readable(db, seq);
        let gap = queue.read(|db| Ok(gap_from(db, from, |seq| is_readable(db, seq))?))?;
        let is_of_the_states = match gap {
            Some(gap) => queue.read(|db| Ok(queue.is_readable_without_state(db, gap)?))?,
            None => queue.deliveries_are_damaged()?,
        };
        if is_of_the_states && !queue.ignores_deliveries.replace(true) {
            self.ended = false;
            return Ok(());
        }
        let behind = match gap {
            Some(gap) => {
                queue.read(|db| Ok(readable_from(db, gap, |seq| is_readable(db, seq))?))?
            }
            None => None,
        };
        self.ended = behind.is_none();
        if let Some(behind) = behind {
            self.filter.after = Some(behind.saturating_sub(1));
        }
        Ok(())
    }
}

impl Iterator for Export<'_> {
    type Item = Result<StoredEvent, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.is_empty()
            && self.damage.is_none()
            && !self.ended
            && let Err(error) = self.read()
        {
            self.ended = true;
            return Some(Err(error));
        }
        match self.page.pop_front() {
            Some(event) => Some(Ok(event)),
            None => self.damage.take().map(Err),
        }
    }
}
