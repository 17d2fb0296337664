//! Messages onto the queue, durably.

use super::deadlines::Deadlines;
use super::delivery::Delivery;
use super::parts::Parts;
use super::retry::Retry;
use crate::observe::Observer;
use crate::outcome::Outcome;
use crate::queue::{EventQueue, OutboundMessage, QueueError};
use std::sync::Arc;

/// Sends until the queue has a message or the time is up.
pub(super) struct QueueSender {
    queue: Arc<dyn EventQueue>,
    retry: Retry,
    observer: Arc<dyn Observer>,
}

impl QueueSender {
    pub(super) fn new(parts: &Parts) -> Self {
        Self {
            queue: Arc::clone(&parts.queue),
            retry: Retry::new(parts),
            observer: Arc::clone(&parts.observer),
        }
    }

    pub(super) async fn send(
        &self,
        delivery: &mut Delivery,
        message: &OutboundMessage,
        deadlines: Deadlines,
    ) -> Result<Outcome, QueueError> {
        let clock = &*self.retry.clock;
        let begun = clock.monotonic();
        delivery.report.queue_began = Some(begun.saturating_sub(delivery.head.arrived));
        let source = &delivery.source.name;
        let failed = |error: &QueueError, again: bool| {
            if again {
                self.observer
                    .queue_attempt_failed(source, message.id(), error);
            } else {
                self.observer
                    .queue_last_attempt_failed(source, message.id(), error);
            }
        };
        let attempt = || self.queue.send(message);
        let sent = self.retry.until(deadlines, attempt, failed).await;
        delivery.report.queue_elapsed = Some(clock.monotonic().saturating_sub(begun));
        // A repeat after our own attempt timed out means that the attempt had succeeded.
        sent.map(|(receipt, first)| {
            if receipt.repeat && first {
                Outcome::Repeat
            } else {
                Outcome::Accepted
            }
        })
    }
}
