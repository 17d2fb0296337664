//! The file, for whoever reads.

use crate::class::Class;
use crate::entry::Entry;
use crate::error::{Failure, RecordError};
use crate::filter::{Filter, Pattern};
use crate::journal::Tail;
use crate::meant::named;
use crate::query::{self, Database};
use crate::row::{Recorded, Row};
use crate::sql::{Dialect, Statement, Value};
use crate::{moved, open, totals};
use labelrelay_event::Digest;
use rusqlite::types::ToSqlOutput;
use rusqlite::{
    Connection, OptionalExtension as _, ToSql, Transaction, TransactionBehavior, params_from_iter,
};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Deliveries that one id can find.
const FOUND_AT_ONCE: usize = 100;

/// A record, for whoever reads it: also beside the process that writes. What waits in the journal is read, too.
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

impl Body {
    /// The first part of the body of this delivery.
    pub fn of(delivery: &Recorded, start: Vec<u8>) -> Self {
        Self {
            is_whole: delivery.row.body_sha256 == Some(Digest::of(&start).to_hex()),
            start,
        }
    }
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
        let passes = |number, entry: &Entry<'_>| filter.passes(number, entry);
        let filed = |limit| query::list(self, filter, limit);
        self.in_both(filter, limit, passes, filed)
    }

    /// Deliveries of the file and of the journal, at one moment, `limit` at most. `filter` says in which order they come,
    /// and behind which they begin; `passes` which of the journal are meant, and `filed` those of the file.
    pub(crate) fn in_both(
        &self,
        filter: &Filter,
        limit: usize,
        passes: impl Fn(i64, &Entry<'_>) -> bool,
        filed: impl FnOnce(usize) -> rusqlite::Result<Vec<Recorded>>,
    ) -> Result<Vec<Recorded>, RecordError> {
        let newest_first = filter.newest_first;
        self.at_one_moment(filter.after.unwrap_or(0), |tail| {
            let mut found = Vec::new();
            if newest_first {
                waiting(tail, true, limit, &passes, &mut found)?;
            }
            if found.len() < limit {
                found.extend(filed(limit - found.len())?);
            }
            if !newest_first {
                waiting(tail, false, limit, &passes, &mut found)?;
            }
            Ok(found)
        })
    }

    /// Reads the file and, behind the delivery `after`, the journal: each delivery is in one of them.
    fn at_one_moment<T>(
        &self,
        after: i64,
        read: impl FnOnce(&mut Tail) -> Result<T, Failure>,
    ) -> Result<T, RecordError> {
        let both = || -> Result<T, Failure> {
            // First the journal: what is moved from now on is read in both, and told apart by its number.
            let mut tail = Tail::open(&self.path, after)?;
            let _moment = Transaction::new_unchecked(&self.db, TransactionBehavior::Deferred)?;
            tail.skip_to(moved::read(&self.db)?);
            read(&mut tail)
        };
        both().map_err(|failure| failure.of(&self.path))
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
        if let Some(number) = named(which)
            && let Some(found) = self.numbered(number)?
        {
            return Ok(vec![found]);
        }
        let begins = Pattern::begins(which);
        let newest = Filter {
            newest_first: true,
            ..Filter::default()
        };
        let passes = |_, entry: &Entry<'_>| {
            begins.matches(entry.event_id) || begins.matches(entry.delivery_id)
        };
        self.in_both(&newest, FOUND_AT_ONCE, passes, |limit| {
            query::begins(self, which, limit)
        })
    }

    fn numbered(&self, number: i64) -> Result<Option<Recorded>, RecordError> {
        self.at_one_moment(number.saturating_sub(1), |tail| {
            let filed = query::numbered(self, number)?;
            if filed.is_some() {
                return Ok(filed);
            }
            let mut found = Vec::new();
            waiting(
                tail,
                false,
                1,
                &|its, _: &Entry<'_>| its == number,
                &mut found,
            )?;
            Ok(found.pop())
        })
    }

    /// The first part of a delivery's body, where it was kept.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn body(&self, delivery: &Recorded) -> Result<Option<Body>, RecordError> {
        let number = delivery.number;
        let start = self.at_one_moment(number.saturating_sub(1), |tail| {
            let filed: Option<Vec<u8>> = self
                .db
                .query_row(
                    "SELECT start FROM bodies WHERE number = ?1",
                    [number],
                    |row| row.get(0),
                )
                .optional()?;
            if filed.is_some() {
                return Ok(filed);
            }
            let mut found = None;
            tail.visit(false, |its, entry| {
                if its == number {
                    found = entry.body_start.map(<[u8]>::to_vec);
                }
                ControlFlow::Break(())
            })?;
            Ok(found)
        })?;
        Ok(start.map(|start| Body::of(delivery, start)))
    }

    /// Number of the deliveries in it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn count(&self) -> Result<u64, RecordError> {
        self.at_one_moment(0, |tail| {
            let all = totals::read(&self.db)?;
            let filed = Class::ALL.iter().map(|&class| all.of(class).deliveries);
            let mut count = u64::try_from(filed.sum::<i64>()).unwrap_or_default();
            tail.visit(false, |_, _| {
                count += 1;
                ControlFlow::Continue(())
            })?;
            Ok(count)
        })
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

/// Adds deliveries of the journal that pass, until there are `limit` of them.
fn waiting(
    tail: &mut Tail,
    newest_first: bool,
    limit: usize,
    passes: &impl Fn(i64, &Entry<'_>) -> bool,
    found: &mut Vec<Recorded>,
) -> std::io::Result<()> {
    if found.len() >= limit {
        return Ok(());
    }
    tail.visit(newest_first, |number, entry| {
        if passes(number, entry) {
            found.push(Recorded::new(number, entry.row()));
        }
        if found.len() < limit {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })
}

impl Database for RecordFile {
    type Error = rusqlite::Error;

    const DIALECT: Dialect = Dialect::Sqlite;

    fn deliveries(&self, statement: &Statement) -> rusqlite::Result<Vec<Recorded>> {
        let mut select = self.db.prepare(&statement.sql)?;
        let rows = select.query_map(params_from_iter(&statement.values), recorded)?;
        rows.collect()
    }

    fn numbers(&self, statement: &Statement) -> rusqlite::Result<Vec<i64>> {
        let mut select = self.db.prepare_cached(&statement.sql)?;
        let rows = select.query_map(params_from_iter(&statement.values), |row| row.get(0))?;
        rows.collect()
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Text(text) => text.to_sql(),
            Self::Number(number) => number.to_sql(),
        }
    }
}

fn recorded(row: &rusqlite::Row<'_>) -> rusqlite::Result<Recorded> {
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
    Ok(Recorded::new(row.get(0)?, read))
}
