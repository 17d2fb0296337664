//! The events that are to be sent again, a page at a time.

use crate::claimed_data::has_its_data;
use crate::damaged_event::damaged_event;
use crate::error::chain;
use labelrelay_event::{Data, Envelope};
use labelrelay_local::{Export, FileError, Filter, QueueFile, StoredEvent, envelope_damage};
use std::collections::HashSet;

/// Events read at a time, and bytes of them that may be in memory.
pub(super) const PAGE_EVENTS: usize = 256;
pub(super) const PAGE_BYTES: u64 = 8 * 1024 * 1024;

/// Events that pass a filter, each id once: an event that was replayed before is in the file twice.
pub(super) struct Selection<'a> {
    events: Export<'a>,
    /// Only events whose data is in the blob store.
    claimed: bool,
    /// Number of the last event at the start: what is sent into the same file meanwhile is not found.
    last: u64,
    seen: HashSet<String>,
}

/// Events, and why others cannot be sent.
type Page = (Vec<StoredEvent>, Vec<String>);

impl<'a> Selection<'a> {
    pub(super) fn new(
        queue: &'a QueueFile,
        filter: Filter,
        claimed: bool,
    ) -> Result<Self, FileError> {
        let newest = Filter {
            newest_first: true,
            ..Filter::default()
        };
        let last = match queue.list(&newest, 1) {
            Ok(newest) => newest.first().map_or(0, |event| event.seq),
            // Nothing can be sent into the same file then.
            Err(FileError::Damaged { .. }) => u64::MAX,
            Err(other) => return Err(other),
        };
        Ok(Self {
            events: queue.export(filter),
            claimed,
            last,
            seen: HashSet::new(),
        })
    }

    /// `None` at the end.
    fn page(&mut self) -> Result<Option<Page>, FileError> {
        let (mut events, mut unreadable, mut bytes) = (Vec::new(), Vec::new(), 0);
        let mut is_last = true;
        while let Some(stored) = self.events.next() {
            let stored = match stored {
                Ok(stored) => stored,
                Err(damage @ FileError::Damaged { .. }) => {
                    unreadable.push(chain(&damage));
                    continue;
                }
                Err(other) => return Err(other),
            };
            if stored.event.seq > self.last {
                break;
            }
            match self.takes(&stored) {
                Ok(false) => {}
                Ok(true) => {
                    bytes += stored.event.envelope_bytes;
                    events.push(stored);
                }
                Err(reason) => unreadable.push(format!("{}: {reason}", stored.event.id)),
            }
            if events.len() >= PAGE_EVENTS || bytes > PAGE_BYTES {
                is_last = false;
                break;
            }
        }
        let is_empty = events.is_empty() && unreadable.is_empty();
        Ok((!is_last || !is_empty).then_some((events, unreadable)))
    }

    fn takes(&mut self, stored: &StoredEvent) -> Result<bool, String> {
        let envelope = Envelope::decode(&stored.envelope).map_err(|error| error.to_string())?;
        if self.claimed && envelope.data != Data::Reference || self.seen.contains(&stored.event.id)
        {
            return Ok(false);
        }
        if let Some(reason) = envelope_damage(&stored.envelope) {
            return Err(damaged_event(stored.event.seq, &reason));
        }
        self.seen.insert(stored.event.id.clone());
        has_its_data(&envelope).map(|()| true)
    }
}

impl Iterator for Selection<'_> {
    type Item = Result<Page, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.page().transpose()
    }
}
