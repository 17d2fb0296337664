//! The record of deliveries in tables beside the queue, which all replicas share.
//!
//! Nothing waits for it but the threads of `labelrelay-record`, and whoever looks: so it is not asynchronous outside.

mod forget;
mod tables;
mod take_in;
mod texts;

pub use tables::RecordRuntime;

use crate::failure::Failure;
use crate::rights::TO_RECORD;
use crate::store::{LIMIT, Store};
use labelrelay_record::{
    Body, Dialect, Filter, Moving, Options, Record, RecordError, Recorded, Row, SharedRecord,
    Statement, Value, query,
};
use std::fmt;
use tables::Tables;
use texts::without_nul;
use tokio_postgres::types::ToSql;

/// Rows that are read at a time.
const PAGE: usize = 1000;

/// Deliveries that one id can find.
const FOUND_AT_ONCE: usize = 100;

/// A record in tables of Postgres.
pub struct PostgresRecord {
    tables: Tables,
    replica: String,
}

impl PostgresRecord {
    /// `replica` is what rows of this process say that took them.
    pub(crate) fn new(store: Store, runtime: RecordRuntime, replica: &str) -> Self {
        Self {
            tables: Tables::new(store, runtime),
            replica: without_nul(replica).into_owned(),
        }
    }

    fn rows(&self, statement: &Statement) -> Result<Vec<tokio_postgres::Row>, RecordError> {
        let values = statement.values.iter().map(|value| match value {
            Value::Text(text) => Value::Text(without_nul(text).into_owned()),
            Value::Number(number) => Value::Number(*number),
        });
        let values: Vec<_> = values.collect();
        let parameters = values.iter().map(|value| -> &(dyn ToSql + Sync) {
            match value {
                Value::Text(text) => text,
                Value::Number(number) => number,
            }
        });
        let parameters: Vec<_> = parameters.collect();
        let looked = self
            .tables
            .look(async |transaction| Ok(transaction.query(&statement.sql, &parameters).await?))?;
        Ok(looked.unwrap_or_default())
    }

    fn read<T>(
        &self,
        rows: &[tokio_postgres::Row],
        read: impl Fn(&tokio_postgres::Row) -> Result<T, tokio_postgres::Error>,
    ) -> Result<Vec<T>, RecordError> {
        let read = rows.iter().map(read);
        let read: Result<Vec<T>, _> = read.collect();
        read.map_err(|error| self.tables.error(&Failure::of(&error.into())))
    }
}

impl query::Database for PostgresRecord {
    type Error = RecordError;

    const DIALECT: Dialect = Dialect::Postgres;

    fn deliveries(&self, statement: &Statement) -> Result<Vec<Recorded>, RecordError> {
        self.read(&self.rows(statement)?, recorded)
    }

    fn numbers(&self, statement: &Statement) -> Result<Vec<i64>, RecordError> {
        self.read(&self.rows(statement)?, |row| row.try_get(0))
    }
}

impl Record for PostgresRecord {
    fn list(&self, filter: &Filter, limit: usize) -> Result<Vec<Recorded>, RecordError> {
        in_pages(filter, limit, |filter, limit| {
            query::list(self, filter, limit)
        })
    }

    fn search(
        &self,
        text: &str,
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<Recorded>, RecordError> {
        in_pages(filter, limit, |filter, limit| {
            query::search(self, text, filter, limit)
        })
    }

    fn find(&self, which: &str) -> Result<Vec<Recorded>, RecordError> {
        query::find(self, which, FOUND_AT_ONCE)
    }

    fn body(&self, delivery: &Recorded) -> Result<Option<Body>, RecordError> {
        let body = self.tables.look(async |transaction| {
            let select = "SELECT start FROM delivery_bodies WHERE number = $1";
            let row = transaction.query_opt(select, &[&delivery.number]).await?;
            let start = row.map(|row| row.try_get::<_, Vec<u8>>(0));
            Ok(start.transpose()?)
        })?;
        Ok(body.flatten().map(|start| Body::of(delivery, start)))
    }

    fn count(&self) -> Result<u64, RecordError> {
        self.tables.total(forget::COUNT)
    }

    fn lost(&self) -> Result<u64, RecordError> {
        self.tables
            .total("SELECT sum(lost)::bigint FROM record_totals")
    }

    fn forget(&self, address: &str) -> Result<u64, RecordError> {
        forget::forget(&self.tables, address)
    }
}

impl SharedRecord for PostgresRecord {
    fn exists(&self) -> Result<bool, RecordError> {
        Ok(self.tables.total("SELECT number FROM record_last")? > 0)
    }

