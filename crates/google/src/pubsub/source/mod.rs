//! The events of a subscription, for a consumer.
//!
//! Over the JSON API, since the official client only streams, and decides by itself how much it holds. Pub/Sub does not
//! tell whether a receipt was still good: an acknowledgement that came too late is told as done, and the event is
//! received again then.

mod dead_letters;
mod message;
mod open;
mod receipt;
mod requests;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use dead_letters::DeadLetters;
use labelrelay_core::{BoxFuture, EventSource, EventSourceError, Extended, ReceivedEvent, Settled};
use message::Pulled;
use receipt::PubSubReceipt;
use requests::Subscription;
use serde_json::json;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Messages that one pull takes at most.
const BATCH: usize = 100;

/// Receipts in one request at most.
const RECEIPTS: usize = 1000;

/// Longest that Pub/Sub hides a message.
const LONGEST: Duration = Duration::from_secs(600);

/// A pull is not given up sooner: what it was just about to bring would be hidden from everybody for a while.
const SHORTEST_PULL: Duration = Duration::from_secs(1);

/// Pause after an empty answer: how long a pull waits is for Pub/Sub to decide.
const PAUSE: Duration = Duration::from_millis(200);

/// Time for which a message is hidden while it becomes a dead letter: longer than all that is done meanwhile may take.
const WHILE_REJECTED: Duration = Duration::from_secs(120);

/// A subscription of Pub/Sub as a source of events. Needs a Tokio runtime with its timer.
///
/// It has a dead-letter policy: only with one does Pub/Sub count, and end what was received too often. A receipt holds
/// what stood beside the message, so it is longer than Pub/Sub's own.
pub struct PubSubSource {
    subscription: Subscription,
    dead_letters: DeadLetters,
    /// The subscription keeps the order of messages with the same key.
    is_ordered: bool,
    /// Messages that the next pull asks for at most: fewer, after an answer that was too large.
    batch: AtomicUsize,
}

impl PubSubSource {
    async fn try_receive(
        &self,
        max: usize,
        visibility: Duration,
        wait: Duration,
    ) -> Result<Vec<ReceivedEvent>, EventSourceError> {
        if max == 0 {
            return Ok(Vec::new());
        }
        self.seconds(visibility)?;
        let begun = Instant::now();
        loop {
            let left = wait.saturating_sub(begun.elapsed());
            let events = self.pull(max, left).await?;
            let events = self.hidden(events, visibility).await?;
            // The last pull does not wait, so it is not given up: only its answer tells an empty subscription from one that
            // cannot be reached.
            if !events.is_empty() || left.is_zero() {
                return Ok(events);
            }
            sleep(PAUSE.min(wait.saturating_sub(begun.elapsed()))).await;
        }
    }

    /// Hides what was pulled for `visibility`: until then the subscription's own deadline holds, which may be ten seconds.
    /// Each pull counts as a delivery, so it is tried once more before they are given back.
    async fn hidden(
        &self,
        events: Vec<ReceivedEvent>,
        visibility: Duration,
    ) -> Result<Vec<ReceivedEvent>, EventSourceError> {
        if events.is_empty() {
            return Ok(events);
        }
        let receipts: Vec<_> = events.iter().map(|event| event.receipt.as_str()).collect();
        let mut hidden = self.hide(&receipts, visibility).await;
        if hidden.as_ref().is_err_and(|error| error.retryable) {
            sleep(PAUSE).await;
            hidden = self.hide(&receipts, visibility).await;
        }
        if hidden.is_err() {
            // Nobody waits for them then, if it succeeds.
            let _ = self.hide(&receipts, Duration::ZERO).await;
        }
        let each = events.into_iter().zip(hidden?);
        let ours = each.filter(|(_, hidden)| *hidden == Settled::Done);
        Ok(ours.map(|(event, _)| event).collect())
    }

