//! Connections to the receiver, each for one post at a time, and kept for the next.

use crate::error::CliError;
use bytes::Bytes;
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use labelrelay_http_client::{BrokeOff, Connection, NoAnswer, TrustedRoots};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// A receiver that had ended a connection before the post reached it says so within this time. Later it may have worked on
/// the event.
const AT_ONCE: Duration = Duration::from_secs(1);

pub(super) struct Connections {
    uri: Uri,
    roots: TrustedRoots,
    idle: Mutex<Vec<Connection>>,
}

/// Reason why there is no answer.
pub(super) enum Unanswered {
    /// No connection came about: the event was not sent.
    Unreached(NoAnswer),
    /// The event may have arrived, and nothing came in time.
    Late(String),
    /// The event may have arrived.
    BrokeOff(String),
}

impl Connections {
    /// # Errors
    /// When this machine trusts nobody, and the receiver is to be trusted.
    pub(super) async fn to(uri: Uri) -> Result<Self, CliError> {
        let roots = TrustedRoots::default();
        if uri.scheme_str() == Some("https") {
            roots.check().await.map_err(CliError::failed)?;
        }
        Ok(Self {
            uri,
            roots,
            idle: Mutex::default(),
        })
    }

    /// Posts, and waits for the head of the answer until `deadline`. Who reads the answer to its end gives the connection
    /// back.
    pub(super) async fn exchange(
        &self,
        request: Request<Bytes>,
        deadline: Instant,
    ) -> Result<(Response<Incoming>, Connection), Unanswered> {
        if let Some(kept) = self.pop() {
            let begun = Instant::now();
            match answer(kept, request.clone(), deadline).await {
                // A receiver ends connections that idle, and the end may cross the post. It is sent once more then.
                Err(Failed::Ended(_)) if begun.elapsed() < AT_ONCE => self.lock().clear(),
                answered => return answered.map_err(Failed::into_unanswered),
            }
        }
        let opened = timeout_at(deadline, Connection::open(&self.uri, &self.roots)).await;
        let opened = opened.unwrap_or_else(|_| Err("no connection in time".to_owned().into()));
        let connection = opened.map_err(Unanswered::Unreached)?;
        let answered = answer(connection, request, deadline).await;
        answered.map_err(Failed::into_unanswered)
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

/// A post without an answer, on a connection.
enum Failed {
    Late,
    /// The other side ended the connection before it said anything.
    Ended(String),
    Garbled(String),
}

impl Failed {
    fn into_unanswered(self) -> Unanswered {
        match self {
            Self::Late => Unanswered::Late("no answer in time (--timeout)".to_owned()),
            Self::Ended(problem) | Self::Garbled(problem) => Unanswered::BrokeOff(problem),
        }
    }
}

async fn answer(
    mut connection: Connection,
    request: Request<Bytes>,
    deadline: Instant,
) -> Result<(Response<Incoming>, Connection), Failed> {
    match timeout_at(deadline, connection.exchange(request)).await {
        Err(_) => Err(Failed::Late),
        Ok(Ok(response)) => Ok((response, connection)),
        Ok(Err(BrokeOff {
            message,
            is_end: true,
        })) => Err(Failed::Ended(message)),
        Ok(Err(broken)) => Err(Failed::Garbled(broken.message)),
    }
}
