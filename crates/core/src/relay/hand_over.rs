//! From a described event to a durable one: the queue, a claim check before it where the event is too
//! large, the fallback where the queue does not take it in time.

use super::Relay;
use super::attempts::{Times, attempts};
use super::breaker::Change;
use super::complete::because;
use super::in_flight::InFlight;
use super::refusal::Refusal;
use super::wrap::{Event, NotEmbedded};
use crate::BoxFuture;
use crate::blob::BlobError;
use crate::clock::{Clock, Entropy, within};
use crate::fallback::{FALLBACK_SCHEME, FallbackStore, body_name, key};
use crate::observe::Report;
use crate::outcome::{Answer, Outcome};
use crate::queue::{OutboundMessage, QueueError, QueueErrorKind};
use crate::source::Source;
use futures_util::FutureExt as _;
use std::sync::atomic::{AtomicU32, Ordering};

impl Relay {
    /// Makes the event durable. The answer is a success only when it is.
    pub(super) async fn hand_over(
        &self,
        source: &Source,
        event: &Event<'_>,
        in_flight: &mut InFlight,
        times: Times,
        report: &mut Report,
    ) -> Answer {
        let limit = self.parts.queue.limits().max_message_bytes;
        let not_embedded = match self.small(event, in_flight).await {
            Ok(message) => match self.store(source, &message, times, report).await {
                // The queue's limit was lowered, or it counts in another way than we do.
                Err(error) if error.kind == QueueErrorKind::TooLarge => NotEmbedded::TooLarge,
                other => return answer(other, &message, report),
            },
            Err(why) => why,
        };
        let why = match self.claimed(source, event, times, report).await {
            Ok(message) => {
                let stored = self.store(source, &message, times, report).await;
                return answer(stored, &message, report);
            }
            Err(error) => NotStored::of(not_embedded, error),
        };
        // The queue may take what the blob store does not.
        if why.embedding_may_help()
            && let Ok(message) = self.fitting(event, in_flight).await
        {
            match self.store(source, &message, times, report).await {
                Err(error) if error.kind == QueueErrorKind::TooLarge => {}
                other => return answer(other, &message, report),
            }
        }
        // The fallback has no such limit; the way back to the queue claims what is too large.
        if !why.will_pass()
            && let Some(fallback) = self.parts.fallback.as_deref()
            && self
                .fall_back_whole(fallback, source, event, times)
                .await
                .is_ok()
        {
            report.fell_back = true;
            report.reason = Some(why.reason(event, self, limit));
            return Answer::event(Outcome::Accepted, &event.attributes.id);
        }
        let reason = why.reason(event, self, limit);
        match why.outcome() {
            // With a fallback, an event is too large only while that is down, which is our own trouble.
            Outcome::TooLarge if self.parts.fallback.is_none() => {
                because(report, Outcome::TooLarge, &reason)
            }
            Outcome::Overloaded => {
                let refusal = Refusal::overloaded(reason);
                self.tell_of_overload(&refusal);
                report.reason = refusal.reason;
                refusal.answer
            }
            _ => {
                report.reason = Some(reason);
                let message = "the event's data could not be stored; try again";
                Answer::refusal(Outcome::Unavailable, message)
            }
        }
    }

    /// `None` when there is no blob store.
    async fn claimed(
        &self,
        source: &Source,
        event: &Event<'_>,
        times: Times,
        report: &mut Report,
    ) -> Result<OutboundMessage, Option<BlobError>> {
        let blobs = self.parts.blobs.as_deref().ok_or(None)?;
        let times = self.before_the_fallback(times.longer_by(event.transfer_allowance()));
        let message = self.claim(blobs, source, event, times).await;
        report.claimed = message.is_ok();
        message.map_err(Some)
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
        let sent = if self
            .breaker
            .lets_through(clock.monotonic(), &*self.parts.entropy)
        {
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
            self.breaker
                .failed(self.parts.clock.monotonic(), &*self.parts.entropy)
        } else {
            self.breaker.succeeded()
        };
        if change != Change::None {
            self.parts.observer.queue_breaker(error);
        }
    }

    /// What attempts go by.
    pub(super) fn time(&self) -> (&dyn Clock, &dyn Entropy) {
        (&*self.parts.clock, &*self.parts.entropy)
    }

    /// With a fallback behind it, the queue gets half of the time; without one, all of it.
    fn before_the_fallback(&self, times: Times) -> Times {
        match self.parts.fallback {
            Some(_) => times.first_half(&*self.parts.clock),
            None => times,
        }
    }

