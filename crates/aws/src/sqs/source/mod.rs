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
mod too_often;

pub(crate) use requests::SqsRequests;

use super::attributes;
use bytes::Bytes;
use dead_letters::DeadLetters;
use labelrelay_core::{BoxFuture, EventSource, EventSourceError, Extended, ReceivedEvent, Settled};
use labelrelay_event::S3Pointer;
use receipt::{LONGEST_S, SqsReceipt};
use requests::Action;
use serde_json::{Value, json};
use std::fmt;
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, sleep};

/// Messages that one request receives at most.
const BATCH: usize = 10;

/// Longest that SQS itself waits for a message.
const LONGEST_POLL: Duration = Duration::from_secs(20);

/// Pause after an empty answer: not every server waits when it is told to.
const PAUSE: Duration = Duration::from_millis(200);

/// Longest that SQS hides a message.
const LONGEST: Duration = Duration::from_secs(LONGEST_S);

/// Time for which a message is hidden while it becomes a dead letter: longer than both requests may take.
const WHILE_REJECTED: Duration = Duration::from_mins(2);

/// Least time for the dead letters of one receive, however short the visibility.
const SHORTEST_BURIAL: Duration = Duration::from_secs(1);

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
        let seconds = self.seconds(visibility)?;
        let begun = Instant::now();
        loop {
            let left = wait.saturating_sub(begun.elapsed());
            let poll = Duration::from_secs(whole_seconds(left.min(LONGEST_POLL)));
            let asked = json!({
                "MaxNumberOfMessages": max.min(BATCH),
                "VisibilityTimeout": seconds,
                "WaitTimeSeconds": poll.as_secs(),
                "MessageSystemAttributeNames": ["ApproximateReceiveCount", "MessageGroupId", "MessageDeduplicationId"],
                "MessageAttributeNames": ["All"],
            });
            let asked_s = now_s();
            let answer = self.queue.call(Action::Receive, asked, poll).await;
            let answer = answer.map_err(|error| self.queue.source_error(&error))?;
            let events = self.events(answer, asked_s)?;
            let limit = (visibility / 3).max(SHORTEST_BURIAL);
            let events = self.bury_too_often(events, limit).await;
            if !events.is_empty() || begun.elapsed() >= wait {
                return Ok(events);
            }
            sleep(PAUSE.min(wait.saturating_sub(begun.elapsed()))).await;
        }
    }

    /// The events of an answer to who asked at `asked_s`.
    fn events(
        &self,
        mut answer: Value,
        asked_s: u64,
    ) -> Result<Vec<ReceivedEvent>, EventSourceError> {
        let messages = match answer.get_mut("Messages").map(Value::take) {
            Some(Value::Array(messages)) => messages,
            _ => Vec::new(),
        };
        let is_fifo = self.queue.location.is_fifo();
        let mut events = Vec::with_capacity(messages.len());
        let mut damaged = None;
        for message in messages {
            match event(message, asked_s, is_fifo) {
                Ok(event) => events.push(event),
                Err(problem) => {
                    // It keeps no sound one back, and comes again.
                    tracing::error!(
                        name: "message_damaged",
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
                Err(EventSourceError::new(&self.queue.location.url, problem, cure).retryable())
            }
            _ => Ok(events),
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
        if self.keep(&event.receipt, WHILE_REJECTED).await? == Settled::Stale {
            return Ok(Settled::Stale);
        }
        self.dead_letters.send(event, &receipt, reason).await?;
        let deleted = self.settle(Action::Delete, &[&event.receipt], None).await?;
        Ok(deleted.first().copied().unwrap_or(Settled::Stale))
    }

    /// Hides one message for longer. Once its 12 hours are over, others have it.
    async fn keep(&self, receipt: &str, time: Duration) -> Result<Settled, EventSourceError> {
        let known = SqsReceipt::parse(receipt);
        if known.is_none_or(|receipt| receipt.left_s(now_s()) == 0) {
            return Ok(Settled::Stale);
        }
        let kept = self.hide(&[receipt], time).await?;
        Ok(kept.first().copied().unwrap_or(Settled::Stale))
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

/// Seconds of the Unix time.
fn now_s() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// The event in a message that was asked for at `asked_s`; or why it is none.
fn event(mut message: Value, asked_s: u64, is_fifo: bool) -> Result<ReceivedEvent, &'static str> {
    let receipt = SqsReceipt::of(&message, asked_s).ok_or("a message has no receipt handle")?;
    let text = |name: &str| message.get(name).and_then(Value::as_str);
    let id = text("MessageId").unwrap_or("without an id").to_owned();
    let digest = text("MD5OfBody").unwrap_or_default().to_owned();
    let count = message.get("Attributes").and_then(|all| {
        let count = all.get("ApproximateReceiveCount")?;
        count.as_str()?.parse().ok()
    });
    let sizes = [S3Pointer::SIZE_ATTRIBUTE, S3Pointer::FORMER_SIZE_ATTRIBUTE];
    let size = sizes.iter().find_map(|name| receipt.attributes.get(*name));
    let size = size.and_then(|size| size.get("StringValue")?.as_str()?.parse().ok());
    let Some(Value::String(body)) = message.get_mut("Body").map(Value::take) else {
        return Err("a message has no body");
    };
    if !digest.eq_ignore_ascii_case(&attributes::md5_of(body.as_bytes())) {
        return Err("a message's MD5OfBody is not that of its body");
    }
    let mut event = ReceivedEvent::new(
        Bytes::from(body),
        receipt.to_text(),
        format!("message {id}"),
    )
    .offloaded(size);
    event.receive_count = count;
    // A group of a standard queue has no order.
    event.group = receipt.group.filter(|_| is_fifo);
    Ok(event)
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
            Ok(match self.keep(receipt, visibility).await? {
                Settled::Done => Extended::Until(receipt.to_owned()),
                Settled::Stale => Extended::Stale,
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

impl fmt::Debug for SqsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqsSource({})", self.queue.location.url)
    }
}
