//! Finds an event by its id where about is known when it was written: ids have no index, and reading through the file
//! takes long.

use super::QueueFile;
use super::event::StoredEvent;
use crate::queue_file_error::FileError;
use rusqlite::{Connection, OptionalExtension as _};

impl QueueFile {
    /// The first event with this id of those that were written at `from_ms` or later, milliseconds since 1970,
    /// envelope included. Looks at the first `most` of them.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn find_since(
        &self,
        id: &str,
        from_ms: i64,
        most: u32,
    ) -> Result<Option<StoredEvent>, FileError> {
        let found = self.read(|db| {
            let first = first_since(db, from_ms)?;
            let end = first.saturating_add(most.into());
            let sql = "SELECT seq FROM events WHERE seq >= ?1 AND seq < ?2 AND id = ?3 ORDER BY seq LIMIT 1";
            let mut select = db.prepare_cached(sql)?;
            let seq: Option<i64> = select
                .query_row((first, end, id), |row| row.get(0))
                .optional()?;
            Ok(seq)
        })?;
        match found {
            Some(seq) => self.get(seq.cast_unsigned()),
            None => Ok(None),
        }
    }
}

/// The first number from which on events were written at this time or later, where clocks did not go back.
fn first_since(db: &Connection, from_ms: i64) -> rusqlite::Result<i64> {
    // Each half is an end of the table; one query for both would read all of it.
    let ends = "SELECT coalesce((SELECT min(seq) FROM events), 0), coalesce((SELECT max(seq) FROM events), 0)";
    let (mut low, last): (i64, i64) =
        db.query_row(ends, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut high = last.saturating_add(1);
    let mut next = db.prepare_cached(
        "SELECT seq, received_ms FROM events WHERE seq >= ?1 ORDER BY seq LIMIT 1",
    )?;
    while low < high {
        let middle = low + (high - low) / 2;
        let found: Option<(i64, i64)> = next
            .query_row([middle], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        match found {
            Some((seq, written_ms)) if written_ms < from_ms => low = seq + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}
