//! Connections to the receiver, each for one post at a time, and kept for the next.

use crate::durations::words;
use crate::http_client::{Connection, NoAnswer, TrustedRoots};
use bytes::Bytes;
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::timeout;

pub(super) struct Connections {
    uri: Uri,
    roots: TrustedRoots,
    idle: Mutex<Vec<Connection>>,
}

/// Why there is no answer.
pub(super) enum Unanswered {
    /// No connection came about: the event was not sent.
    Unreached(NoAnswer),
    /// The event may have arrived.
    BrokeOff(String),
}

impl Connections {
    pub(super) fn new(uri: Uri) -> Self {
        Self {
            uri,
            roots: TrustedRoots::default(),
            idle: Mutex::default(),
        }
    }

    /// Posts, and waits for the head of the answer, no longer than `limit` each for the connection and for the answer. Who
    /// reads the answer to its end gives the connection back.
    pub(super) async fn exchange(
        &self,
        request: Request<Bytes>,
        limit: Duration,
    ) -> Result<(Response<Incoming>, Connection), Unanswered> {
        let late = |what: &str| format!("no {what} within {}", words(limit));
        if let Some(mut kept) = self.pop() {
            let answer = timeout(limit, kept.exchange(request.clone())).await;
            // A receiver ends connections that idle, and the end may cross the post. It is sent once more then.
            match answer {
                Ok(Ok(response)) => return Ok((response, kept)),
                Ok(Err(_)) => self.lock().clear(),
                Err(_) => return Err(Unanswered::BrokeOff(late("answer"))),
            }
        }
        let opened = timeout(limit, Connection::open(&self.uri, &self.roots)).await;
        let opened = opened.unwrap_or_else(|_| Err(late("connection").into()));
        let mut connection = opened.map_err(Unanswered::Unreached)?;
        let answer = timeout(limit, connection.exchange(request)).await;
        let answer = answer.unwrap_or_else(|_| Err(late("answer")));
        let response = answer.map_err(Unanswered::BrokeOff)?;
        Ok((response, connection))
    }

    pub(super) fn keep(&self, connection: Connection) {
        if !connection.is_closed() {
            self.lock().push(connection);
        }
    }

    /// A connection that the receiver has not ended, as far as is known.
    fn pop(&self) -> Option<Connection> {
        let mut idle = self.lock();
        idle.retain(|connection| !connection.is_closed());
        idle.pop()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
