//! The file, for the one thread that writes it.

use crate::bounds;
use crate::class::{Class, PerClass};
use crate::error::RecordError;
use crate::open::{self, begin};
use crate::options::Options;
use crate::row::Row;
use crate::totals::{self, bound, length};
use rusqlite::{Connection, params};
use std::path::{Path, PathBuf};

/// Rows that one transaction removes at least as far as it has to: a bound that was lowered is reached in steps.
const REMOVED_AT_ONCE: usize = 2000;

const INSERT: &str = "
INSERT INTO deliveries(
    class, arrived_ms, bytes, status, flags, body_bytes, elapsed_us, queue_us, outcome, source, event_id, event_type,
    subject, project, delivery_id, verified_by, client, body_sha256, method, path, reason, head)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)
";

pub(crate) struct Store {
    db: Connection,
    path: PathBuf,
}

impl Store {
    /// The file at `path`, made when there is none.
    pub(crate) fn open(path: &Path) -> Result<Self, RecordError> {
        Ok(Self {
            db: open::to_write(path)?,
            path: path.to_owned(),
        })
    }

    /// Tells whether the file still has its name. One without is read by nobody.
    pub(crate) fn is_there(&self) -> bool {
        self.path.exists()
    }

    /// Adds rows, notes how many were lost on the way, and removes what is too much or too old: in one transaction.
    pub(crate) fn append(
        &self,
        rows: &[Row],
        lost: PerClass<u64>,
        options: &Options,
        now_ms: i64,
    ) -> Result<(), RecordError> {
        self.in_one_transaction(rows, lost, options, now_ms)
            .map_err(|source| RecordError::of(&self.path, source))
    }

    fn in_one_transaction(
        &self,
        rows: &[Row],
        lost: PerClass<u64>,
        options: &Options,
        now_ms: i64,
    ) -> rusqlite::Result<()> {
        let transaction = begin(&self.db)?;
        let before = totals::read(&transaction)?;
        let mut all = before;
        for row in rows {
            let class = row.class();
            let number = insert(&transaction, row)?;
            let sums = all.of_mut(class);
            sums.deliveries += 1;
            sums.bytes += length(row.bytes());
            if let Some(start) = &row.body_start {
                transaction
                    .prepare_cached("INSERT INTO bodies(number, class, start) VALUES (?1, ?2, ?3)")?
                    .execute((number, class.number(), start))?;
                sums.body_bytes += length(start.len());
            }
        }
        let max_age_ms = i64::try_from(options.max_age.as_millis()).unwrap_or(i64::MAX);
        let oldest_ms = now_ms.saturating_sub(max_age_ms);
        let most = REMOVED_AT_ONCE.max(rows.len().saturating_mul(2));
        for class in Class::ALL {
            let sums = all.of_mut(class);
            sums.lost = sums.lost.saturating_add(bound(*lost.of(class)));
            let limits = options.limits(class);
            bounds::enforce(&transaction, class, sums, limits, oldest_ms, most)?;
        }
        if rows.is_empty() && all == before {
            // Nothing was written, so nothing has to be.
            return transaction.rollback();
        }
        totals::write(&transaction, &all)?;
        transaction.commit()
    }
}

fn insert(db: &Connection, row: &Row) -> rusqlite::Result<i64> {
    db.prepare_cached(INSERT)?.execute(params![
        row.class().number(),
        row.arrived_ms,
        length(row.bytes()),
        row.status,
        row.flags(),
        row.body_bytes,
        row.elapsed_us,
        row.queue_us,
        row.outcome,
        row.source,
        row.event_id,
        row.event_type,
        row.subject,
        row.project,
        row.delivery_id,
        row.verified_by,
        row.client,
        row.body_sha256,
        row.method,
        row.path,
        row.reason,
        row.head,
    ])?;
    Ok(db.last_insert_rowid())
}
