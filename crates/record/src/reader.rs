//! The file, for whoever reads.

use crate::class::Class;
use crate::error::RecordError;
use crate::filter::{Filter, end_of};
use crate::open;
use crate::row::{Recorded, Row};
use crate::totals;
use labelrelay_event::Digest;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};
use std::path::{Path, PathBuf};

/// Deliveries that one id can find.
const FOUND_AT_ONCE: i64 = 100;

pub(crate) const COLUMNS: &str = "
    number, arrived_ms, status, flags, body_bytes, elapsed_us, queue_us, outcome, source, event_id, event_type, subject,
    project, delivery_id, verified_by, client, body_sha256, method, path, reason, head";

/// A record, for whoever reads it: also beside the process that writes.
pub struct RecordFile {
    pub(crate) db: Connection,
    pub(crate) path: PathBuf,
}

/// The first part of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Its bytes, as they came.
    pub start: Vec<u8>,
    /// `true` if that is all of it.
    pub is_whole: bool,
}

impl RecordFile {
    /// The record in the file at `path`; `None` when there is none, or nothing was recorded yet.
    ///
    /// # Errors
    /// [`RecordError`] when the file is something else, damaged, or of a newer program.
    pub fn open(path: &Path) -> Result<Option<Self>, RecordError> {
        let db = open::to_read(path)?;
        Ok(db.map(|db| Self {
            db,
            path: path.to_owned(),
        }))
    }

    /// Deliveries that pass `filter`, in the order in which they were answered (or its reverse), `limit` at most.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn list(&self, filter: &Filter, limit: usize) -> Result<Vec<Recorded>, RecordError> {
        let (clauses, values) = filter.clauses(limit);
        let list = || -> rusqlite::Result<Vec<Recorded>> {
            let mut select = self
                .db
                .prepare(&format!("SELECT {COLUMNS} FROM deliveries{clauses}"))?;
            let rows = select.query_map(params_from_iter(&values), recorded)?;
            rows.collect()
        };
        list().map_err(|source| self.error(source))
    }

    /// Deliveries that somebody calls `which`: by their name in the record, by the beginning of the event's id, or by
    /// that of the platform's id of the delivery. The newest comes first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn find(&self, which: &str) -> Result<Vec<Recorded>, RecordError> {
        // It would be the beginning of every id.
        if which.is_empty() {
            return Ok(Vec::new());
        }
        let number = which
            .strip_prefix('r')
            .and_then(|number| number.parse().ok());
        let find = || -> rusqlite::Result<Vec<Recorded>> {
            if let Some(number) = number
                && let Some(found) = self.numbered(number)?
            {
                return Ok(vec![found]);
            }
            let sql = format!(
                "SELECT {COLUMNS} FROM deliveries
                 WHERE (event_id >= ?1 AND event_id < ?2) OR (delivery_id >= ?1 AND delivery_id < ?2)
                 ORDER BY number DESC LIMIT ?3"
            );
            let mut select = self.db.prepare(&sql)?;
            let rows = select.query_map((which, end_of(which), FOUND_AT_ONCE), recorded)?;
            rows.collect()
        };
        find().map_err(|source| self.error(source))
    }

    fn numbered(&self, number: i64) -> rusqlite::Result<Option<Recorded>> {
        let sql = format!("SELECT {COLUMNS} FROM deliveries WHERE number = ?1");
        self.db.query_row(&sql, [number], recorded).optional()
    }

    /// The first part of a delivery's body, where it was kept.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn body(&self, delivery: &Recorded) -> Result<Option<Body>, RecordError> {
        let start: Option<Vec<u8>> = self
            .db
            .query_row(
                "SELECT start FROM bodies WHERE number = ?1",
                [delivery.number],
                |row| row.get(0),
            )
            .optional()
            .map_err(|source| self.error(source))?;
        Ok(start.map(|start| Body {
            is_whole: delivery.row.body_sha256 == Some(Digest::of(&start).to_hex()),
            start,
        }))
    }

    /// Deliveries that are missing, because more came than could be written.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn lost(&self) -> Result<u64, RecordError> {
        let all = totals::read(&self.db).map_err(|source| self.error(source))?;
        let lost = Class::ALL
            .iter()
            .map(|&class| all.of(class).lost)
            .sum::<i64>();
        Ok(u64::try_from(lost).unwrap_or_default())
    }

    pub(crate) fn error(&self, source: rusqlite::Error) -> RecordError {
        RecordError::of(&self.path, source)
    }
}

pub(crate) fn recorded(row: &rusqlite::Row<'_>) -> rusqlite::Result<Recorded> {
    let flags = row.get(3)?;
    let mut read = Row {
        arrived_ms: row.get(1)?,
        status: row.get(2)?,
        body_bytes: row.get(4)?,
        elapsed_us: row.get(5)?,
        queue_us: row.get(6)?,
        outcome: row.get(7)?,
        source: row.get(8)?,
        event_id: row.get(9)?,
        event_type: row.get(10)?,
        subject: row.get(11)?,
        project: row.get(12)?,
        delivery_id: row.get(13)?,
        verified_by: row.get(14)?,
        client: row.get(15)?,
        body_sha256: row.get(16)?,
        method: row.get(17)?,
        path: row.get(18)?,
        reason: row.get(19)?,
        head: row.get(20)?,
        ..Row::default()
    };
    read.set_flags(flags);
    Ok(Recorded {
        number: row.get(0)?,
        row: read,
    })
}
