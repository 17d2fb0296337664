//! Batches that AWS Lambda received from SQS.

use crate::consumer::Consumer;
use crate::outcome::Outcome;
use crate::stats::add;
use crate::words;
use crate::worker::Slots;
use crate::worker::slots::slots;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage, SqsMessageAttribute};
use bytes::Bytes;
use futures_util::future::join_all;
use labelrelay_core::{ReceivedEvent, chain};
use labelrelay_event::S3Pointer;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Time of a function that is left when no further handler is called.
const RESERVE: Duration = Duration::from_secs(2);

/// Time of a function that is left when a handler is given up: for the answer, so that what was handled is not handled again.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// No function has longer. Without a bound, times would overflow.
const LONGEST: Duration = Duration::from_secs(86_400);

impl Consumer {
    /// Handles a batch of SQS within the time that the function has `left`, one handler at a time. A message whose thing
    /// another instance is handling keeps no other waiting. Answers with the messages that failed, and with no other: turn
    /// `ReportBatchItemFailures` on in the event source mapping.
    ///
    /// A message that failed comes again after the queue's visibility timeout, whatever its [`Failure`](crate::Failure) says.
    /// A rejected one counts as failed: the queue's redrive policy makes a dead letter of it. In a FIFO queue, what follows a
    /// message that failed in its group fails too, so that nothing overtakes it. What there is no time for comes again.
    ///
    /// Use a state that all instances share: each has a memory of its own.
    ///
    /// ```
    /// use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
    /// use labelrelay_consumer::Consumer;
    /// use std::time::Duration;
    ///
    /// async fn function(consumer: &Consumer, event: SqsEvent, left: Duration) -> SqsBatchResponse {
    ///     consumer.answer_sqs(event, left).await
    /// }
    /// ```
    pub async fn answer_sqs(&self, event: SqsEvent, left: Duration) -> SqsBatchResponse {
        let left = left.min(LONGEST);
        let end = Instant::now() + left;
        let mut consumer = self.clone();
        // Nobody prolongs a lease meanwhile.
        consumer.rules.lease = left + Duration::from_secs(1);
        let count = event.records.len();
        add(&self.rules.counters.received, count);
        let (slots, control) = slots(1);
        let lines = lines(event);
        let all = join_all(
            lines
                .into_iter()
                .map(|line| consumer.line(line, &slots, end)),
        );
        let over = async {
            // Some time is for the work in any case: a function of two seconds would do nothing else.
            tokio::time::sleep(left.saturating_sub(RESERVE).max(left / 2)).await;
            control.end();
            std::future::pending::<()>().await;
        };
        let mut ended: Vec<Ended> = tokio::select! {
            ended = all => ended.into_iter().flatten().collect(),
            () = over => Vec::new(),
        };
        if let Err(error) = self.rules.state.sync().await {
            tracing::error!(name: "not_acknowledged", events = count, reason = %chain(&error), "the state could not be made durable: all messages come again");
            for one in &mut ended {
                one.is_done = false;
            }
        }
        // As they came.
        ended.sort_by_key(|one| one.at);
        let failed = ended.iter().filter(|one| !one.is_done);
        let mut answer = SqsBatchResponse::default();
        answer.set_failures(failed.map(|one| one.id.clone()));
        add(
            &self.rules.counters.acknowledged,
            count - answer.batch_item_failures.len(),
        );
        answer
    }

    /// Handles messages that keep their order. Nothing overtakes one that failed.
    async fn line(&self, line: Vec<Message>, slots: &Slots, end: Instant) -> Vec<Ended> {
        let (mut ended, mut is_broken) = (Vec::new(), false);
        for Message { at, message } in line {
            // Lambda takes an empty name for a failure of the whole batch.
            let id = message.message_id.clone().unwrap_or_default();
            let reason = if is_broken {
                Some("a message before it in its group failed".to_owned())
            } else {
                self.one(message, slots, end).await
            };
            let is_done = reason.is_none();
            if let Some(reason) = reason {
                is_broken = true;
                add(&self.rules.counters.retried, 1);
                tracing::warn!(name: "message_failed", message = id, reason = words::one_line(&reason), "a message failed, and comes again");
            }
            ended.push(Ended { at, id, is_done });
        }
        ended
    }

    /// Handles one message. Returns why it failed, if it did.
    async fn one(&self, message: SqsMessage, slots: &Slots, end: Instant) -> Option<String> {
        let id = message.message_id.unwrap_or_default();
        let body = Bytes::from(message.body.unwrap_or_default());
        let size = offloaded(&message.message_attributes);
        let received = ReceivedEvent::new(body, "", format!("message {id}")).offloaded(size);
        let last = end.checked_sub(LAST_WORDS).unwrap_or(end);
        let outcome = timeout_at(last, self.rules.event(&received, slots)).await;
        match outcome {
            Ok(Outcome::Done) => None,
            Ok(Outcome::Again { reason, .. }) => Some(reason),
            Ok(Outcome::Rejected { reason }) => Some(format!("rejected: {reason}")),
            Ok(Outcome::Unreadable { error, reason }) => {
                add(&self.rules.counters.unreadable, 1);
                Some(format!("it cannot be read: {error}: {reason}"))
            }
            Ok(Outcome::NotBegun) => Some("the function's time is over".to_owned()),
            Err(_) => Some("its handler was not done when the function's time was over".to_owned()),
        }
    }
}

/// Size of the envelope of a message that is a pointer to it.
fn offloaded(attributes: &HashMap<String, SqsMessageAttribute>) -> Option<u64> {
    let names = [S3Pointer::SIZE_ATTRIBUTE, S3Pointer::FORMER_SIZE_ATTRIBUTE];
    let size = names.iter().find_map(|name| attributes.get(*name))?;
    size.string_value.as_deref()?.parse().ok()
}

/// A message, and its place in the batch.
struct Message {
    at: usize,
    message: SqsMessage,
}

/// End of a message.
struct Ended {
    at: usize,
    id: String,
    is_done: bool,
}

/// The messages by their groups; one without a group has a line of its own, so that it waits for no other.
fn lines(event: SqsEvent) -> Vec<Vec<Message>> {
    let mut lines: Vec<Vec<Message>> = Vec::new();
    let mut groups = HashMap::new();
    for (at, message) in event.records.into_iter().enumerate() {
        let known = group(&message).map(|group| *groups.entry(group).or_insert(lines.len()));
        match known.and_then(|line| lines.get_mut(line)) {
            Some(line) => line.push(Message { at, message }),
            None => lines.push(vec![Message { at, message }]),
        }
    }
    lines
}

/// The group of a FIFO queue, whose messages keep their order. A group of a standard queue has none.
fn group(message: &SqsMessage) -> Option<String> {
    let queue = message.event_source_arn.as_deref()?;
    let is_fifo = queue.strip_suffix(".fifo").is_some();
    message
        .attributes
        .get("MessageGroupId")
        .filter(|_| is_fifo)
        .cloned()
}