    /// One request, which Pub/Sub may answer with nothing.
    async fn pull(
        &self,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<ReceivedEvent>, EventSourceError> {
        let batch = self.batch.load(Ordering::Relaxed);
        let asked = json!({
            "maxMessages": max.min(batch),
            "returnImmediately": wait.is_zero(),
        });
        let wait = (!wait.is_zero()).then(|| wait.max(SHORTEST_PULL));
        let body = match self.subscription.pull(&asked, wait).await? {
            Pulled::Nothing => return Ok(Vec::new()),
            Pulled::TooMuch => {
                self.batch.store(1, Ordering::Relaxed);
                let problem = "more came at once than is taken into memory";
                let cure = "it is asked for less next time";
                return Err(self.subscription.error(problem, cure).retryable());
            }
            Pulled::Body(body) => body,
        };
        let events = self.events(&body)?;
        let larger = batch.saturating_mul(2).min(BATCH);
        self.batch.store(larger, Ordering::Relaxed);
        Ok(events)
    }

    fn events(&self, body: &Bytes) -> Result<Vec<ReceivedEvent>, EventSourceError> {
        const CURE: &str = "look for a proxy that changes answers between here and Pub/Sub";
        let Some((events, senseless)) = message::events(body, self.is_ordered) else {
            let problem = "an answer to a pull cannot be understood";
            return Err(self.subscription.error(problem, CURE).retryable());
        };
        if senseless == 0 {
            return Ok(events);
        }
        let problem = "a message came without a receipt, or with data that cannot be read";
        if events.is_empty() {
            return Err(self.subscription.error(problem, CURE).retryable());
        }
        // They keep no good one back, and come again.
        let subscription = &self.subscription.resource;
        tracing::error!(name: "message_damaged", %subscription, messages = senseless, problem, "messages did not arrive as they were queued, and are not handed out");
        Ok(events)
    }

    async fn try_reject(
        &self,
        event: &ReceivedEvent,
        reason: &str,
    ) -> Result<Settled, EventSourceError> {
        let Some(receipt) = PubSubReceipt::parse(&event.receipt) else {
            return Ok(Settled::Stale);
        };
        // Nobody else gets it meanwhile.
        let held = self.hide(&[&event.receipt], WHILE_REJECTED).await?;
        // Only a subscription that delivers exactly once tells.
        if held.first() == Some(&Settled::Stale) {
            return Ok(Settled::Stale);
        }
        self.dead_letters
            .send(&event.envelope, receipt, reason)
            .await?;
        let done = self.acknowledge(&[&event.receipt]).await?;
        Ok(done.first().copied().unwrap_or(Settled::Stale))
    }

    async fn acknowledge(&self, receipts: &[&str]) -> Result<Vec<Settled>, EventSourceError> {
        self.settle("acknowledge", receipts, None).await
    }

    async fn hide(
        &self,
        receipts: &[&str],
        time: Duration,
    ) -> Result<Vec<Settled>, EventSourceError> {
        let seconds = self.seconds(time)?;
        self.settle("modifyAckDeadline", receipts, Some(seconds))
            .await
    }

    /// Tells Pub/Sub about messages by their receipts. What is no receipt of a subscription is stale.
    async fn settle(
        &self,
        method: &str,
        receipts: &[&str],
        seconds: Option<u64>,
    ) -> Result<Vec<Settled>, EventSourceError> {
        let ids: Vec<_> = receipts
            .iter()
            .map(|receipt| PubSubReceipt::parse(receipt).map(|receipt| receipt.ack_id))
            .collect();
        let known: Vec<_> = ids.iter().flatten().map(String::as_str).collect();
        let (mut settled, mut failed) = (Vec::with_capacity(known.len()), None);
        for ids in known.chunks(RECEIPTS) {
            match self.subscription.settle(method, ids, seconds).await {
                Ok(some) => settled.extend(some),
                // The rest is told all the same.
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        let mut settled = settled.into_iter();
        let outcome = |id: &Option<String>| {
            let known = id.as_ref().and_then(|_| settled.next());
            known.unwrap_or(Settled::Stale)
        };
        Ok(ids.iter().map(outcome).collect())
    }

    /// A time in whole seconds, not less than it.
    fn seconds(&self, time: Duration) -> Result<u64, EventSourceError> {
        if time > LONGEST {
            let problem = format!("Pub/Sub hides no message for {} seconds", time.as_secs());
            let cure = "ask for 600 at most, and extend events that take longer";
            return Err(self.subscription.error(&problem, cure));
        }
        Ok(time.as_secs() + u64::from(time.subsec_nanos() > 0))
    }
}

impl EventSource for PubSubSource {
    fn receive(
        &self,
        max: usize,
        visibility: Duration,
        wait: Duration,
    ) -> BoxFuture<'_, Result<Vec<ReceivedEvent>, EventSourceError>> {
        Box::pin(self.try_receive(max, visibility, wait))
    }

    fn ack<'a>(
        &'a self,
        receipts: &'a [&'a str],
    ) -> BoxFuture<'a, Result<Vec<Settled>, EventSourceError>> {
        Box::pin(self.acknowledge(receipts))
    }

    /// A longer time than 600 seconds is cut to that.
    fn retry<'a>(
        &'a self,
        receipts: &'a [&'a str],
        after: Duration,
    ) -> BoxFuture<'a, Result<Vec<Settled>, EventSourceError>> {
        Box::pin(self.hide(receipts, after.min(LONGEST)))
    }

    fn extend<'a>(
        &'a self,
        receipt: &'a str,
        visibility: Duration,
    ) -> BoxFuture<'a, Result<Extended, EventSourceError>> {
        Box::pin(async move {
            let kept = self.hide(&[receipt], visibility).await?;
            Ok(match kept.first() {
                Some(Settled::Done) => Extended::Until(receipt.to_owned()),
                _ => Extended::Stale,
            })
        })
    }

    fn reject<'a>(
        &'a self,
        event: &'a mut ReceivedEvent,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<Settled, EventSourceError>> {
        Box::pin(self.try_reject(event, reason))
    }
}

impl fmt::Debug for PubSubSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PubSubSource({})", self.subscription.resource)
    }
}
