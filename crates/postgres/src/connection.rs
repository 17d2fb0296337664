//! One connection: opened, set up, and with the statements that it has prepared.

use crate::failure::{Failure, Trouble};
use crate::location::QueueUrl;
use crate::password::Password;
use crate::standby_wait::StandbyWait;
use crate::tls::Tls;
use labelrelay_core::clock::within;
use labelrelay_core::{Clock, Held, QueueErrorKind};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Statement};

/// Time to open a connection; of several hosts, each has an equal part of it.
pub(crate) const TO_CONNECT: Duration = Duration::from_secs(3);

/// Time for one address of a host: a name may have two, of which one leads nowhere.
const TO_REACH: Duration = Duration::from_millis(1500);

/// Silence after which the system asks for a sign of life. Else whoever waits for notifications never learns that the
/// server's machine is gone.
const SILENCE: Duration = Duration::from_secs(30);

/// Time without a confirmation of what was sent. Then the system closes a connection that was given up, and which a
/// server that hangs leaves open.
const UNCONFIRMED: Duration = Duration::from_secs(60);

/// Passwords that are tried in one go: during a rotation, two are good.
const PASSWORDS: usize = 2;

/// Where and how to connect.
pub(crate) struct Server {
    pub(crate) url: QueueUrl,
    pub(crate) password: Password,
    pub(crate) tls: Tls,
    /// Place, among the hosts of the URL, of the one that was good last. It is tried first.
    pub(crate) good_host: AtomicUsize,
}

/// An open connection.
pub(crate) struct Connected {
    pub(crate) client: Client,
    /// Whether commits on it waited for their standby to the end.
    pub(crate) standby_wait: StandbyWait,
    statements: HashMap<&'static str, Statement>,
}

impl Connected {
    /// The statement of this text. The server plans it once for each connection.
    pub(crate) async fn prepared(&mut self, sql: &'static str) -> Result<Statement, Trouble> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }
}

/// What a session has, such as a lock, ends with its connection.
impl Held for Connected {
    fn is_there(&self) -> bool {
        !self.client.is_closed()
    }
}

impl Server {
    /// Opens a connection and sets it up. `bell` is rung at each notification.
    ///
    /// Several hosts are tried one after the other. One that is gone answers nothing, so each has a time of its own:
    /// else nobody would get to the host that has taken its place.
    pub(crate) async fn connect(
        &self,
        clock: &dyn Clock,
        bell: Option<Arc<Notify>>,
    ) -> Result<Connected, Failure> {
        let hosts = &self.url.hosts;
        let first = self.good_host.load(Ordering::Relaxed);
        let limit = TO_CONNECT / u32::try_from(hosts.len()).unwrap_or(u32::MAX);
        let mut failed = None;
        let in_turn = hosts.iter().enumerate().cycle().skip(first);
        for (place, (host, port)) in in_turn.take(hosts.len()) {
            let opened = Box::pin(self.connect_to(host, *port, bell.clone()));
            let opened = within(clock, limit, opened);
            match opened.await.unwrap_or_else(|_| Err(Failure::late(limit))) {
                Ok(connected) => {
                    self.good_host.store(place, Ordering::Relaxed);
                    return Ok(connected);
                }
                Err(failure) if hosts.len() > 1 => failed = Some(failure.at(host, *port)),
                Err(failure) => failed = Some(failure),
            }
        }
        Err(failed.unwrap_or_else(|| Failure::late(limit)))
    }

    async fn connect_to(
        &self,
        host: &str,
        port: u16,
        bell: Option<Arc<Notify>>,
    ) -> Result<Connected, Failure> {
        let passwords = self.password.read(&self.url, host, port).await;
        let passwords = passwords.map_err(Failure::without_password)?;
        let mut tries = passwords
            .into_iter()
            .map(Some)
            .take(PASSWORDS)
            .collect::<Vec<_>>();
        if tries.is_empty() {
            tries.push(None);
        }
        let mut config = self.url.config.clone();
        config
            .host(host)
            .port(port)
            .connect_timeout(TO_REACH)
            .keepalives_idle(SILENCE)
            .tcp_user_timeout(UNCONFIRMED);
        let mut refused = None;
        for password in tries {
            match self.open(config.clone(), password, bell.clone()).await {
                Ok(connected) => return Ok(connected),
                Err(failure) if failure.fault.kind == QueueErrorKind::Denied => {
                    refused = Some(failure);
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(refused.unwrap_or_else(|| Failure::without_password("there is no password".to_owned())))
    }

    async fn open(
        &self,
        mut config: Config,
        password: Option<Vec<u8>>,
        bell: Option<Arc<Notify>>,
    ) -> Result<Connected, Failure> {
        if let Some(password) = password {
            config.password(password);
        }
        let opened = config.connect(self.tls.clone()).await;
        let (client, connection) = opened.map_err(|error| Failure::of(&error.into()))?;
        let standby_wait = StandbyWait::default();
        tokio::spawn(drive(connection, bell, standby_wait.clone()));
        let set_up = client.batch_execute(&settings(&self.url.schema)).await;
        set_up.map_err(|error| Failure::of(&error.into()))?;
        Ok(Connected {
            client,
            standby_wait,
            statements: HashMap::new(),
        })
    }
}

/// Settings of each connection, whatever those of the user and the database are.
///
/// The server gives a statement up before this side does, so that it holds no locks for nobody. What it plans goes by
/// indexes: the figures by which it would choose are old where a table fills and empties. A commit waits for the disk.
/// What a machine held that is gone, locks and leases, is free a minute later.
fn settings(schema: &str) -> String {
    format!(
        "SET search_path TO \"{schema}\"; \
         SET statement_timeout = '8s'; \
         SET lock_timeout = '8s'; \
         SET idle_in_transaction_session_timeout = '10s'; \
         SET tcp_keepalives_idle = 30; \
         SET tcp_keepalives_interval = 10; \
         SET tcp_keepalives_count = 3; \
         SET default_transaction_isolation = 'read committed'; \
         SET enable_seqscan = off; \
         SET jit = off; \
         SET client_min_messages = warning; \
         SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
}

/// Moves a connection's bytes until it ends. Whoever waits for an answer learns of the end by that.
async fn drive<S, T>(
    mut connection: Connection<S, T>,
    bell: Option<Arc<Notify>>,
    standby_wait: StandbyWait,
) where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        let message = std::future::poll_fn(|context| connection.poll_message(context)).await;
        match (message, &bell) {
            (Some(Ok(AsyncMessage::Notification(_))), Some(bell)) => bell.notify_waiters(),
            // Before the answer that comes after it is passed on.
            (Some(Ok(AsyncMessage::Notice(notice))), _) => standby_wait.hear(&notice),
            (Some(Ok(_)), _) => {}
            (Some(Err(_)) | None, _) => return,
        }
    }
}
