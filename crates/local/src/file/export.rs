//! Exports all events that are held, in order of arrival, without taking them.

use super::event::{StoredEvent, stored};
use super::{Filter, QueueFile};
use crate::queue_file_error::FileError;
use std::collections::VecDeque;

/// A page of an export ends when it holds this much: pages lie in memory, and a transaction that reads
/// for long keeps the journal from being begun anew.
const PAGE_EVENTS: usize = 256;
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// Iterates over events in order of arrival. Events that arrive meanwhile are included.
#[derive(Debug)]
pub struct Export<'a> {
    queue: &'a QueueFile,
    filter: Filter,
    page: VecDeque<StoredEvent>,
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
            ended: false,
        }
    }
}

impl Export<'_> {
    fn read(&mut self) -> Result<(), FileError> {
        let Self { filter, page, .. } = self;
        let (mut bytes, mut is_full) = (0, false);
        self.queue.each(filter, "e.envelope", |row| {
            let event = stored(row)?;
            bytes += event.envelope.len();
            page.push_back(event);
            is_full = page.len() >= PAGE_EVENTS || bytes >= PAGE_BYTES;
            Ok(!is_full)
        })?;
        self.ended = !is_full;
        if let Some(last) = self.page.back() {
            self.filter.after = Some(last.event.seq);
        }
        Ok(())
    }
}

impl Iterator for Export<'_> {
    type Item = Result<StoredEvent, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.is_empty()
            && !self.ended
            && let Err(error) = self.read()
        {
            self.ended = true;
            return Some(Err(error));
        }
        self.page.pop_front().map(Ok)
    }
}
