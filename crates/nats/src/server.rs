//! The servers of a URL: connections to them, one in use at a time.

use crate::connection::{Connection, News};
use crate::credentials::Credentials;
use crate::failure::Failure;
use crate::location::QueueUrl;
use async_nats::{ConnectOptions, HeaderMap, Message};
use bytes::Bytes;
use labelrelay_core::Clock;
use labelrelay_core::clock::within;
use labelrelay_core::connection_retirement::{Attempt, Connections};
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{OnceCell, watch};

/// Longest wait for an answer. Core's deadlines are shorter.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// Longest wait for a connection to one server.
const TO_CONNECT: Duration = Duration::from_secs(4);

/// A connection on which nothing is heard is asked this often, and given up after two silences.
const BETWEEN_PINGS: Duration = Duration::from_secs(5);

/// What a server takes unless it is told otherwise.
const MAX_PAYLOAD: u64 = 1024 * 1024;

/// Bytes of all messages of one request, if each is as large as the server takes. They are in memory together, and a slow
/// connection carries them within the request's time: what is late counts as received, and would be buried in the end.
const MOST_BYTES: u64 = 32 * 1024 * 1024;

/// The servers of one queue.
pub(crate) struct Servers {
    pub(crate) url: QueueUrl,
    credentials: Credentials,
    pub(crate) clock: Arc<dyn Clock>,
    connections: Connections<OnceCell<Connection>>,
    /// Largest message with its headers, as the server said last.
    max_payload: AtomicU64,
}

impl Servers {
    pub(crate) fn new(url: QueueUrl, credentials: Credentials, clock: Arc<dyn Clock>) -> Self {
        // The client panics in a program that links two TLS libraries and chose none. Whoever came first has chosen.
        let _ = async_nats::rustls::crypto::ring::default_provider().install_default();
        Self {
            url,
            credentials,
            clock,
            connections: Connections::default(),
            max_payload: AtomicU64::new(MAX_PAYLOAD),
        }
    }

    pub(crate) fn resource(&self) -> &str {
        &self.url.shown
    }

    /// Bytes of a message and its headers that the server takes.
    pub(crate) fn max_payload(&self) -> u64 {
        self.max_payload.load(Ordering::Relaxed)
    }

    /// Messages that one request may ask for, of as many as are wanted.
    pub(crate) fn batch(&self, wanted: usize) -> usize {
        fitting(wanted, self.max_payload())
    }

    /// Sends a message, and waits for its answer.
    pub(crate) async fn ask(
        &self,
        subject: &str,
        headers: Option<HeaderMap>,
        payload: Bytes,
    ) -> Result<Message, Failure> {
        let attempt = self.attempt();
        let work = async {
            let connection = self.connected(&attempt).await?;
            connection.ask(subject, headers, payload).await
        };
        let answer = within(&*self.clock, LIMIT, work).await;
        let answer = answer.unwrap_or_else(|_| Err(Failure::late(LIMIT)));
        if answer
            .as_ref()
            .map_or_else(|failure| failure.keeps_connection, |_| true)
        {
            attempt.answered();
        }
        answer
    }

    /// Asks for up to `most` messages. If some came before something failed, they are the answer.
    pub(crate) async fn pull(
        &self,
        subject: &str,
        request: Bytes,
        most: usize,
        limit: Duration,
    ) -> Result<Vec<Message>, Failure> {
        let attempt = self.attempt();
        let mut messages = Vec::new();
        let work = async {
            let connection = self.connected(&attempt).await?;
            connection.pull(subject, request, most, &mut messages).await
        };
        let ended = within(&*self.clock, limit, work).await;
        let ended = ended.unwrap_or_else(|_| Err(Failure::late(limit)));
        if ended
            .as_ref()
            .map_or_else(|failure| failure.keeps_connection, |()| true)
        {
            attempt.answered();
        }
        match ended {
            Err(failure) if messages.is_empty() => Err(failure),
            _ => Ok(messages),
        }
    }

    /// Id of the server that the connection is to.
    pub(crate) async fn server_id(&self) -> Result<String, Failure> {
        let attempt = self.attempt();
        let connected = within(&*self.clock, LIMIT, self.connected(&attempt)).await;
        let connected = connected.unwrap_or_else(|_| Err(Failure::late(LIMIT)));
        let id = connected.map(|connection| connection.client.server_info().server_id);
        if id.is_ok() {
            attempt.answered();
        }
        id
    }

    /// An attempt on the connection in use, or on a new one if that broke.
    fn attempt(&self) -> Attempt<'_, OnceCell<Connection>> {
        let attempt = self.connections.attempt();
        let broke = |connection: &Connection| !connection.stands();
        if attempt.connection().get().is_some_and(broke) {
            drop(attempt);
            return self.connections.attempt();
        }
        attempt
    }

    async fn connected<'a>(
        &self,
        attempt: &'a Attempt<'_, OnceCell<Connection>>,
    ) -> Result<&'a Connection, Failure> {
        let opened = attempt.connection().get_or_try_init(|| self.connect());
        opened.await
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        let (sender, news) = watch::channel(News::default());
        let servers = &self.url.servers;
        let mut options = ConnectOptions::new()
            .name("labelrelay")
            .connection_timeout(TO_CONNECT)
            .request_timeout(None)
            .ping_interval(BETWEEN_PINGS)
            // The servers that the operator names. Others that a cluster tells of may be out of reach.
            .ignore_discovered_servers()
            // Each once. A connection that broke is not mended but replaced.
            .max_reconnects(servers.len())
            .require_tls(self.url.is_encrypted)
            .event_callback(move |event| {
                News::note(&sender, &event);
                ready(())
            });
        if let Some(file) = &self.url.root_certificates {
            options = options.add_root_certificates(file.clone());
        }
        let options = self.credentials.apply(options).await?;
        let connected = options.connect(servers.as_slice()).await;
        let client = connected.map_err(|error| Failure::of_connecting(&error))?;
        let most = u64::try_from(client.max_payload()).unwrap_or(u64::MAX);
        self.max_payload.store(most, Ordering::Relaxed);
        Ok(Connection { client, news })
    }
}

/// How many messages of this size are asked for, of as many as are wanted.
fn fitting(wanted: usize, bytes_of_each: u64) -> usize {
    let fit = MOST_BYTES / bytes_of_each.max(1);
    wanted
        .min(usize::try_from(fit).unwrap_or(usize::MAX))
        .max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_asks_for_no_more_than_memory_and_connection_carry() {
        for (wanted, bytes_of_each, asked_for) in [
            (10, MAX_PAYLOAD, 10),
            (100, MAX_PAYLOAD, 32),
            (100, 64 * MAX_PAYLOAD, 1),
            (100, 0, 100),
        ] {
            assert_eq!(fitting(wanted, bytes_of_each), asked_for);
        }
    }
}
