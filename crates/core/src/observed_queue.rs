//! A queue that tells somebody of each message that it took.

use crate::BoxFuture;
use crate::lease::Lease;
use crate::queue::{
    Copies, DeadLetterCount, EventQueue, OutboundMessage, QueueError, QueueLimits, Receipt,
};
use std::ops::Deref;

/// Hears of each message that a queue took.
pub trait SendObserver: Send + Sync {
    /// The queue has `message`. The send ends when this has ended.
    fn sent(&self, message: &OutboundMessage) -> impl Future<Output = ()> + Send;
}

/// A queue whose observer hears of each message that it took. In everything else it is that queue.
#[derive(Debug, Clone, Copy)]
pub struct ObservedQueue<Q, O> {
    /// Queue.
    pub queue: Q,
    /// Observer.
    pub observer: O,
}

impl<Q, O> EventQueue for ObservedQueue<Q, O>
where
    Q: Deref<Target: EventQueue> + Send + Sync,
    O: SendObserver,
{
    fn send<'a>(
        &'a self,
        message: &'a OutboundMessage,
    ) -> BoxFuture<'a, Result<Receipt, QueueError>> {
        Box::pin(async move {
            let receipt = self.queue.send(message).await?;
            self.observer.sent(message).await;
            Ok(receipt)
        })
    }

    fn limits(&self) -> QueueLimits {
        self.queue.limits()
    }

    fn copies(&self) -> Copies {
        self.queue.copies()
    }

    fn offloads_above(&self) -> Option<u64> {
        self.queue.offloads_above()
    }

    fn message_bytes(&self, message: &OutboundMessage) -> u64 {
        self.queue.message_bytes(message)
    }

    fn check(&self) -> BoxFuture<'_, Result<(), QueueError>> {
        self.queue.check()
    }

    fn dead_letters(&self) -> BoxFuture<'_, Result<DeadLetterCount, QueueError>> {
        self.queue.dead_letters()
    }

    fn lease<'a>(&'a self, work: &'a str) -> BoxFuture<'a, Result<Option<Lease>, QueueError>> {
        self.queue.lease(work)
    }

    fn doubt(&self) -> BoxFuture<'_, Option<String>> {
        self.queue.doubt()
    }
}
