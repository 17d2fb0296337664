//! The way in.

use crate::answers::{StreamInfo, acknowledged, read};
use crate::failure::Failure;
use crate::lease;
use crate::location::dead_letter_stream;
use crate::server::Servers;
use async_nats::{HeaderMap, HeaderValue};
use bytes::Bytes;
use labelrelay_core::QueueErrorKind::{Denied, Misconfigured};
use labelrelay_core::{
    BoxFuture, Copies, DeadLetterCount, EventQueue, Lease, OutboundMessage, QueueError,
    QueueLimits, Receipt,
};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// By this, the stream recognises a repeat.
pub(crate) const MESSAGE_ID: &str = "Nats-Msg-Id";

/// By this, a stream refuses what is meant for another one.
pub(crate) const EXPECTED_STREAM: &str = "Nats-Expected-Stream";

/// Time between two lines about sends that were given up.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// A stream of NATS as a queue. Any number of processes may send to it: a repeat is one to all of them.
pub struct NatsQueue {
    pub(crate) servers: Arc<Servers>,
    /// Largest message that the stream takes, as it said last.
    pub(crate) max_message: AtomicU64,
    /// What is only worth a warning was told.
    pub(crate) has_warned: AtomicBool,
    /// Id of the server whose monitoring port said that it syncs.
    pub(crate) proven: Mutex<Option<String>>,
    /// On the monotonic clock: until then nobody hears of another send that was given up.
    quiet_until: Mutex<Duration>,
}

impl NatsQueue {
    pub(crate) fn new(servers: Servers) -> Self {
        Self {
            servers: Arc::new(servers),
            max_message: AtomicU64::new(u64::MAX),
            has_warned: AtomicBool::new(false),
            proven: Mutex::default(),
            quiet_until: Mutex::default(),
        }
    }

    fn error(&self, failure: &Failure) -> QueueError {
        failure.fault.of_queue(self.servers.resource())
    }

    fn max_bytes(&self) -> u64 {
        let of_stream = self.max_message.load(Ordering::Relaxed);
        of_stream.min(self.servers.max_payload())
    }

    /// Headers of a message. Without a window of repeats it has no id, for the server would recognise it by that.
    fn header_fields<'a>(&'a self, id: &'a str) -> Vec<(&'static str, &'a str)> {
        let url = &self.servers.url;
        let mut fields = vec![(EXPECTED_STREAM, url.stream.as_str())];
        if !url.repeat_window.is_zero() {
            fields.push((MESSAGE_ID, id));
        }
        fields
    }

    /// By what the stream recognises a repeat: it compares all of its messages, and may have the subjects of several
    /// queues, each of which gets its own copy of an event.
    fn message_id(&self, message: &OutboundMessage) -> String {
        let key = message.deduplication_key();
        format!("{key} {}", self.servers.url.subject)
    }

    async fn put(&self, message: &OutboundMessage) -> Result<Receipt, Failure> {
        let bytes = self.message_bytes(message);
        let most = self.max_bytes();
        if bytes > most {
            return Err(Failure::too_large(bytes, most));
        }
        let url = &self.servers.url;
        let headers = headers(&self.header_fields(&self.message_id(message)))?;
        let mut waiting = Waiting::new(self);
        let answer = self
            .servers
            .ask(&url.subject, Some(headers), message.body.clone())
            .await;
        waiting.is_over = true;
        let answer = answer?;
        let published = acknowledged(&answer.payload)?;
        if published.stream != url.stream {
            return Err(Failure::unproven("another stream acknowledged it"));
        }
        let place = Some(published.seq.to_string());
        Ok(if published.duplicate {
            Receipt::repeat(place)
        } else {
            Receipt::new(place)
        })
    }

    /// Tells of a send that was given up after `waited`.
    fn given_up(&self, waited: Duration) {
        let now = self.servers.clock.monotonic();
        {
            let quiet_until = self.quiet_until.lock();
            let mut quiet_until = quiet_until.unwrap_or_else(PoisonError::into_inner);
            if now < *quiet_until {
                return;
            }
            *quiet_until = now + BETWEEN_LINES;
        }
        let failure = Failure::late(waited);
        let (problem, cure) = (&failure.fault.problem, &failure.fault.cure);
        tracing::warn!(name: "queue_did_not_answer", queue = self.servers.resource(), "{problem}; {cure}");
    }

    async fn count_dead_letters(&self) -> Result<DeadLetterCount, Failure> {
        let stream = dead_letter_stream(&self.servers.url.stream);
        let subject = format!("$JS.API.STREAM.INFO.{stream}");
        let answer = self.servers.ask(&subject, None, Bytes::new()).await;
        let info = answer.and_then(|answer| read::<StreamInfo>(&answer.payload));
        match info {
            Ok(info) => Ok(DeadLetterCount::About(info.state.messages)),
            // They may be elsewhere, and whoever sends need not be able to look.
            Err(failure) if failure.is_absent || failure.fault.kind == Denied => {
                Ok(DeadLetterCount::Unknown(None))
            }
            Err(failure) => Err(failure),
        }
    }
}