    /// Puts the event into the fallback, whatever its size: its data in the envelope, or beside it where
    /// it is not in memory.
    async fn fall_back_whole(
        &self,
        fallback: &dyn FallbackStore,
        source: &Source,
        event: &Event<'_>,
        times: Times,
    ) -> Result<(), BlobError> {
        if let Some(message) = self.whole(event) {
            return self.fall_back(fallback, source, &message, times).await;
        }
        let (clock, attributes) = (&*self.parts.clock, &event.attributes);
        let key = key(clock.now(), &attributes.id);
        let name = body_name(&key, &attributes.datasha256);
        let put = || fallback.put_body(&name, event.body.get());
        let failed = |error: &BlobError, _: bool| {
            let observer = &self.parts.observer;
            observer.fallback_failed(&source.name, &attributes.id, error);
        };
        let copying = times.longer_by(event.transfer_allowance()).to_the_answer(clock);
        attempts(self.time(), copying, put, failed).await?;
        let message = event.reference(format!("{FALLBACK_SCHEME}{name}"));
        let (begun, ended) = (AtomicU32::new(0), AtomicU32::new(0));
        let put = || -> BoxFuture<'_, _> {
            begun.fetch_add(1, Ordering::Relaxed);
            let put = fallback.put(&key, message.body.clone());
            Box::pin(put.inspect(|_| _ = ended.fetch_add(1, Ordering::Relaxed)))
        };
        let stored = attempts(self.time(), times.to_the_answer(clock), put, failed).await;
        if let Err(error) = &stored {
            // An envelope without its body is a loss; a body without its envelope is in nobody's way but for
            // its room. So it goes only where no attempt is under way any more, the last one was refused for
            // good, and the envelope is certainly not there.
            let all_ended = begun.into_inner() == ended.into_inner();
            if all_ended && !error.retryable {
                let left = times.give_up.saturating_sub(clock.monotonic());
                let removed = async {
                    fallback.remove(&key).await?;
                    fallback.remove_body(&name).await
                };
                let _ = within(clock, left, removed).await;
            }
        }
        stored.map(|_| ())
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
        let failed = |error: &BlobError, _: bool| {
            let observer = &self.parts.observer;
            observer.fallback_failed(&source.name, message.id(), error);
        };
        let stored = attempts(self.time(), times.to_the_answer(clock), put, failed).await;
        stored.map(|_| ())
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
        let failed = |error: &QueueError, again: bool| {
            if again {
                observer.queue_attempt_failed(&source.name, message.id(), error);
            } else {
                observer.queue_last_attempt_failed(&source.name, message.id(), error);
            }
        };
        let put = || self.parts.queue.send(message);
        let sent = attempts(self.time(), times, put, failed).await;
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

/// Why the event's data is neither in a message nor in the blob store.
enum NotStored {
    TooLarge,
    NoRoom,
    NeverRoom,
    Unreadable(std::io::Error),
    /// The blob store's error, and whether the data might be embedded nevertheless.
    NotClaimed(BlobError, bool),
}

impl NotStored {
    fn of(not_embedded: NotEmbedded, not_claimed: Option<BlobError>) -> Self {
        match (not_claimed, not_embedded) {
            (Some(error), NotEmbedded::Spooled) => Self::NotClaimed(error, true),
            (Some(error), _) => Self::NotClaimed(error, false),
            (None, NotEmbedded::TooLarge | NotEmbedded::Spooled) => Self::TooLarge,
            (None, NotEmbedded::NoRoom) => Self::NoRoom,
            (None, NotEmbedded::NeverRoom) => Self::NeverRoom,
            (None, NotEmbedded::Unreadable(error)) => Self::Unreadable(error),
        }
    }

    fn embedding_may_help(&self) -> bool {
        matches!(self, Self::NotClaimed(_, true))
    }

    /// What the fallback need not keep: nobody could bring it back without a blob store, and the next
    /// delivery may be luckier.
    fn will_pass(&self) -> bool {
        matches!(self, Self::NoRoom)
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::TooLarge | Self::NeverRoom => Outcome::TooLarge,
            Self::NoRoom => Outcome::Overloaded,
            Self::Unreadable(_) | Self::NotClaimed(..) => Outcome::Unavailable,
        }
    }

    fn reason(&self, event: &Event<'_>, relay: &Relay, limit: u64) -> String {
        let memory = relay.budget.bytes.limit;
        match self {
            Self::TooLarge => format!(
                "the event is larger than the queue's {limit} bytes, and no blob_store is configured to take its data"
            ),
            Self::NoRoom => relay.no_memory_left().reason.unwrap_or_default(),
            Self::NeverRoom => format!(
                "the body's {} bytes need {} of memory on their way, more than there may be ({memory}, max_bytes_in_flight), and no blob_store is configured to take them",
                event.bytes(),
                relay.cost().of_body(event.bytes())
            ),
            Self::Unreadable(error) => format!("the body cannot be read back: {error}"),
            Self::NotClaimed(error, _) => error.to_string(),
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
