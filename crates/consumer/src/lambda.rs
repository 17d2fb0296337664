//! Batches that AWS Lambda received from SQS.

use crate::consumer::Consumer;
use crate::outcome::Outcome;
use crate::stats::add;
use crate::words;
use crate::worker::Turn;
use crate::worker::turn::turns;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use bytes::Bytes;
use labelrelay_core::{ReceivedEvent, chain};
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Time of a function that is left when no further message is begun.
const RESERVE: Duration = Duration::from_secs(2);

/// Time of a function that is left when a handler is given up: for the answer, so that what was handled is not handled again.
const LAST_WORDS: Duration = Duration::from_millis(500);

impl Consumer {
    /// Handles a batch of SQS, one message after the other, within the time that the function has `left`. Answers with the
    /// messages that failed, and with no other: turn `ReportBatchItemFailures` on in the event source mapping.
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
        let end = Instant::now() + left;
        let mut consumer = self.clone();
        // Nobody prolongs a lease meanwhile.
        consumer.rules.lease = left + Duration::from_secs(1);
        add(&self.rules.counters.received, event.records.len());
        // Nobody ends its turns, so it lives until the answer.
        let (turn, _control) = turns(1);
        let (mut failed, mut done) = (Vec::new(), Vec::new());
        let mut broken = HashSet::new();
        for (at, message) in event.records.into_iter().enumerate() {
            // Lambda takes an empty name for a failure of the whole batch.
            let id = message.message_id.clone().unwrap_or_default();
            let group = group(&message);
            let reason = if group.as_ref().is_some_and(|group| broken.contains(group)) {
                Some("a message before it in its group failed".to_owned())
            } else if at > 0 && Instant::now() + RESERVE > end {
                // One is tried in any case: a function of two seconds would do nothing else.
                Some("the function's time is over".to_owned())
            } else {
                consumer.one(message, &turn, end).await
            };
            match reason {
                None => done.push(id),
                Some(reason) => {
                    add(&self.rules.counters.retried, 1);
                    tracing::warn!(name: "message_failed", message = id, reason = words::one_line(&reason), "a message failed, and comes again");
                    broken.extend(group);
                    failed.push(id);
                }
            }
        }
        if let Err(error) = self.rules.state.sync().await {
            tracing::error!(name: "not_acknowledged", events = done.len(), reason = %chain(&error), "the state could not be made durable: all messages come again");
            failed.append(&mut done);
        }
        add(&self.rules.counters.acknowledged, done.len());
        let mut answer = SqsBatchResponse::default();
        answer.set_failures(failed);
        answer
    }

    /// Handles one message. Returns why it failed, if it did.
    async fn one(&self, message: SqsMessage, turn: &Turn, end: Instant) -> Option<String> {
        let id = message.message_id.unwrap_or_default();
        let body = Bytes::from(message.body.unwrap_or_default());
        let received = ReceivedEvent::new(body, "", format!("message {id}"));
        let last = end.checked_sub(LAST_WORDS).unwrap_or(end);
        let outcome = timeout_at(last, self.rules.event(&received, turn)).await;
        match outcome {
            Ok(Outcome::Done) => None,
            Ok(Outcome::Again { reason, .. }) => Some(reason),
            Ok(Outcome::Rejected { reason }) => Some(format!("rejected: {reason}")),
            Ok(Outcome::Unreadable { error, reason }) => {
                add(&self.rules.counters.unreadable, 1);
                Some(format!("it cannot be read: {error}: {reason}"))
            }
            Ok(Outcome::NotBegun) => Some("it was not begun".to_owned()),
            Err(_) => Some("its handler was not done when the function's time was over".to_owned()),
        }
    }
}

/// The group of a FIFO queue, whose messages keep their order. A group of a standard queue has none.
fn group(message: &SqsMessage) -> Option<String> {
    let queue = message.event_source_arn.as_deref()?;
    let is_fifo = queue.ends_with(".fifo");
    message
        .attributes
        .get("MessageGroupId")
        .filter(|_| is_fifo)
        .cloned()
}
