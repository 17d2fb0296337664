//! State in Postgres, for the processes of all hosts. The consumer in Python uses the same tables.
//!
//! Each statement is a transaction of its own: what one process wrote, the next statement of any other sees.

mod session;

use super::key_text::{key_of, written, written_all};
use super::leases::Leases;
use super::{Known, REMEMBERED, State, StateError};
use labelrelay_core::BoxFuture;
use labelrelay_event::changes::Key;
use session::Session;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio_postgres::Client;

/// Time for one step. A server that hangs must not hold an event for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// Events between two looks for ids that are old enough to forget.
const LOOK_EVERY: u32 = 1000;

type Connect = dyn Fn() -> BoxFuture<'static, Result<Client, tokio_postgres::Error>> + Send + Sync;

/// Remembers in three tables, `labelrelay_…`, of one database. A connection that broke is opened again.
///
/// ```no_run
/// use labelrelay_consumer::{Consumer, PostgresState};
/// use tokio_postgres::NoTls;
///
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// let state = PostgresState::open(|| async {
///     let (client, connection) = tokio_postgres::connect("host=localhost user=relay", NoTls).await?;
///     tokio::spawn(connection);
///     Ok(client)
/// });
/// let consumer = Consumer::new(state.await?);
/// # Ok(())
/// # }
/// ```
pub struct PostgresState {
    connect: Box<Connect>,
    session: tokio::sync::Mutex<Option<Arc<Session>>>,
    leases: Leases,
    events: AtomicU32,
}

impl std::fmt::Debug for PostgresState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresState")
            .field("process", &self.leases.process())
            .finish_non_exhaustive()
    }
}

impl PostgresState {
    /// Opens a connection by `connect`, which is called again whenever one broke, and makes the tables when there are none.
    ///
    /// # Errors
    /// When the server cannot be used, or does not let this user make the tables, or use those that are there: then it says
    /// which rights to grant.
    pub async fn open<F, Fut>(connect: F) -> Result<Self, StateError>
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Client, tokio_postgres::Error>> + Send + 'static,
    {
        let state = Self {
            connect: Box::new(move || -> BoxFuture<'static, _> { Box::pin(connect()) }),
            session: tokio::sync::Mutex::new(None),
            leases: Leases::new()?,
            events: AtomicU32::new(0),
        };
        state
            .in_time(async {
                let client = (state.connect)().await?;
                session::make_tables(&client).await?;
                *state.session.lock().await = Some(Arc::new(Session::of(client).await?));
                Ok(())
            })
            .await?;
        Ok(state)
    }

    /// The open connection, or another one.
    async fn session(&self) -> Result<Arc<Session>, StateError> {
        let mut session = self.session.lock().await;
        if let Some(open) = session.as_ref().filter(|open| !open.client.is_closed()) {
            return Ok(Arc::clone(open));
        }
        let client = (self.connect)().await?;
        let opened = Arc::new(Session::of(client).await?);
        *session = Some(Arc::clone(&opened));
        Ok(opened)
    }

    /// The step, unless it takes too long. Then the connection goes with it: the server may hang.
    async fn in_time<T>(
        &self,
        step: impl Future<Output = Result<T, StateError>>,
    ) -> Result<T, StateError> {
        if let Ok(done) = tokio::time::timeout(PATIENCE, step).await {
            return done;
        }
        // Whoever has it locked opens another one.
        if let Ok(mut session) = self.session.try_lock() {
            *session = None;
        }
        let seconds = PATIENCE.as_secs();
        Err(StateError::new(format!(
            "Postgres did not answer within {seconds} s: see whether its server is well"
        )))
    }

    async fn remember(&self, session: &Session, event: &str) -> Result<(), StateError> {
        let Session { client, .. } = session;
        client.execute(&session.handle, &[&event]).await?;
        let number = self.events.fetch_add(1, Ordering::Relaxed);
        if number.is_multiple_of(LOOK_EVERY) {
            let seconds = REMEMBERED.as_secs_f64();
            client.execute(&session.forget, &[&seconds]).await?;
        }
        Ok(())
    }

    async fn lease(
        &self,
        key: &Key<'static>,
        parents: &[Key<'static>],
        lease: Duration,
        comes: bool,
    ) -> Result<Option<HashMap<Key<'static>, Known>>, StateError> {
        let session = self.session().await?;
        let name = written(key);
        let before = session.known(std::slice::from_ref(key)).await?.remove(key);
        let held_before = before
            .as_ref()
            .map_or(&[][..], |known| known.parents.as_slice());
        if held_before != parents {
            for parent in parents {
                let parent = written(parent);
                session
                    .client
                    .execute(&session.hold, &[&parent, &name])
                    .await?;
            }
        }
        let held = written_all(if parents.is_empty() {
            held_before
        } else {
            parents
        });
        let owner = self.leases.begin(&name);
        let seconds = lease.as_secs_f64();
        let taken = session
            .client
            .execute(
                &session.lease,
                &[
                    &name,
                    &owner,
                    &seconds,
                    &comes,
                    &held,
                    &self.leases.process(),
                ],
            )
            .await?;
        if taken == 0 {
            self.leases.end(&name);
            return Ok(None);
        }
        // Once more, after the lease: whoever had it before may have written.
        let mut found = session.with_holders(key, parents).await?;
        let (version, until) = found.get(key).map_or((None, ""), |mine| {
            (mine.version.as_deref(), mine.until.as_str())
        });
        match before {
            // What the lease itself wrote was not known before.
            None if version.is_none() && until.is_empty() => {
                found.remove(key);
            }
            Some(before) if version == before.version.as_deref() && until == before.until => {
                found.insert(key.clone(), before);
            }
            _ => {}
        }
        Ok(Some(found))
    }

    async fn end(
        &self,
        key: &Key<'static>,
        known: Option<&Known>,
        event: Option<&str>,
    ) -> Result<bool, StateError> {
        let name = written(key);
        let Some(owner) = self.leases.end(&name) else {
            return Ok(known.is_none());
        };
        let session = self.session().await?;
        let Some(known) = known else {
            let (names, owners) = ([&name], [&owner]);
            let client = &session.client;
            client
                .execute(&session.free, &[&names.as_slice(), &owners.as_slice()])
                .await?;
            return Ok(true);
        };
        let parents = written_all(&known.parents);
        let done = session
            .client
            .execute(
                &session.leave,
                &[&known.version, &known.is_there, &parents, &name, &owner],
            )
            .await?;
        if done == 0 {
            return Ok(false);
        }
        if let Some(event) = event {
            self.remember(&session, event).await?;
        }
        Ok(true)
    }
}

/// Nobody need wait for the leases to run out. If it fails, they do.
impl Drop for PostgresState {
    fn drop(&mut self) {
        let (names, owners): (Vec<String>, Vec<String>) =
            self.leases.take_all().into_iter().unzip();
        let session = self.session.get_mut().take();
        if let (Some(session), Ok(runtime), false) = (
            session,
            tokio::runtime::Handle::try_current(),
            names.is_empty(),
        ) {
            runtime.spawn(async move {
                let _ = session
                    .client
                    .execute(&session.free, &[&names, &owners])
                    .await;
            });
        }
    }
}

impl State for PostgresState {
    fn was_handled<'a>(&'a self, event: &'a str) -> BoxFuture<'a, Result<bool, StateError>> {
        Box::pin(self.in_time(async move {
            let session = self.session().await?;
            let row = session.client.query_opt(&session.look, &[&event]).await?;
            Ok(row.is_some())
        }))
    }

