//! The second half: from the last byte to the answer. Runs detached from the connection.

use super::Relay;
use super::attempts::{Times, attempts};
use super::receive::Received;
use super::refusal::Refusal;
use crate::describe::Inspection;
use crate::observe::Report;
use crate::outcome::{Answer, Outcome};
use crate::payload::Payload;
use crate::provider::Provider;
use crate::queue::{OutboundMessage, QueueError, QueueErrorKind};
use crate::request::RequestHead;
use crate::signature::Verified;
use crate::source::Source;
use futures_util::StreamExt;
use labelrelay_event::Attributes;
use std::sync::Arc;
use std::time::Duration;

impl Relay {
    /// Finishes a delivery: verifies, describes, wraps and sends it. The answer is a success only
    /// once the event is durable. Ends at the latest [`GIVE_UP`](super::GIVE_UP) after the last byte.
    pub async fn complete(&self, mut received: Box<Received>) -> Answer {
        let (arrived, deadline) = (received.head.arrived, received.times.answer);
        let unknown = Report::new(Outcome::Bug, Duration::ZERO);
        let mut report = std::mem::replace(&mut received.report, unknown);
        let answer = self.deliver(received, &mut report).await;
        let now = self.parts.clock.monotonic();
        report.outcome = answer.outcome;
        report.elapsed = now.saturating_sub(arrived);
        report.late = now > deadline;
        self.parts.observer.request(&report);
        answer
    }

    async fn deliver(&self, received: Box<Received>, report: &mut Report) -> Answer {
        let Received {
            head,
            check,
            payload,
            times,
            in_flight: _in_flight,
            ..
        } = *received;
        let Some(source) = report.source.as_deref().and_then(|name| self.source(name)) else {
            return Answer::refusal(Outcome::Bug, "the source is gone");
        };
        let (digest, verified) = self.verify(source, check, payload, times.answer).await;
        report.digest = Some(digest);
        let verified = match verified {
            Ok(verified) => verified,
            Err(error) => {
                let scheme = source.header.as_ref();
                return Refusal::from(error).reported(report, &head, scheme);
            }
        };
        report.verified_by = Some(verified.by().to_owned());
        if verified.get().is_empty() {
            // The signature of `GET /models` is the signature of every empty body.
            return because(report, Outcome::Malformed, "an empty body is no event");
        }
        let Inspection { check, description } =
            match inspect(source.provider, &head, &verified).await {
                Ok(inspection) => inspection,
                Err(error) => {
                    return because(
                        report,
                        Outcome::Unavailable,
                        &format!("the body cannot be read back: {error}"),
                    );
                }
            };
        let id = self.event_id(source, &head, &description, &digest);
        report.event_id = Some(id.clone());
        report.event_type = Some(description.event_type.to_string());
        if !source.filter.passes(&description.event_type) {
            return Answer::event(Outcome::Filtered, &id);
        }
        let attributes = self.attributes(id, source, &head, &description, check, &digest);
        self.hand_over(source, attributes, check, &verified, times, report)
            .await
    }

    /// Puts the event on the queue, its body in the blob store first where it does not fit.
    async fn hand_over(
        &self,
        source: &Source,
        attributes: Attributes,
        check: crate::json::Check,
        body: &Verified<Payload>,
        times: Times,
        report: &mut Report,
    ) -> Answer {
        let blobs = self.parts.blobs.as_deref();
        let attributes = Arc::new(attributes);
        if let Some(message) = self.embed(&attributes, check, body) {
            match (self.send(source, &message, times, report).await, blobs) {
                (Ok(outcome), _) => return Answer::event(outcome, message.id()),
                // The queue's limit was lowered, or it counts in another way than we do.
                (Err(error), Some(_)) if error.kind == QueueErrorKind::TooLarge => {}
                (Err(error), _) => return refused(report, &error),
            }
        }
        let Some(blobs) = blobs else {
            let limit = self.parts.queue.limits().max_message_bytes;
            let message = format!(
                "the event is larger than the queue's {limit} bytes, and no blob_store is configured to take its data"
            );
            return because(report, Outcome::TooLarge, &message);
        };
        let message = match self
            .claim(blobs, source, Arc::unwrap_or_clone(attributes), body, times)
            .await
        {
            Ok(message) => message,
            Err(error) => {
                report.reason = Some(error.to_string());
                return Answer::refusal(
                    Outcome::Unavailable,
                    "the event's data could not be stored; try again",
                );
            }
        };
        report.claimed = true;
        match self.send(source, &message, times, report).await {
            Ok(outcome) => Answer::event(outcome, message.id()),
            Err(error) => refused(report, &error),
        }
    }

    /// Sends until the queue has the message or the time is up.
    async fn send(
        &self,
        source: &Source,
        message: &OutboundMessage,
        times: Times,
        report: &mut Report,
    ) -> Result<Outcome, QueueError> {
        let clock = &*self.parts.clock;
        let begun = clock.monotonic();
        let observer = &self.parts.observer;
        let failed = |error: &QueueError| {
            observer.queue_attempt_failed(&source.name, message.id(), error);
        };
        let sent = attempts(clock, times, || self.parts.queue.send(message), failed).await;
        report.queue_elapsed = Some(clock.monotonic().saturating_sub(begun));
        // A repeat after an attempt of our own that timed out is that attempt, come true.
        sent.map(|(receipt, first)| {
            if receipt.repeat && first {
                Outcome::Repeat
            } else {
                Outcome::Accepted
            }
        })
    }
}

async fn inspect(
    provider: Provider,
    head: &RequestHead,
    verified: &Verified<Payload>,
) -> std::io::Result<Inspection> {
    let mut inspector = provider.inspector(head);
    let mut stream = verified.get().stream();
    while let Some(chunk) = stream.next().await {
        inspector.update(&chunk?);
    }
    Ok(inspector.finish())
}

/// The queue's error is for the log; the sender is told no more than it needs.
fn refused(report: &mut Report, error: &QueueError) -> Answer {
    report.reason = Some(error.to_string());
    if error.kind == QueueErrorKind::TooLarge {
        return Answer::refusal(
            Outcome::TooLarge,
            "the event is larger than the queue takes",
        );
    }
    Answer::refusal(
        Outcome::Unavailable,
        "the queue did not take the event; try again",
    )
}

fn because(report: &mut Report, outcome: Outcome, message: &str) -> Answer {
    report.reason = Some(message.to_owned());
    Answer::refusal(outcome, message)
}
