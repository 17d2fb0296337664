//! `--to`: posts each event to a URL, signed as Standard Webhooks has it.
//!
//! An answer decides what becomes of the event. While the receiver is not there, or says that it is not ready, the event is
//! kept and posted again from here: an outage of the receiver must not use up the receives after which the queue makes a dead
//! letter of it.

mod answer;
mod connections;
mod lookup;
mod patience;
mod signature;
mod target;
mod verdict;

use super::mode::{Broken, Mode, Problem};
use crate::error::CliError;
use bytes::Bytes;
use connections::{Connections, Unanswered};
use http::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{Request, Uri};
use jiff::Timestamp;
use labelrelay_consumer::{Outcome, Slots};
use labelrelay_core::trace_context::is_trace_state;
use labelrelay_core::{BoxFuture, ReceivedEvent, Secret, TraceContext};
use labelrelay_event::{Attributes, MEDIA_TYPE};
use labelrelay_startup::OsEntropy;
use patience::{NotReady, Patience, Why};
use signature::{Key, webhook_id};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use verdict::{Verdict, retry_after, verdict};

/// Longest time for one post, unless it is set.
const TIMEOUT: Duration = Duration::from_secs(30);

pub(super) struct Post {
    uri: Uri,
    connections: Connections,
    key: Option<Key>,
    reject: Vec<u16>,
    timeout: Duration,
    until_idle: Option<Duration>,
    /// The receiver answered before: what keeps events from it now came meanwhile, and may go.
    was_reached: AtomicBool,
    report: watch::Sender<Option<Problem>>,
}

/// Result of one post.
enum Posted {
    Ended(Outcome),
    /// To be posted again from here.
    NotReady(NotReady),
}

impl Post {
    pub(super) async fn new(
        url: &str,
        secret: Option<&Secret>,
        reject: &[u16],
        timeout: Option<Duration>,
        until_idle: Option<Duration>,
    ) -> Result<(Self, Broken), CliError> {
        let uri = target::read(url)?;
        let (report, broken) = watch::channel(None);
        let post = Self {
            connections: Connections::to(uri.clone()).await?,
            uri,
            key: secret.map(Key::new).transpose().map_err(CliError::config)?,
            reject: reject.to_vec(),
            timeout: timeout.unwrap_or(TIMEOUT),
            until_idle,
            was_reached: AtomicBool::new(false),
            report,
        };
        // Last, for it may take a while: what is wrong with the settings is said at once.
        lookup::known(&post.uri).await?;
        Ok((post, broken))
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
        // Whoever wrote the envelope may have written anything there.
        let parent = attributes.traceparent.as_deref();
        if let Some(parent) = parent.filter(|text| TraceContext::parse(text).is_some()) {
            request = request.header("traceparent", parent);
            let state = attributes.tracestate.as_deref();
            if let Some(state) = state.filter(|text| is_trace_state(text)) {
                request = request.header("tracestate", state);
            }
        }
        request.header("webhook-id", id).body(body)
    }

    async fn post(&self, attributes: &Attributes, body: Bytes) -> Posted {
        let request = match self.request(attributes, body) {
            Ok(request) => request,
            Err(error) => return Posted::Ended(Outcome::failed(error.to_string())),
        };
        let deadline = Instant::now() + self.timeout;
        let answer = self.connections.exchange(request, deadline).await;
        let (mut response, connection) = match answer {
            Ok(answered) => answered,
            Err(unanswered) => return self.unanswered(unanswered),
        };
        self.was_reached.store(true, Ordering::Relaxed);
        let status = response.status();
        let after = retry_after(response.headers().get(RETRY_AFTER), Timestamp::now());
        // The status says what becomes of the event. What cannot be read of the rest is of no use.
        let (said, is_whole) = answer::beginning(response.body_mut(), deadline).await;
        if is_whole {
            self.connections.keep(connection);
        }
        let reason = answer::reason(status, &said);
        match verdict(status, &self.reject) {
            Verdict::Done => Posted::Ended(Outcome::Done),
            Verdict::NoUse => Posted::Ended(Outcome::Rejected { reason }),
            Verdict::NotReady => Posted::NotReady(NotReady {
                reason,
                after,
                why: Why::Says,
            }),
            Verdict::Failed => Posted::Ended(Outcome::Again {
                reason,
                // At once would be as often as the queue allows, and a dead letter soon.
                after: after.filter(|after| *after >= patience::SHORTEST),
                is_its_own: true,
            }),
        }
    }

    fn unanswered(&self, unanswered: Unanswered) -> Posted {
        let (reason, why) = match unanswered {
            Unanswered::BrokeOff(problem) => return Posted::Ended(Outcome::failed(problem)),
            Unanswered::Late(problem) => (problem, Why::Late),
            Unanswered::Unreached(problem) => {
                // It never was otherwise: somebody has to put it right, and no event should wait for that.
                if problem.needs_mending && !self.was_reached.load(Ordering::Relaxed) {
                    self.give_up(&problem.to_string());
                }
                (problem.to_string(), Why::Unreached)
            }
        };
        Posted::NotReady(NotReady {
            reason,
            after: None,
            why,
        })
    }

    /// Ends the program: what it holds is given back.
    fn give_up(&self, problem: &str) {
        let problem = format!("--to {}: {problem}", target::origin(&self.uri));
        self.report.send_if_modified(|told| {
            told.is_none() && told.replace(Problem::Receiver(problem)).is_none()
        });
    }

    /// Posts again and again as long as the receiver is not ready. A stop ends that.
    async fn until_ready(&self, attributes: &Attributes, body: &Bytes, slots: &Slots) -> Outcome {
        let mut patience = Patience::new(self.until_idle);
        loop {
            let not_ready = match self.post(attributes, body.clone()).await {
                Posted::Ended(outcome) => return outcome,
                Posted::NotReady(not_ready) => not_ready,
            };
            let Some(wait) = patience.wait(&not_ready) else {
                return Outcome::Again {
                    reason: not_ready.reason,
                    after: not_ready.after,
                    is_its_own: false,
                };
            };
            if patience.is_idle() {
                self.give_up(&format!(
                    "nobody was there for as long as --until-idle says: {}",
                    not_ready.reason
                ));
            }
            let wait = not_ready.spread(wait, &OsEntropy);
            let (to, reason) = (
                target::origin(&self.uri),
                crate::output::one_line(&not_ready.reason).into_owned(),
            );
            let again_in_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(name: "receiver_not_ready", to, reason, again_in_ms, "the receiver is not ready; an event waits for it here");
            tokio::select! {
                () = slots.stopping() => return Outcome::NotBegun,
                () = sleep(wait) => {}
            }
        }
    }
}

impl Mode for Post {
    fn hand_on<'a>(
        &'a self,
        attributes: &'a Attributes,
        event: &'a ReceivedEvent,
        slots: &'a Slots,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(self.until_ready(attributes, &event.envelope, slots))
    }
}
