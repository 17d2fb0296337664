//! From a described event to a durable one: the queue, a claim check before it where the event is too
//! large, the fallback where the queue does not take it in time.

use super::Relay;
use super::attempts::{Times, attempts};
use super::breaker::Change;
use super::complete::because;
use crate::blob::BlobError;
use crate::fallback::{FallbackStore, key};
use crate::json::Check;
use crate::observe::Report;
use crate::outcome::{Answer, Outcome};
use crate::payload::Payload;
use crate::queue::{OutboundMessage, QueueError, QueueErrorKind};
use crate::signature::Verified;
use crate::source::Source;
use labelrelay_event::Attributes;
use std::sync::Arc;

impl Relay {
    /// Makes the event durable. The answer is a success only when it is.
    pub(super) async fn hand_over(
        &self,
        source: &Source,
        attributes: Attributes,
        check: Check,
        body: &Verified<Payload>,
        times: Times,
        report: &mut Report,
    ) -> Answer {
        let attributes = Arc::new(attributes);
        let limit = self.parts.queue.limits().max_message_bytes;
        let whole = || self.embed(&attributes, check, body);
        let small = (body.get().len() <= limit).then(whole).flatten();
        if let Some(message) = small.filter(|message| self.fits(message)) {
            match self.store(source, &message, times, report).await {
                // The queue's limit was lowered, or it counts in another way than we do.
                Err(error) if error.kind == QueueErrorKind::TooLarge => {}
                other => return answer(other, &message, report),
            }
        }
        let why = match self.claimed(source, &attributes, body, times, report).await {
            Ok(message) => {
                let stored = self.store(source, &message, times, report).await;
                return answer(stored, &message, report);
            }
            Err(why) => why,
        };
        // The fallback has no such limit; the way back to the queue claims what is too large.
        if let Some(fallback) = self.parts.fallback.as_deref()
            && let Some(message) = whole()
            && self
                .fall_back(fallback, source, &message, times)
                .await
                .is_ok()
        {
            report.fell_back = true;
            report.reason = Some(why.reason(limit));
            return Answer::event(Outcome::Accepted, message.id());
        }
        match why {
            NotClaimed::NoStore if self.parts.fallback.is_none() => {
                because(report, Outcome::TooLarge, &why.reason(limit))
            }
            // With a fallback, an event is too large only while that is down, which is our own trouble.
            NotClaimed::NoStore | NotClaimed::Failed(_) => {
                report.reason = Some(why.reason(limit));
                let message = "the event's data could not be stored; try again";
                Answer::refusal(Outcome::Unavailable, message)
            }
        }
    }

    async fn claimed(
        &self,
        source: &Source,
        attributes: &Attributes,
        body: &Verified<Payload>,
        times: Times,
        report: &mut Report,
    ) -> Result<OutboundMessage, NotClaimed> {
        let blobs = self.parts.blobs.as_deref().ok_or(NotClaimed::NoStore)?;
        let times = self.before_the_fallback(times);
        let message = self.claim(blobs, source, attributes, body, times).await;
        report.claimed = message.is_ok();
        message.map_err(NotClaimed::Failed)
    }

    /// Puts the message on the queue, or in the fallback when the queue fails or is late.
    async fn store(
        &self,
        source: &Source,
        message: &OutboundMessage,
        times: Times,
        report: &mut Report,
    ) -> Result<Outcome, QueueError> {
        let Some(fallback) = self.parts.fallback.as_deref() else {
            return self.send(source, message, times, report).await;
        };
        let clock = &*self.parts.clock;
        let sent = if self.breaker.lets_through(clock.monotonic()) {
            let times = self.before_the_fallback(times);
            let sent = self.send(source, message, times, report).await;
            self.remember(&sent);
            sent
        } else {
            let message = "it failed several times in a row and is tried again in a moment";
            Err(QueueError::new(QueueErrorKind::Unavailable, message))
        };
        let Err(error) = &sent else {
            return sent;
        };
        if error.kind == QueueErrorKind::TooLarge {
            return sent;
        }
        if self
            .fall_back(fallback, source, message, times)
            .await
            .is_ok()
        {
            report.fell_back = true;
            report.reason = Some(error.to_string());
            return Ok(Outcome::Accepted);
        }
        // Neither took it: the rest of the time is the queue's again.
        let sent = self.send(source, message, times, report).await;
        self.remember(&sent);
        sent
    }

    /// Tells the breaker what became of an event, and the observer what became of the breaker.
    fn remember(&self, sent: &Result<Outcome, QueueError>) {
        let error = sent.as_ref().err();
        // Says something about the message, and nothing about the queue.
        if error.is_some_and(|error| error.kind == QueueErrorKind::TooLarge) {
            return;
        }
        let change = if error.is_some() {
            self.breaker.failed(self.parts.clock.monotonic())
        } else {
            self.breaker.succeeded()
        };
        if change != Change::None {
            self.parts.observer.queue_breaker(error);
        }
    }

    /// With a fallback behind it, the queue gets half of the time; without one, all of it.
    fn before_the_fallback(&self, times: Times) -> Times {
        match self.parts.fallback {
            Some(_) => times.first_half(&*self.parts.clock),
            None => times,
        }
    }

    async fn fall_back(
        &self,
        fallback: &dyn FallbackStore,
        source: &Source,
        message: &OutboundMessage,
        times: Times,
    ) -> Result<(), BlobError> {
        let clock = &*self.parts.clock;
        let key = key(clock.now(), message.id());
        let put = || fallback.put(&key, message.body.clone());
        let failed = |error: &BlobError| {
            let observer = &self.parts.observer;
            observer.fallback_failed(&source.name, message.id(), error);
        };
        let stored = attempts(clock, times.to_the_answer(clock), put, failed).await;
        stored.map(|_| ()).inspect_err(failed)
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

/// Why there is no claim check.
enum NotClaimed {
    NoStore,
    Failed(BlobError),
}

impl NotClaimed {
    fn reason(&self, limit: u64) -> String {
        match self {
            Self::NoStore => format!(
                "the event is larger than the queue's {limit} bytes, and no blob_store is configured to take its data"
            ),
            Self::Failed(error) => error.to_string(),
        }
    }
}

/// The queue's error is for the log; the sender is told no more than it needs.
fn answer(
    stored: Result<Outcome, QueueError>,
    message: &OutboundMessage,
    report: &mut Report,
) -> Answer {
    let error = match stored {
        Ok(outcome) => return Answer::event(outcome, message.id()),
        Err(error) => error,
    };
    report.reason = Some(error.to_string());
    let (outcome, message) = if error.kind == QueueErrorKind::TooLarge {
        let message = "the event is larger than the queue takes";
        (Outcome::TooLarge, message)
    } else {
        let message = "the queue did not take the event; try again";
        (Outcome::Unavailable, message)
    };
    Answer::refusal(outcome, message)
}