    fn name_of_journal(&self) -> Result<String, RecordError> {
        self.tables.exchange(LIMIT, async |connected| {
            let named = "SELECT gen_random_uuid()::text";
            let row = connected.client.query_one(named, &[]).await?;
            Ok(row.try_get(0)?)
        })
    }

    /// Makes the tables where there are none, and says which right to them is missing.
    fn moved(&self, journal: &str) -> Result<i64, RecordError> {
        let prepared = self.tables.wait(self.tables.store.prepare(TO_RECORD));
        prepared.map_err(|failure| self.tables.error(&failure))?;
        self.tables.exchange(LIMIT, async |connected| {
            let moved = "SELECT moved FROM record_journals WHERE id = $1";
            let row = connected.client.query_opt(moved, &[&journal]).await?;
            let moved = row.map(|row| row.try_get(0)).transpose()?;
            Ok(moved.unwrap_or(0))
        })
    }

    fn take_in(&self, moving: &Moving<'_>) -> Result<i64, RecordError> {
        let rows = take_in::Columns::of(moving.rows);
        self.tables.exchange(LIMIT, async |connected| {
            let connected = self.tables.store.with_tables(connected).await?;
            take_in::take_in(connected, moving, &rows, &self.replica).await
        })
    }

    fn prune(&self, options: &Options, oldest_ms: i64) -> Result<(), RecordError> {
        // Who has moved nothing yet may have no tables.
        if self.tables.look(async |_| Ok(()))?.is_none() {
            return Ok(());
        }
        self.tables.exchange(LIMIT, async |connected| {
            take_in::prune(connected, options, oldest_ms).await
        })
    }
}

impl fmt::Debug for PostgresRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresRecord({})", self.tables.store.resource())
    }
}

/// Reads so many that a connection carries them within the time of a statement, until there are `limit`.
fn in_pages(
    filter: &Filter,
    limit: usize,
    page: impl Fn(&Filter, usize) -> Result<Vec<Recorded>, RecordError>,
) -> Result<Vec<Recorded>, RecordError> {
    let mut filter = filter.clone();
    let mut found = Vec::new();
    while found.len() < limit {
        let most = PAGE.min(limit - found.len());
        let next = page(&filter, most)?;
        let is_last = next.len() < most;
        let last = next.last().map(|last| last.number);
        if filter.newest_first {
            filter.before = last;
        } else {
            filter.after = last;
        }
        found.extend(next);
        if is_last {
            break;
        }
    }
    Ok(found)
}

fn recorded(row: &tokio_postgres::Row) -> Result<Recorded, tokio_postgres::Error> {
    let status: i32 = row.try_get(2)?;
    let mut read = Row {
        arrived_ms: row.try_get(1)?,
        status: u16::try_from(status).unwrap_or_default(),
        body_bytes: row.try_get(4)?,
        elapsed_us: row.try_get(5)?,
        queue_us: row.try_get(6)?,
        outcome: row.try_get(7)?,
        source: row.try_get(8)?,
        event_id: row.try_get(9)?,
        event_type: row.try_get(10)?,
        subject: row.try_get(11)?,
        project: row.try_get(12)?,
        delivery_id: row.try_get(13)?,
        verified_by: row.try_get(14)?,
        client: row.try_get(15)?,
        body_sha256: row.try_get(16)?,
        method: row.try_get(17)?,
        path: row.try_get(18)?,
        reason: row.try_get(19)?,
        head: row.try_get(20)?,
        ..Row::default()
    };
    read.set_flags(row.try_get(3)?);
    let mut recorded = Recorded::new(row.try_get(0)?, read);
    recorded.replica = Some(row.try_get(21)?);
    Ok(recorded)
}
