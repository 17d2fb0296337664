//! Counts and sizes of a queue's events.

use super::QueueFile;
use super::dead_letters::DEAD_LETTERS;
use crate::canonical_path::beside;
use crate::embedded::sequencer::next_number;
use crate::queue_file_error::FileError;
use crate::sqlite::setting;
use rusqlite::{Connection, OptionalExtension as _};
use std::time::Duration;

/// Figures of a queue at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct QueueStats {
    /// Events that the next receive may take.
    pub ready: u64,
    /// Events that were received and are not visible for now.
    pub in_flight: u64,
    /// Events that are done with and not pruned yet.
    pub acknowledged: u64,
    /// Dead letters.
    pub dead: u64,
    /// Number of events that ever became dead letters, whatever became of them.
    pub dead_letters: u64,
    /// Time since the oldest ready event was written.
    pub oldest_ready_age: Option<Duration>,
    /// Bytes of the file and its journal.
    pub file_bytes: u64,
}

impl QueueFile {
    /// Figures of the queue. Counts the received only, however many wait.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn stats(&self) -> Result<QueueStats, FileError> {
        self.bury();
        self.read(|db| self.figures(db, true))
    }

    /// The same for who asks every second: all but the acknowledged, which it takes longer to count than
    /// everything else, and of which nobody has to be warned.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn watched(&self) -> Result<QueueStats, FileError> {
        self.check_files()?;
        self.bury();
        self.read(|db| self.figures(db, false))
    }

    /// Time since a consumer last did something: received, acknowledged, gave back. `None` where none ever did, or
    /// what it did was pruned.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn consumer_seen(&self) -> Result<Option<Duration>, FileError> {
        // Each half is the end of an index, or as short as what is in flight.
        let sql = "SELECT max(changed) FROM (SELECT max(changed_ms) AS changed FROM deliveries WHERE state = 1
                   UNION ALL SELECT max(changed_ms) FROM deliveries WHERE state = 0)";
        let seen: Option<i64> = self.read(|db| Ok(db.query_row(sql, [], |row| row.get(0))?))?;
        let age = |seen: i64| self.now_ms().saturating_sub(seen).max(0).cast_unsigned();
        Ok(seen.map(|seen| Duration::from_millis(age(seen))))
    }

    /// The highest number that an event ever had; 0 where there was none. That event may be pruned.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last_number(&self) -> Result<u64, FileError> {
        self.read(|db| Ok(next_number(db)?.saturating_sub(1)))
    }

    fn figures(&self, db: &Connection, acknowledged_too: bool) -> Result<QueueStats, FileError> {
        let now = self.now_ms();
        // One snapshot, or an event could be counted twice or not at all.
        let snapshot = db.unchecked_transaction()?;
        let through = setting(&snapshot, "received_through")?.unwrap_or(0);
        let number = |sql: &str| snapshot.query_row(sql, [], |row| row.get::<_, i64>(0));
        // Numbers above it have no gaps: nothing is pruned that was not received.
        let last = number("SELECT coalesce(max(seq), 0) FROM events")?;
        let count = |filter: &str| {
            number(&format!("SELECT count(*) FROM deliveries WHERE {filter}"))
                .map(i64::cast_unsigned)
        };
        let (received, dead) = (count("state = 0")?, count("state = 2")?);
        let acknowledged = if acknowledged_too {
            count("state = 1")?
        } else {
            0
        };
        let again: i64 = snapshot.query_row(
            "SELECT count(*) FROM deliveries WHERE state = 0 AND visible_ms <= ?1",
            [now],
            |row| row.get(0),
        )?;
        let oldest: Option<i64> = snapshot
            .query_row(
                "SELECT received_ms FROM events WHERE seq = min(
                     coalesce((SELECT min(seq) FROM deliveries WHERE state = 0 AND visible_ms <= ?1), 9223372036854775807), ?2)",
                [now, through.saturating_add(1)],
                |row| row.get(0),
            )
            .optional()?;
        let dead_letters = setting(&snapshot, DEAD_LETTERS)?.unwrap_or(0).max(0);
        drop(snapshot);
        let again = again.cast_unsigned();
        Ok(QueueStats {
            ready: last.saturating_sub(through).max(0).cast_unsigned() + again,
            in_flight: received.saturating_sub(again),
            acknowledged,
            dead,
            dead_letters: dead_letters.cast_unsigned(),
            oldest_ready_age: oldest
                .map(|ms| Duration::from_millis(now.saturating_sub(ms).max(0).cast_unsigned())),
            file_bytes: self.bytes(),
        })
    }

    fn bytes(&self) -> u64 {
        // By their names: opening and closing them here would drop SQLite's locks of this process.
        [self.path.clone(), beside(&self.path, "-wal")]
            .iter()
            .filter_map(|path| path.metadata().ok())
            .map(|file| file.len())
            .sum()
    }
}
