//! The events of a queue, for a consumer.
//!
//! A standard queue does not tell whether a receipt was still good when a message is deleted by it: SQS answers with
//! success and may have deleted nothing. So an acknowledgement that came too late may be told as done; the event is
//! received again then, as any other whose visibility ran out.

mod dead_letters;
mod open;
mod receipt;
mod requests;
mod settle;

pub(crate) use requests::SqsRequests;

use super::attributes;
use bytes::Bytes;
use dead_letters::DeadLetters;
use labelrelay_core::{BoxFuture, EventSource, EventSourceError, Extended, ReceivedEvent, Settled};
use receipt::SqsReceipt;
use requests::Action;
use serde_json::{Value, json};
use std::fmt;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Messages that one request receives at most.
const BATCH: usize = 10;

/// Longest that SQS itself waits for a message.
const LONGEST_POLL: Duration = Duration::from_secs(20);

/// Pause after an empty answer: not every server waits when it is told to.
const PAUSE: Duration = Duration::from_millis(200);

/// Longest that SQS hides a message.
const LONGEST: Duration = Duration::from_hours(12);

/// Time for which a message is hidden while it becomes a dead letter.
const WHILE_REJECTED: Duration = Duration::from_mins(1);

/// A queue of SQS as a source of events, standard or FIFO. Needs a Tokio runtime with its timer.
///
/// A receipt holds what stood beside the message, so it is longer than SQS's own.
pub struct SqsSource {
    queue: SqsRequests,
    dead_letters: DeadLetters,
    /// The queue itself ends what was received too often.
    has_policy: bool,
    /// Receives after which this source does, if it was told to.
    max_receives: Option<u32>,
}

impl SqsSource {
    async fn try_receive(
        &self,
        max: usize,
        visibility: Duration,
        wait: Duration,
    ) -> Result<Vec<ReceivedEvent>, EventSourceError> {
        if max == 0 {
            return Ok(Vec::new());
        }
        let visibility = self.seconds(visibility)?;
        let begun = Instant::now();
        loop {
            let left = wait.saturating_sub(begun.elapsed());
            let poll = Duration::from_secs(whole_seconds(left.min(LONGEST_POLL)));
            let asked = json!({
                "MaxNumberOfMessages": max.min(BATCH),
                "VisibilityTimeout": visibility,
                "WaitTimeSeconds": poll.as_secs(),
                "MessageSystemAttributeNames": ["ApproximateReceiveCount", "MessageGroupId", "MessageDeduplicationId"],
                "MessageAttributeNames": ["All"],
            });
            let answer = self.queue.call(Action::Receive, asked, poll).await;
            let answer = answer.map_err(|error| self.queue.source_error(&error))?;
            let events = self.events(answer).await?;
            if !events.is_empty() || begun.elapsed() >= wait {
                return Ok(events);
            }
            sleep(PAUSE.min(wait.saturating_sub(begun.elapsed()))).await;
        }
    }

    /// The events of an answer, less those that were received too often.
    async fn events(&self, mut answer: Value) -> Result<Vec<ReceivedEvent>, EventSourceError> {
        let messages = match answer.get_mut("Messages").map(Value::take) {
            Some(Value::Array(messages)) => messages,
            _ => Vec::new(),
        };
        let mut events = Vec::with_capacity(messages.len());
        let mut damaged = None;
        for message in messages {
            match event(message) {
                Ok(event) if self.is_too_often(&event) => self.bury(&event).await,
                Ok(event) => events.push(event),
                Err(problem) => {
                    // It keeps no sound one back, and comes again.
                    tracing::error!(
                        event = "message_damaged",
                        queue = self.queue.location.name,
                        problem,
                        "a message did not arrive as it was queued, and is not handed out"
                    );
                    damaged = Some(problem);
                }
            }
        }
        match damaged {
            Some(problem) if events.is_empty() => {
                let cure = "look for a proxy that changes answers between here and SQS";
                Err(EventSourceError::new(&self.queue.location.url, problem, cure).passing())
            }
            _ => Ok(events),
        }
    }

