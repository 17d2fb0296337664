//! The tables of one queue, and the exchanges with them. Each exchange has a limit.

use crate::connection::{Connected, TO_CONNECT};
use crate::failure::{Failure, Trouble};
use crate::pool::Pool;
use crate::rights::{Missing, Needs};
use crate::schema;
use labelrelay_core::clock::within;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

/// Time for an exchange that carries little. The server ends a statement somewhat earlier.
pub(crate) const LIMIT: Duration = Duration::from_secs(9);

/// Time to store a group of events, without that for their bytes.
const TO_APPEND: Duration = Duration::from_secs(4);

/// Bytes for which a group has a second more: the largest one has 20 s in all, which is somewhat longer than anybody waits
/// for it. A server that hangs keeps a writer from its work for that time.
const BYTES_A_SECOND: usize = 4 * 1024 * 1024;

/// Dead letters that are counted; beyond, nobody needs the number.
pub(crate) const COUNTED: i64 = 10_000;

/// Ids that one statement removes, at most: the number in `sql/prune.sql`.
const PRUNED_AT_ONCE: u64 = 2000;

/// The tables of one queue.
pub(crate) struct Store {
    pub(crate) pool: Pool,
    /// Tables were seen, of the version that this program knows.
    has_tables: AtomicBool,
}

/// Events that are stored together. No two have one id.
#[derive(Default)]
pub(crate) struct Rows<'a> {
    pub(crate) ids: Vec<&'a str>,
    pub(crate) types: Vec<&'a str>,
    pub(crate) envelopes: Vec<&'a [u8]>,
}

/// What became of rows, by their ids.
#[derive(Default)]
pub(crate) struct Stored {
    /// Numbers of those that are new.
    pub(crate) fresh: HashMap<String, i64>,
    /// Numbers of those that were there.
    pub(crate) known: HashMap<String, i64>,
}

impl Store {
    pub(crate) fn new(pool: Pool) -> Self {
        Self {
            pool,
            has_tables: AtomicBool::new(false),
        }
    }

    /// Name in messages.
    pub(crate) fn resource(&self) -> &str {
        &self.pool.server.url.shown
    }

    /// Name of the channel of notifications.
    pub(crate) fn channel(&self) -> String {
        format!("labelrelay_{}", self.pool.server.url.schema)
    }

