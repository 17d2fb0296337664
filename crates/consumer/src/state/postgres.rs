//! State in Postgres, for the processes of all hosts. The consumer in Python uses the same tables.
//!
//! Each statement is a transaction of its own: what one process wrote, the next statement of any other sees.

mod session;

use super::host::random_name;
use super::key_text::{key_of, written, written_all};
use super::{Known, REMEMBERED, State, StateError};
use labelrelay_core::BoxFuture;
use labelrelay_event::changes::Key;
use session::Session;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    /// Beginning of the owners of all leases of this process.
    process: String,
    leases: AtomicU64,
    /// Things that this process has leased, each with the owner of its lease: a statement may come late that was given up
    /// with its connection, and what gives back an old lease must not end the next one of the same thing.
    leased: Mutex<HashMap<String, String>>,
    events: AtomicU32,
}

impl std::fmt::Debug for PostgresState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresState")
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}

impl PostgresState {
    /// Opens a connection by `connect`, which is called again whenever one broke, and makes the tables when there are none.
    ///
    /// # Errors
    /// When the server cannot be used, or does not let this user make the tables.
    pub async fn open<F, Fut>(connect: F) -> Result<Self, StateError>
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Client, tokio_postgres::Error>> + Send + 'static,
    {
        let state = Self {
            connect: Box::new(move || -> BoxFuture<'static, _> { Box::pin(connect()) }),
            session: tokio::sync::Mutex::new(None),
            process: format!("{}-", random_name()?),
            leases: AtomicU64::new(0),
            leased: Mutex::default(),
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

    fn leased(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.leased.lock().unwrap_or_else(PoisonError::into_inner)
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
        let number = self.leases.fetch_add(1, Ordering::Relaxed);
        let owner = format!("{}{number}", self.process);
        // Before: a step that is given up may have been done all the same.
        self.leased().insert(name.clone(), owner.clone());
        let seconds = lease.as_secs_f64();
        let taken = session
            .client
            .execute(
                &session.lease,
                &[&name, &owner, &seconds, &comes, &held, &self.process],
            )
            .await?;
        if taken == 0 {
            self.leased().remove(&name);
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
        // First: if this fails, nobody keeps the lease, and it runs out.
        let owner = self.leased().remove(&name);
        let Some(owner) = owner else {
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
        let leased = std::mem::take(&mut *self.leased());
        let (names, owners): (Vec<String>, Vec<String>) = leased.into_iter().unzip();
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
            let leased = self.leased().clone();
            let (names, owners): (Vec<String>, Vec<String>) = leased.into_iter().unzip();
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
