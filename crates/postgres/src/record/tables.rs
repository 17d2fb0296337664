//! Exchanges with the tables of a record, for threads that wait.

use crate::connection::Connected;
use crate::failure::{Failure, Trouble};
use crate::schema;
use crate::store::Store;
use labelrelay_core::clock::within;
use labelrelay_record::RecordError;
use std::time::Duration;
use tokio::runtime::{Handle, Runtime};
use tokio_postgres::Transaction;

/// The version of the tables that brought these.
const SINCE: i32 = 3;

/// Time for a look. A filter without an index goes through a million rows in it.
const TO_LOOK: Duration = Duration::from_secs(15);

/// The server gives a look up before this side does, and says so.
const SERVER_LOOKS: Duration = Duration::from_secs(14);

/// Where the work of a record is done, which is called from threads of no runtime.
#[derive(Debug)]
pub enum RecordRuntime {
    /// A runtime that does nothing else.
    Own(Runtime),
    /// The runtime of the program.
    Shared(Handle),
}

/// The tables of a record.
pub(super) struct Tables {
    pub(super) store: Store,
    runtime: RecordRuntime,
}

impl Tables {
    pub(super) const fn new(store: Store, runtime: RecordRuntime) -> Self {
        Self { store, runtime }
    }

    pub(super) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        match &self.runtime {
            RecordRuntime::Own(runtime) => runtime.block_on(work),
            RecordRuntime::Shared(handle) => handle.block_on(work),
        }
    }

    pub(super) fn error(&self, failure: &Failure) -> RecordError {
        let (problem, cure) = (&failure.fault.problem, &failure.fault.cure);
        RecordError::Shared {
            message: format!("{}: {problem}; {cure}", self.store.resource()),
            is_of_rows: failure.is_of_one,
        }
    }

    /// One exchange, with a limit.
    pub(super) fn exchange<T>(
        &self,
        limit: Duration,
        work: impl AsyncFnOnce(&mut Connected) -> Result<T, Trouble>,
    ) -> Result<T, RecordError> {
        let exchanged = self.wait(async {
            let pool = &self.store.pool;
            let mut lease = pool.lease().await?;
            let done = within(&*pool.clock, limit, work(lease.connected())).await;
            lease.settle(limit, done)
        });
        exchanged.map_err(|failure| self.error(&self.store.noted(failure)))
    }

    /// The same for a look, which makes no tables; `None` where there are none of this record yet.
    pub(super) fn look<T>(
        &self,
        work: impl AsyncFnOnce(&Transaction<'_>) -> Result<T, Trouble>,
    ) -> Result<Option<T>, RecordError> {
        self.exchange(TO_LOOK, async |connected| {
            if !self.store.uses_tables() {
                let version = schema::version(&connected.client).await?;
                let Some(version) = version.filter(|version| *version >= SINCE) else {
                    return Ok(None);
                };
                schema::is_known(version)?;
            }
            let transaction = connected.client.build_transaction().read_only(true);
            let transaction = transaction.start().await?;
            let limit = format!("SET LOCAL statement_timeout = {}", SERVER_LOOKS.as_millis());
            transaction.batch_execute(&limit).await?;
            let looked = work(&transaction).await?;
            transaction.commit().await?;
            Ok(Some(looked))
        })
    }

    /// A sum over both classes.
    pub(super) fn total(&self, sql: &str) -> Result<u64, RecordError> {
        let total = self.look(async |transaction| {
            let row = transaction.query_one(sql, &[]).await?;
            Ok(row.try_get::<_, i64>(0)?)
        })?;
        Ok(u64::try_from(total.unwrap_or(0)).unwrap_or_default())
    }
}
