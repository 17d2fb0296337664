//! Exports all events that are held, in order of arrival, without taking them.

use super::QueueFile;
use super::event::{COLUMNS, StoredEvent, stored};
use crate::error::FileError;
use rusqlite::named_params;
use std::collections::VecDeque;

/// A page of an export ends when it holds this much: pages lie in memory, and a transaction that reads
/// for long keeps the journal from being begun anew.
const PAGE_EVENTS: usize = 256;
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// Which events to export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExportScope {
    /// Events that are not done with: ready and in flight.
    #[default]
    Held,
    /// Acknowledged events and dead letters as well.
    All,
}

/// Iterates over events in order of arrival. Events that arrive meanwhile are included.
#[derive(Debug)]
pub struct Export<'a> {
    queue: &'a QueueFile,
    scope: ExportScope,
    after: i64,
    page: VecDeque<StoredEvent>,
    ended: bool,
}

impl QueueFile {
    /// Exports without consuming.
    pub const fn export(&self, scope: ExportScope) -> Export<'_> {
        Export {
            queue: self,
            scope,
            after: 0,
            page: VecDeque::new(),
            ended: false,
        }
    }
}

impl Export<'_> {
    fn read(&mut self) -> Result<(), FileError> {
        let sql = format!(
            "SELECT {COLUMNS}, e.envelope FROM events e LEFT JOIN deliveries d ON d.seq = e.seq
             WHERE e.seq > :after AND (:all OR d.state IS NULL OR d.state = 0) ORDER BY e.seq"
        );
        let mut select = self.queue.db.prepare_cached(&sql)?;
        let mut rows = select.query(named_params! {
            ":now": self.queue.now_ms(), ":after": self.after, ":all": self.scope == ExportScope::All,
        })?;
        let mut bytes = 0;
        while self.page.len() < PAGE_EVENTS && bytes < PAGE_BYTES {
            let Some(row) = rows.next()? else {
                self.ended = true;
                break;
            };
            let event = stored(row)?;
            bytes += event.envelope.len();
            self.after = event.event.seq.cast_signed();
            self.page.push_back(event);
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