    fn handled<'a>(&'a self, event: &'a str) -> BoxFuture<'a, Result<(), StateError>> {
        Box::pin(self.in_time(async move {
            let session = self.session().await?;
            self.remember(&session, event).await
        }))
    }

    fn enter<'a>(
        &'a self,
        key: &'a Key<'static>,
        parents: &'a [Key<'static>],
        lease: Duration,
        comes: bool,
    ) -> BoxFuture<'a, Result<Option<HashMap<Key<'static>, Known>>, StateError>> {
        Box::pin(self.in_time(self.lease(key, parents, lease, comes)))
    }

    fn leave<'a>(
        &'a self,
        key: &'a Key<'static>,
        known: Option<&'a Known>,
        event: Option<&'a str>,
    ) -> BoxFuture<'a, Result<bool, StateError>> {
        Box::pin(self.in_time(self.end(key, known, event)))
    }

    fn keep(&self, lease: Duration) -> BoxFuture<'_, Result<(), StateError>> {
        Box::pin(self.in_time(async move {
            let (names, owners): (Vec<String>, Vec<String>) = self.leases.all().into_iter().unzip();
            if names.is_empty() {
                return Ok(());
            }
            let session = self.session().await?;
            let seconds = lease.as_secs_f64();
            session
                .client
                .execute(&session.keep, &[&seconds, &names, &owners])
                .await?;
            Ok(())
        }))
    }

    fn remove<'a>(
        &'a self,
        key: &'a Key<'static>,
        until: &'a str,
    ) -> BoxFuture<'a, Result<(), StateError>> {
        Box::pin(self.in_time(async move {
            let session = self.session().await?;
            let name = written(key);
            session
                .client
                .execute(&session.remove, &[&name, &until])
                .await?;
            Ok(())
        }))
    }

    fn below<'a>(
        &'a self,
        key: &'a Key<'static>,
    ) -> BoxFuture<'a, Result<Vec<Key<'static>>, StateError>> {
        Box::pin(self.in_time(async move {
            let session = self.session().await?;
            let name = written(key);
            let rows = session.client.query(&session.below, &[&name]).await?;
            let names = rows.iter().map(|row| row.try_get::<_, String>(0));
            names.map(|name| key_of(&name?)).collect()
        }))
    }

    /// Each statement is on the server's disk when it returns.
    fn sync(&self) -> BoxFuture<'_, Result<(), StateError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
