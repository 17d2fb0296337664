//! The events that are to be sent again, a page at a time.

use labelrelay_event::{Data, Envelope};
use labelrelay_local::{FileError, Filter, QueueFile, StoredEvent};
use std::collections::HashSet;
use std::path::Path;

/// Events read at a time, and bytes of them that may lie in memory.
const PAGE_EVENTS: usize = 256;
const PAGE_BYTES: u64 = 8 * 1024 * 1024;

/// Events that pass a filter, each id once: an event that was replayed before is in the file twice.
pub(super) struct Selection<'a> {
    queue: &'a QueueFile,
    filter: Filter,
    /// Only events whose data lies in the blob store.
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
        let last = queue.list(&newest, 1)?.first().map_or(0, |event| event.seq);
        Ok(Self {
            queue,
            filter,
            claimed,
            last,
            seen: HashSet::new(),
        })
    }

    /// `None` at the end.
    fn page(&mut self) -> Result<Option<Page>, FileError> {
        let listed = self.queue.list(&self.filter, PAGE_EVENTS)?;
        let (mut events, mut unreadable, mut bytes) = (Vec::new(), Vec::new(), 0);
        if listed.first().is_none_or(|event| event.seq > self.last) {
            return Ok(None);
        }
        for event in listed {
            if event.seq > self.last || bytes > PAGE_BYTES {
                break;
            }
            self.filter.after = Some(event.seq);
            // Pruned meanwhile.
            let Some(stored) = self.queue.get(event.seq)? else {
                continue;
            };
            match self.takes(&stored) {
                Ok(false) => {}
                Ok(true) => {
                    bytes += stored.event.envelope_bytes;
                    events.push(stored);
                }
                Err(reason) => unreadable.push(format!("{}: {reason}", stored.event.id)),
            }
        }
        Ok(Some((events, unreadable)))
    }

    fn takes(&mut self, stored: &StoredEvent) -> Result<bool, String> {
        let envelope = Envelope::decode(&stored.envelope).map_err(|error| error.to_string())?;
        if self.claimed && envelope.data != Data::Reference || self.seen.contains(&stored.event.id)
        {
            return Ok(false);
        }
        self.seen.insert(stored.event.id.clone());
        let file = envelope.attributes.dataref.as_deref();
        match file.and_then(|uri| uri.strip_prefix("file://")) {
            Some(path) if !exists(path) => {
                Err(format!("its data is gone: file://{path} is not there"))
            }
            _ => Ok(true),
        }
    }
}

/// Tells whether the file of a claim check is there; one whose name is written in another way counts as there.
fn exists(path: &str) -> bool {
    path.contains('%') || Path::new(path).exists()
}

impl Iterator for Selection<'_> {
    type Item = Result<Page, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.page().transpose()
    }
}