/// A send that is under way. Whoever gives it up knows that no answer came, and not from whom: so the queue tells.
struct Waiting<'a> {
    queue: &'a NatsQueue,
    begun: Duration,
    is_over: bool,
}

impl<'a> Waiting<'a> {
    fn new(queue: &'a NatsQueue) -> Self {
        Self {
            begun: queue.servers.clock.monotonic(),
            queue,
            is_over: false,
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            let now = self.queue.servers.clock.monotonic();
            self.queue.given_up(now.saturating_sub(self.begun));
        }
    }
}

impl EventQueue for NatsQueue {
    fn send<'a>(
        &'a self,
        message: &'a OutboundMessage,
    ) -> BoxFuture<'a, Result<Receipt, QueueError>> {
        Box::pin(async move {
            let sent = self.put(message).await;
            sent.map_err(|failure| self.error(&failure))
        })
    }

    fn limits(&self) -> QueueLimits {
        QueueLimits::bytes(self.max_bytes())
    }

    /// What the client writes to the connection.
    fn copies(&self) -> Copies {
        Copies {
            of_each: 2,
            of_one: 0,
        }
    }

    /// The envelope, and the headers as they are written.
    fn message_bytes(&self, message: &OutboundMessage) -> u64 {
        let id = self.message_id(message);
        let lines = self.header_fields(&id);
        let lines = lines
            .iter()
            .map(|(name, value)| name.len() + value.len() + ": \r\n".len());
        let of_headers = "NATS/1.0\r\n".len() + lines.sum::<usize>() + "\r\n".len();
        (message.body.len() + of_headers) as u64
    }

    fn check(&self) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(async move {
            let examined = self.examine().await;
            examined.map_err(|failure| self.error(&failure))
        })
    }

    fn dead_letters(&self) -> BoxFuture<'_, Result<DeadLetterCount, QueueError>> {
        Box::pin(async move {
            let counted = self.count_dead_letters().await;
            counted.map_err(|failure| self.error(&failure))
        })
    }

    /// Without a bucket for them, whoever asks has it.
    fn lease<'a>(&'a self, work: &'a str) -> BoxFuture<'a, Result<Option<Lease>, QueueError>> {
        Box::pin(async move {
            let Some(bucket) = &self.servers.url.leases else {
                return Ok(Some(Lease::of(())));
            };
            let taken = lease::take(&self.servers, bucket, work).await;
            let taken = taken.map_err(|failure| self.error(&failure))?;
            Ok(taken.map(Lease::of))
        })
    }
}

impl fmt::Debug for NatsQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NatsQueue({})", self.servers.resource())
    }
}

/// Headers of a message.
///
/// # Errors
/// [`Failure`] when a value would break out of its line.
pub(crate) fn headers(pairs: &[(&'static str, &str)]) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let value: HeaderValue = value.parse().map_err(|_| {
            let problem = format!("an event has a line break in its {name}");
            Failure::new(Misconfigured, problem, "send it without").answered()
        })?;
        headers.insert(*name, value);
    }
    Ok(headers)
}
