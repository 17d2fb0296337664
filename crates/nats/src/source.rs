//! The way out: the events of a stream, for a consumer.
//!
//! Events are asked for in two ways: what is there at once, and the next one that comes. So no answer is under way that
//! nobody waits for, whose events would be hidden meanwhile.
//!
//! JetStream hides what it hands out for as long as its consumer says. Another time for an event is said by a delayed
//! `-NAK`: the event stays ours, and its acknowledgement counts until it is handed out again.

use crate::consumer::{Consumer, nanoseconds};
use crate::dead_letters::{DeadLetters, one_line};
use crate::failure::Failure;
use crate::receipt::Hold;
use crate::server::{LIMIT, Servers};
use crate::settled::SettledReceipts;
use bytes::Bytes;
use futures_util::future::join_all;
use labelrelay_core::event_source::{Burial, LONGEST_VISIBILITY, bury_too_often, check_visibility};
use labelrelay_core::{
    BackEndError, BoxFuture, EventSource, EventSourceError, Extended, ReceivedEvent, Settled,
    SourceOptions,
};
use serde_json::json;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Events that one receive takes at most.
const BATCH: usize = 100;

/// Time after which the server ends a request for what is there. It keeps one without an end if others were quicker, or
/// hold as much as may be handed out: nobody could tell that from a server that hangs.
const AT_ONCE: Duration = Duration::from_millis(100);

/// Longest wait of one request for the next event.
const POLL: Duration = Duration::from_secs(5);

type Answer<T> = Result<T, EventSourceError>;

/// A stream of NATS, as a source of events.
pub struct NatsSource {
    servers: Arc<Servers>,
    consumer: Consumer,
    dead_letters: DeadLetters,
    /// Receives after which an event becomes a dead letter, if this source was told to see to that.
    max_receives: Option<u32>,
    settled: SettledReceipts,
}

impl NatsSource {
    /// Opens a source, if a stream takes its dead letters.
    pub(crate) async fn open(
        servers: Servers,
        options: &SourceOptions,
    ) -> Result<Self, BackEndError> {
        let servers = Arc::new(servers);
        Ok(Self {
            dead_letters: DeadLetters::open(&servers, options.dead_letter.as_deref()).await?,
            consumer: Consumer::new(Arc::clone(&servers)),
            max_receives: options.max_receives.map(|most| most.max(1)),
            settled: SettledReceipts::default(),
            servers,
        })
    }

    fn error(&self, failure: &Failure) -> EventSourceError {
        failure.fault.of_source(self.servers.resource())
    }

    fn now(&self) -> Duration {
        self.servers.clock.monotonic()
    }

    async fn try_receive(
        &self,
        max: usize,
        visibility: Duration,
        wait: Duration,
    ) -> Answer<Vec<ReceivedEvent>> {
        self.known_time(visibility)?;
        if max == 0 {
            return Ok(Vec::new());
        }
        let begun = self.now();
        loop {
            let most = self.servers.batch(max.min(BATCH));
            let events = self.take(most, visibility, None).await?;
            if !events.is_empty() {
                return Ok(events);
            }
            let left = wait.saturating_sub(self.now().saturating_sub(begun));
            if left.is_zero() {
                return Ok(events);
            }
            let events = self.take(1, visibility, Some(left.min(POLL))).await?;
            if !events.is_empty() {
                return Ok(events);
            }
        }
    }

    /// Events that are there, or with `wait` the next one that comes; without those that were received too often.
    async fn take(
        &self,
        max: usize,
        visibility: Duration,
        wait: Option<Duration>,
    ) -> Answer<Vec<ReceivedEvent>> {
        let taken = self.try_take(max, visibility, wait).await;
        let events = match taken {
            Ok(events) => events,
            Err(failure) => {
                if failure.is_absent {
                    self.consumer.forget().await;
                }
                return Err(self.error(&failure));
            }
        };
        let tell = |burial: &Burial| self.tell(burial);
        Ok(bury_too_often(self, self.max_receives, events, &tell).await)
    }

    async fn try_take(
        &self,
        max: usize,
        visibility: Duration,
        wait: Option<Duration>,
    ) -> Result<Vec<ReceivedEvent>, Failure> {
        let ack_wait = self.consumer.ack_wait(visibility).await?;
        let url = &self.servers.url;
        let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", url.stream, url.consumer);
        let request = match wait {
            None => json!({"batch": max, "no_wait": true, "expires": nanoseconds(AT_ONCE)}),
            Some(wait) => json!({"batch": max, "expires": nanoseconds(wait)}),
        };
        let limit = LIMIT + wait.unwrap_or_default();
        let mut at = self.now();
        let request = Bytes::from(request.to_string());
        let messages = self.servers.pull(&subject, request, max, limit).await?;
        if wait.is_some() {
            // It was handed out just now, and not when it was asked for.
            at = self.now();
        }
        let deadline = at + visibility;
        let mut events = Vec::with_capacity(messages.len());
        let mut holds = Vec::with_capacity(messages.len());
        for message in messages {
            let reply = message.reply.as_deref().unwrap_or_default();
            let Some(hold) = Hold::of_reply(reply, &url.stream, &url.consumer, deadline) else {
                tracing::error!(name: "message_left_out", queue = self.servers.resource(), "a message came without a place for its acknowledgement; it comes again");
                continue;
            };
            let place = hold.sequence.to_string();
            let event = ReceivedEvent::new(message.payload, hold.to_text(), place);
            events.push(event.received(hold.delivered));
            holds.push(hold);
        }
        if visibility != ack_wait {
            let hides = holds
                .iter()
                .map(|hold| self.say(hold, hidden_for(visibility)));
            for hidden in join_all(hides).await {
                hidden?;
            }
        }
        Ok(events)
    }

