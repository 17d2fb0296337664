//! `--to`: posts each event to a URL, signed as Standard Webhooks has it.
//!
//! An answer decides what becomes of the event. While the receiver is not there, or says that it is not ready, the event is
//! kept and posted again from here: an outage of the receiver must not use up the receives after which the queue makes a dead
//! letter of it.

mod connections;
mod signature;
mod target;
mod verdict;

use super::mode::Mode;
use crate::error::CliError;
use crate::userinfo;
use bytes::Bytes;
use connections::{Connections, Unanswered};
use http::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use jiff::Timestamp;
use labelrelay_consumer::{Outcome, Turn};
use labelrelay_core::{BoxFuture, ReceivedEvent, Secret};
use labelrelay_event::{Attributes, MEDIA_TYPE};
use signature::{Key, webhook_id};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use verdict::{Verdict, retry_after, verdict};

/// Longest time for one post, unless it is set.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Of an answer, so much is read: its beginning is the reason in the log.
const MAX_ANSWER_BYTES: usize = 16 * 1024;
const REASON_CHARS: usize = 200;

/// Pauses between posts of one event while the receiver is not ready: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// A receiver that is there and not ready for so long may have something against the event.
const NOT_READY_FOR: Duration = Duration::from_secs(900);

pub(super) struct Post {
    uri: Uri,
    connections: Connections,
    key: Option<Key>,
    reject: Vec<u16>,
    timeout: Duration,
}

/// What one post led to.
enum Posted {
    Ended(Outcome),
    /// To be posted again from here, after this time if the receiver said one.
    NotReady {
        reason: String,
        after: Option<Duration>,
        is_there: bool,
    },
}

impl Post {
    pub(super) fn new(
        url: &str,
        secret: Option<&Secret>,
        reject: &[u16],
        timeout: Option<Duration>,
    ) -> Result<Self, CliError> {
        let uri = target::read(url)?;
        Ok(Self {
            connections: Connections::new(uri.clone()),
            uri,
            key: secret.map(Key::new).transpose().map_err(CliError::config)?,
            reject: reject.to_vec(),
            timeout: timeout.unwrap_or(TIMEOUT),
        })
    }

    fn request(&self, attributes: &Attributes, body: Bytes) -> Result<Request<Bytes>, http::Error> {
        let id = webhook_id(attributes);
        let timestamp = Timestamp::now().as_second();
        let mut request = Request::post(self.uri.clone())
            .header(CONTENT_TYPE, MEDIA_TYPE)
            .header(
                USER_AGENT,
                concat!("labelrelay/", env!("CARGO_PKG_VERSION")),
            )
            .header("webhook-timestamp", timestamp);
        if let Some(key) = &self.key {
            request = request.header("webhook-signature", key.sign(&id, timestamp, &body));
        }
        request.header("webhook-id", id).body(body)
    }

    async fn post(&self, attributes: &Attributes, body: Bytes) -> Posted {
        let request = match self.request(attributes, body) {
            Ok(request) => request,
            Err(error) => return Posted::Ended(Outcome::failed(error.to_string())),
        };
        let answer = self.connections.exchange(request, self.timeout).await;
        let (response, connection) = match answer {
            Ok(answered) => answered,
            Err(Unanswered::Unreached(problem)) => {
                return Posted::NotReady {
                    reason: problem.to_string(),
                    after: None,
                    is_there: false,
                };
            }
            Err(Unanswered::BrokeOff(problem)) => {
                return Posted::Ended(Outcome::failed(problem));
            }
        };
        let status = response.status();
        let after = retry_after(response.headers().get(RETRY_AFTER), Timestamp::now());
        // The status says what becomes of the event. What cannot be read of the rest is of no use.
        let said = timeout(self.timeout, beginning(response)).await;
        let said = said.ok().flatten();
        if said.is_some() {
            self.connections.keep(connection);
        }
        let said = said.unwrap_or_default();
        let reason = if status.is_redirection() {
            format!(
                "answered {status}: redirects are not followed; write the URL that this one leads to"
            )
        } else if said.is_empty() {
            format!("answered {status}")
        } else {
            format!("answered {status}: {said}")
        };
        Posted::Ended(match verdict(status, &self.reject) {
            Verdict::Done => Outcome::Done,
            Verdict::NoUse => Outcome::Rejected { reason },
            Verdict::NotReady => {
                return Posted::NotReady {
                    reason,
                    after,
                    is_there: true,
                };
            }
            Verdict::Failed => Outcome::Again {
                reason,
                after,
                is_its_own: true,
            },
        })
    }

    /// Posts again and again as long as the receiver is not ready. A stop ends that.
    async fn until_ready(&self, attributes: &Attributes, body: &Bytes, turn: &Turn) -> Outcome {
        let mut pause = PAUSES.0;
        let mut not_ready_since = None;
        loop {
            let (reason, after, is_there) = match self.post(attributes, body.clone()).await {
                Posted::Ended(outcome) => return outcome,
                Posted::NotReady {
                    reason,
                    after,
                    is_there,
                } => (reason, after, is_there),
            };
            // A receiver that nobody reaches has nothing against any event, however long.
            let since = not_ready_since.get_or_insert_with(Instant::now);
            if !is_there {
                *since = Instant::now();
            }
            let wait = after.unwrap_or(pause);
            if since.elapsed() + wait > NOT_READY_FOR {
                return Outcome::Again {
                    reason,
                    after,
                    is_its_own: false,
                };
            }
            let (to, reason) = (
                userinfo::hidden(&self.uri.to_string()),
                crate::output::one_line(&reason).into_owned(),
            );
            let again_in_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(name: "receiver_not_ready", to, reason, again_in_ms, "the receiver is not ready; an event waits for it here");
            tokio::select! {
                () = turn.stopping() => return Outcome::NotBegun,
                () = sleep(wait) => {}
            }
            pause = PAUSES.1.min(pause * 2);
        }
    }
}

/// The beginning of an answer's body, if it is short enough to be read to its end.
async fn beginning(response: Response<Incoming>) -> Option<String> {
    let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES);
    let body = body.collect().await.ok()?.to_bytes();
    let text = String::from_utf8_lossy(&body);
    Some(text.chars().take(REASON_CHARS).collect())
}

impl Mode for Post {
    fn hand_on<'a>(
        &'a self,
        attributes: &'a Attributes,
        event: &'a ReceivedEvent,
        turn: &'a Turn,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(self.until_ready(attributes, &event.envelope, turn))
    }
}