    /// Sees to the tables, once.
    pub(crate) async fn with_tables<'c>(
        &self,
        connected: &'c mut Connected,
    ) -> Result<&'c mut Connected, Trouble> {
        if !self.uses_tables() {
            schema::migrate(connected, &self.pool.server.url.schema).await?;
            self.has_tables.store(true, Ordering::Relaxed);
        }
        Ok(connected)
    }

    /// Tells whether this process has used the tables, and goes on with them.
    pub(crate) fn uses_tables(&self) -> bool {
        self.has_tables.load(Ordering::Relaxed)
    }

    /// Looks at the tables again if somebody has removed them.
    pub(crate) fn noted(&self, failure: Failure) -> Failure {
        if failure.lacks_tables {
            self.has_tables.store(false, Ordering::Relaxed);
        }
        failure
    }

    /// Makes the tables if they are not there, and fails if the user lacks one of these rights to them.
    pub(crate) async fn prepare(&self, needs: Needs) -> Result<(), Failure> {
        let url = &self.pool.server.url;
        let mut lease = self.pool.lease().await?;
        let work = async {
            let connected = self.with_tables(lease.connected()).await?;
            Missing::of(&connected.client, needs).await
        };
        let done = within(&*self.pool.clock, LIMIT, work).await;
        let missing = lease
            .settle(LIMIT, done)
            .map_err(|failure| self.noted(failure))?;
        missing.judge(&url.user, &url.schema)
    }

    /// Stores events in one transaction. Once it returns, the new ones are durable, and so are the first copies of the
    /// others.
    pub(crate) async fn append(&self, rows: &Rows<'_>) -> Result<Stored, Failure> {
        let bytes: usize = rows.envelopes.iter().map(|envelope| envelope.len()).sum();
        let seconds = u64::try_from(bytes / BYTES_A_SECOND).unwrap_or(u64::MAX);
        let limit = TO_APPEND + Duration::from_secs(seconds);
        let mut lease = self.pool.lease().await?;
        let work = self.try_append(lease.connected(), rows);
        let done = within(&*self.pool.clock, limit, work).await;
        lease
            .settle(limit, done)
            .map_err(|failure| self.noted(failure))
    }

    async fn try_append(
        &self,
        connected: &mut Connected,
        rows: &Rows<'_>,
    ) -> Result<Stored, Trouble> {
        let connected = self.with_tables(connected).await?;
        let statement = connected.prepared(include_str!("sql/send.sql")).await?;
        let window = self.pool.server.url.repeat_window.as_secs_f64();
        let parameters: [&(dyn ToSql + Sync); 4] =
            [&rows.ids, &rows.types, &rows.envelopes, &window];
        let mut stored = Stored::default();
        connected.standby_wait.begin();
        let fresh = connected.client.query(&statement, &parameters).await?;
        // Of a repeat, too: it locks the row of the first copy, so its own commit waits for all that was written until then.
        connected.standby_wait.end()?;
        for row in fresh {
            stored.fresh.insert(row.try_get(1)?, row.try_get(0)?);
        }
        if stored.fresh.len() == rows.ids.len() {
            return Ok(stored);
        }
        // In a statement of its own: what was committed while the first one waited for it, that one does not see.
        let known = "SELECT number, id FROM ids WHERE id = ANY ($1::text[])";
        let known = connected.prepared(known).await?;
        for row in connected.client.query(&known, &[&rows.ids]).await? {
            stored.known.insert(row.try_get(1)?, row.try_get(0)?);
        }
        Ok(stored)
    }

    /// Tells those who wait for events that there are some. They look once a second besides, so a failure is none.
    pub(crate) async fn ring(&self) {
        let Ok(mut lease) = self.pool.lease().await else {
            return;
        };
        let channel = self.channel();
        let work = async {
            let connected = lease.connected();
            let statement = connected.prepared("SELECT pg_notify($1, '')").await?;
            connected.client.execute(&statement, &[&channel]).await?;
            Ok::<_, Trouble>(())
        };
        let done = within(&*self.pool.clock, TO_APPEND, work).await;
        // Its failure is the next statement's, too.
        let _ = lease.settle(TO_APPEND, done);
    }

    /// The rows of one statement.
    pub(crate) async fn query(
        &self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        let mut lease = self.pool.lease().await?;
        let work = async {
            let connected = self.with_tables(lease.connected()).await?;
            let statement = connected.prepared(sql).await?;
            Ok::<_, Trouble>(connected.client.query(&statement, parameters).await?)
        };
        let done = within(&*self.pool.clock, LIMIT, work).await;
        lease
            .settle(LIMIT, done)
            .map_err(|failure| self.noted(failure))
    }

    /// The same for a look, which makes no tables. There are no rows where there are none of version `since` or later.
    pub(crate) async fn look(
        &self,
        since: i32,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        let mut lease = self.pool.lease().await?;
        let work = async {
            let connected = lease.connected();
            if !self.uses_tables() {
                let version = schema::version(&connected.client).await?;
                let Some(version) = version.filter(|version| *version >= since) else {
                    return Ok(Vec::new());
                };
                schema::is_known(version)?;
            }
            let statement = connected.prepared(sql).await?;
            Ok::<_, Trouble>(connected.client.query(&statement, parameters).await?)
        };
        let done = within(&*self.pool.clock, LIMIT, work).await;
        lease
            .settle(LIMIT, done)
            .map_err(|failure| self.noted(failure))
    }

    /// Forgets ids whose window has passed; `true` if there may be more of them.
    pub(crate) async fn prune(&self) -> Result<bool, Failure> {
        let window = self.pool.server.url.repeat_window.as_secs_f64();
        let mut lease = self.pool.lease().await?;
        let work = async {
            let connected = lease.connected();
            let statement = connected.prepared(include_str!("sql/prune.sql")).await?;
            let removed = connected.client.execute(&statement, &[&window]).await?;
            Ok::<_, Trouble>(removed)
        };
        let done = within(&*self.pool.clock, LIMIT, work).await;
        let removed = lease
            .settle(LIMIT, done)
            .map_err(|failure| self.noted(failure))?;
        Ok(removed >= PRUNED_AT_ONCE)
    }

    /// Takes the right to do `work`; `None` while another has it. It lasts as long as the connection, which is no
    /// pooled one.
    pub(crate) async fn lease(&self, work: &str) -> Result<Option<Connected>, Failure> {
        let (server, clock) = (&self.pool.server, &*self.pool.clock);
        let name = format!("labelrelay lease {} {work}", server.url.schema);
        let asked = async {
            let connected = server.connect(clock, None).await?;
            let locked = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))";
            let row = connected.client.query_one(locked, &[&name]).await;
            let is_ours: Result<bool, _> = row.and_then(|row| row.try_get(0));
            let is_ours = is_ours.map_err(|error| Failure::of(&error.into()))?;
            Ok::<_, Failure>(is_ours.then_some(connected))
        };
        within(clock, TO_CONNECT, asked)
            .await
            .unwrap_or_else(|_| Err(Failure::late(TO_CONNECT)))
    }

    /// Number of dead letters, up to one more than [`COUNTED`]; `None` when there are no tables yet.
    pub(crate) async fn dead_letters(&self) -> Result<Option<i64>, Failure> {
        let mut lease = self.pool.lease().await?;
        let work = async {
            let connected = lease.connected();
            if schema::version(&connected.client).await?.is_none() {
                return Ok::<_, Trouble>(None);
            }
            let counted = "SELECT count(*) FROM (SELECT FROM dead_letters LIMIT $1) AS counted";
            let row = connected
                .client
                .query_one(counted, &[&(COUNTED + 1)])
                .await?;
            Ok(Some(row.try_get(0)?))
        };
        let done = within(&*self.pool.clock, LIMIT, work).await;
        lease.settle(LIMIT, done)
    }
}