    /// Says something of an event, and waits until it was heard.
    async fn say(&self, hold: &Hold, what: Bytes) -> Result<(), Failure> {
        self.servers.ask(&hold.reply, None, what).await.map(|_| ())
    }

    fn hold(&self, receipt: &str) -> Option<Hold> {
        Hold::parse(
            receipt,
            &self.servers.url.stream,
            &self.servers.url.consumer,
        )
    }

    /// An event that is ours, as far as is known: nobody else can have received it, and it was not settled here.
    fn held(&self, receipt: &str) -> Option<Hold> {
        let hold = self.hold(receipt)?;
        (hold.deadline > self.now() && !self.settled.has(&hold)).then_some(hold)
    }

    /// Acknowledges. An event that others may have meanwhile is acknowledged as well: it was worked on.
    async fn ack_one(&self, receipt: &str) -> Answer<Settled> {
        let Some(hold) = self.hold(receipt) else {
            return Ok(Settled::Stale);
        };
        let said = self.say(&hold, Bytes::from_static(b"+ACK")).await;
        said.map_err(|failure| self.error(&failure))?;
        self.settled.note(&hold, self.now());
        Ok(Settled::Done)
    }

    async fn retry_one(&self, receipt: &str, after: Duration) -> Answer<Settled> {
        let Some(hold) = self.held(receipt) else {
            return Ok(Settled::Stale);
        };
        let what = if after.is_zero() {
            Bytes::from_static(b"-NAK")
        } else {
            hidden_for(after.min(LONGEST_VISIBILITY))
        };
        let said = self.say(&hold, what).await;
        said.map_err(|failure| self.error(&failure))?;
        self.settled.note(&hold, self.now());
        Ok(Settled::Done)
    }

    async fn try_extend(&self, receipt: &str, visibility: Duration) -> Answer<Extended> {
        self.known_time(visibility)?;
        let Some(mut hold) = self.held(receipt) else {
            return Ok(Extended::Stale);
        };
        let ack_wait = self.consumer.ack_wait(visibility).await;
        let ack_wait = ack_wait.map_err(|failure| self.error(&failure))?;
        let what = if visibility == ack_wait {
            Bytes::from_static(b"+WPI")
        } else {
            hidden_for(visibility)
        };
        let deadline = self.now() + visibility;
        let said = self.say(&hold, what).await;
        said.map_err(|failure| self.error(&failure))?;
        hold.deadline = deadline;
        Ok(Extended::Until(hold.to_text()))
    }

    /// Publishes a dead letter, and only then ends the event.
    async fn try_reject(&self, event: &ReceivedEvent, reason: &str) -> Answer<Settled> {
        let Some(hold) = self.held(&event.receipt) else {
            return Ok(Settled::Stale);
        };
        let reason = one_line(reason);
        let published = self.dead_letters.publish(event, &hold, &reason).await;
        published.map_err(|failure| self.error(&failure))?;
        let said = self.say(&hold, format!("+TERM {reason}").into()).await;
        said.map_err(|failure| self.error(&failure))?;
        self.settled.note(&hold, self.now());
        Ok(Settled::Done)
    }

    /// Logs what became of an event that was received too often.
    fn tell(&self, burial: &Burial) {
        let (queue, place, times) = (self.servers.resource(), &burial.place, burial.times);
        match &burial.outcome {
            // Others have it again, and will see the same.
            Ok(Settled::Stale) => {}
            Ok(Settled::Done) => {
                tracing::warn!(name: "event_buried", %queue, %place, times, "an event was received too often, and is a dead letter now");
            }
            Err(error) => {
                tracing::error!(name: "event_not_buried", %queue, %place, times, %error, "an event was received too often, and could not be made a dead letter; tried again when it comes again");
            }
        }
    }

    fn known_time(&self, time: Duration) -> Answer<()> {
        check_visibility(self.servers.resource(), time, LONGEST_VISIBILITY)
    }
}

impl EventSource for NatsSource {
    fn limits_receives(&self) -> bool {
        self.max_receives.is_some()
    }

    fn receive(
        &self,
        max: usize,
        visibility: Duration,
        wait: Duration,
    ) -> BoxFuture<'_, Answer<Vec<ReceivedEvent>>> {
        Box::pin(self.try_receive(max, visibility, wait))
    }

    fn ack<'a>(&'a self, receipts: &'a [&'a str]) -> BoxFuture<'a, Answer<Vec<Settled>>> {
        Box::pin(async move {
            let acks = receipts.iter().map(|receipt| self.ack_one(receipt));
            join_all(acks).await.into_iter().collect()
        })
    }

    fn retry<'a>(
        &'a self,
        receipts: &'a [&'a str],
        after: Duration,
    ) -> BoxFuture<'a, Answer<Vec<Settled>>> {
        Box::pin(async move {
            let retries = receipts
                .iter()
                .map(|receipt| self.retry_one(receipt, after));
            join_all(retries).await.into_iter().collect()
        })
    }

    fn extend<'a>(
        &'a self,
        receipt: &'a str,
        visibility: Duration,
    ) -> BoxFuture<'a, Answer<Extended>> {
        Box::pin(self.try_extend(receipt, visibility))
    }

    fn reject<'a>(
        &'a self,
        event: &'a mut ReceivedEvent,
        reason: &'a str,
    ) -> BoxFuture<'a, Answer<Settled>> {
        Box::pin(self.try_reject(event, reason))
    }
}

impl fmt::Debug for NatsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NatsSource({})", self.servers.resource())
    }
}

/// Says that an event comes again after `time`, unless it is settled before.
fn hidden_for(time: Duration) -> Bytes {
    format!("-NAK {{\"delay\":{}}}", nanoseconds(time)).into()
}
