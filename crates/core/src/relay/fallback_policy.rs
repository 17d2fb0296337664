//! The fallback: when the queue is tried, when the second place is, and in which order.

use super::breaker::{Breaker, Change};
use super::deadlines::Deadlines;
use super::delivery::Delivery;
use super::described_event::DescribedEvent;
use super::parts::Parts;
use super::queue_sender::QueueSender;
use super::retry::Retry;
use crate::BoxFuture;
use crate::blob::BlobError;
use crate::clock::within;
use crate::fallback::{FALLBACK_SCHEME, FallbackStore, body_name, key};
use crate::observe::Observer;
use crate::outcome::Outcome;
use crate::queue::{OutboundMessage, QueueError, QueueErrorKind};
use futures_util::FutureExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A second place for what the queue does not take in time, and the breaker before the queue.
pub(super) struct FallbackPolicy {
    store: Arc<dyn FallbackStore>,
    breaker: Breaker,
    retry: Retry,
    observer: Arc<dyn Observer>,
}

impl FallbackPolicy {
    /// `None` when there is no fallback.
    pub(super) fn new(parts: &Parts) -> Option<Self> {
        Some(Self {
            store: Arc::clone(parts.fallback.as_ref()?),
            breaker: Breaker::default(),
            retry: Retry::new(parts),
            observer: Arc::clone(&parts.observer),
        })
    }

    /// With a fallback behind it, the queue gets half of the time.
    pub(super) fn deadlines_of_queue(&self, deadlines: Deadlines) -> Deadlines {
        deadlines.first_half(&*self.retry.clock)
    }

    /// Puts the message on the queue, or in the fallback when the queue fails or is late.
    pub(super) async fn send_or_keep(
        &self,
        sender: &QueueSender,
        delivery: &mut Delivery,
        message: &OutboundMessage,
    ) -> Result<Outcome, QueueError> {
        let (clock, entropy) = (&*self.retry.clock, &*self.retry.entropy);
        let sent = if self.breaker.lets_through(clock.monotonic(), entropy) {
            let deadlines = self.deadlines_of_queue(delivery.deadlines);
            let sent = sender.send(delivery, message, deadlines).await;
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
        if self.keep(delivery, message).await.is_ok() {
            delivery.report.fell_back = true;
            delivery.report.reason = Some(error.to_string());
            return Ok(Outcome::Accepted);
        }
        // Neither took it: the rest of the time is the queue's again.
        let deadlines = delivery.deadlines;
        let sent = sender.send(delivery, message, deadlines).await;
        self.remember(&sent);
        sent
    }

    /// Tells the breaker how a send ended, and the observer of what that changed.
    fn remember(&self, sent: &Result<Outcome, QueueError>) {
        let error = sent.as_ref().err();
        // Says something about the message, and nothing about the queue.
        if error.is_some_and(|error| error.kind == QueueErrorKind::TooLarge) {
            return;
        }
        let (clock, entropy) = (&*self.retry.clock, &*self.retry.entropy);
        let change = if error.is_some() {
            self.breaker.failed(clock.monotonic(), entropy)
        } else {
            self.breaker.succeeded()
        };
        if change != Change::None {
            self.observer.queue_breaker(error);
        }
    }

    /// Puts a whole envelope into the fallback.
    async fn keep(&self, delivery: &Delivery, message: &OutboundMessage) -> Result<(), BlobError> {
        let clock = &*self.retry.clock;
        let key = key(clock.now(), message.id());
        let put = || self.store.put(&key, message.body.clone());
        let failed = |error: &BlobError, _: bool| self.failed(delivery, message.id(), error);
        let deadlines = delivery.deadlines.to_the_answer(clock);
        let stored = self.retry.until(deadlines, put, failed).await;
        stored.map(|_| ())
    }

    /// Puts the event into the fallback, whatever its size: its data in the envelope (`embedded`), or beside
    /// it where it is not in memory.
    pub(super) async fn keep_whole(
        &self,
        delivery: &Delivery,
        event: &DescribedEvent<'_>,
        embedded: Option<OutboundMessage>,
    ) -> Result<(), BlobError> {
        match embedded {
            Some(message) => self.keep(delivery, &message).await,
            None => self.keep_beside(delivery, event).await,
        }
    }

    /// Stores the body first, then the envelope that names it.
    async fn keep_beside(
        &self,
        delivery: &Delivery,
        event: &DescribedEvent<'_>,
    ) -> Result<(), BlobError> {
        let (clock, attributes) = (&*self.retry.clock, &event.attributes);
        let key = key(clock.now(), &attributes.id);
        let name = body_name(&key, &attributes.datasha256);
        let put = || self.store.put_body(&name, event.body.get());
        let failed = |error: &BlobError, _: bool| self.failed(delivery, &attributes.id, error);
        let deadlines = delivery.deadlines;
        let copying = deadlines
            .longer_by(event.transfer_allowance())
            .to_the_answer(clock);
        self.retry.until(copying, put, failed).await?;
        let message = event.reference(format!("{FALLBACK_SCHEME}{name}"));
        let (begun, ended) = (AtomicU32::new(0), AtomicU32::new(0));
        let put = || -> BoxFuture<'_, _> {
            begun.fetch_add(1, Ordering::Relaxed);
            let put = self.store.put(&key, message.body.clone());
            Box::pin(put.inspect(|_| _ = ended.fetch_add(1, Ordering::Relaxed)))
        };
        let until = deadlines.to_the_answer(clock);
        let stored = self.retry.until(until, put, failed).await;
        if let Err(error) = &stored {
            // An envelope without its body is a loss; a body without its envelope is in nobody's way but for
            // its room. So it goes only where no attempt is under way any more, the last one was refused for
            // good, and the envelope is certainly not there.
            let all_ended = begun.into_inner() == ended.into_inner();
            if all_ended && !error.retryable {
                let left = deadlines.give_up.saturating_sub(clock.monotonic());
                let removed = async {
                    self.store.remove(&key).await?;
                    self.store.remove_body(&name).await
                };
                let _ = within(clock, left, removed).await;
            }
        }
        stored.map(|_| ())
    }

    fn failed(&self, delivery: &Delivery, event_id: &str, error: &BlobError) {
        self.observer
            .fallback_failed(&delivery.source.name, event_id, error);
    }
}