    fn is_too_often(&self, event: &ReceivedEvent) -> bool {
        let received = event.receive_count.unwrap_or(0);
        self.max_receives.is_some_and(|most| received > most)
    }

    /// Makes a dead letter of an event that was received too often. If that fails, it is received again.
    async fn bury(&self, event: &ReceivedEvent) {
        let times = event.receive_count.unwrap_or(0).saturating_sub(1);
        let reason = format!("received {times} times and never acknowledged");
        let (queue, place) = (&self.queue.location.name, &event.place);
        match self.try_reject(event, &reason).await {
            // Others have it again, and will see the same.
            Ok(Settled::Stale) => {}
            Ok(Settled::Done) => {
                tracing::warn!(event = "event_buried", %queue, %place, times, "an event was received too often, and is a dead letter now");
            }
            Err(error) => {
                tracing::error!(event = "event_not_buried", %queue, %place, times, %error, "an event was received too often, and could not be made a dead letter; tried again when it comes again");
            }
        }
    }

    async fn try_reject(
        &self,
        event: &ReceivedEvent,
        reason: &str,
    ) -> Result<Settled, EventSourceError> {
        let Some(receipt) = SqsReceipt::parse(&event.receipt) else {
            return Ok(Settled::Stale);
        };
        // Nobody else gets it meanwhile; and it is known to be ours, as far as SQS tells.
        let held = self.hide(&[&event.receipt], WHILE_REJECTED).await?;
        if held.first() != Some(&Settled::Done) {
            return Ok(Settled::Stale);
        }
        self.dead_letters.send(event, &receipt, reason).await?;
        let deleted = self.settle(Action::Delete, &[&event.receipt], None).await?;
        Ok(deleted.first().copied().unwrap_or(Settled::Stale))
    }

    async fn hide(
        &self,
        receipts: &[&str],
        time: Duration,
    ) -> Result<Vec<Settled>, EventSourceError> {
        let seconds = self.seconds(time)?;
        self.settle(Action::Hide, receipts, Some(seconds)).await
    }

    /// A time in whole seconds, not less than it.
    fn seconds(&self, time: Duration) -> Result<u64, EventSourceError> {
        if time > LONGEST {
            let problem = format!("SQS hides no message for {} seconds", time.as_secs());
            let cure = "ask for 12 hours at most";
            return Err(EventSourceError::new(
                &self.queue.location.url,
                problem,
                cure,
            ));
        }
        Ok(whole_seconds(time))
    }
}

fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// The event in a message; or why it is none.
fn event(mut message: Value) -> Result<ReceivedEvent, &'static str> {
    let receipt = SqsReceipt::of(&message).ok_or("a message has no receipt handle")?;
    let text = |name: &str| message.get(name).and_then(Value::as_str);
    let id = text("MessageId").unwrap_or("without an id").to_owned();
    let digest = text("MD5OfBody").unwrap_or_default().to_owned();
    let count = message.get("Attributes").and_then(|all| {
        let count = all.get("ApproximateReceiveCount")?;
        count.as_str()?.parse().ok()
    });
    let Some(Value::String(body)) = message.get_mut("Body").map(Value::take) else {
        return Err("a message has no body");
    };
    if !digest.eq_ignore_ascii_case(&attributes::md5_of(body.as_bytes())) {
        return Err("a message's MD5OfBody is not that of its body");
    }
    let event = ReceivedEvent::new(
        Bytes::from(body),
        receipt.to_text(),
        format!("message {id}"),
    );
    Ok(match count {
        Some(count) => event.received(count),
        None => event,
    })
}

impl EventSource for SqsSource {
    fn limits_receives(&self) -> bool {
        self.has_policy || self.max_receives.is_some()
    }

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
        Box::pin(self.settle(Action::Delete, receipts, None))
    }

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
        event: &'a ReceivedEvent,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<Settled, EventSourceError>> {
        Box::pin(self.try_reject(event, reason))
    }
}

impl fmt::Debug for SqsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqsSource({})", self.queue.location.url)
    }
}
