//! A queue that counts what it took, for a person who waits.

use crate::output::Bar;
use labelrelay_core::{
    BoxFuture, Copies, DeadLetterCount, EventQueue, OutboundMessage, QueueError, QueueLimits,
    Receipt,
};

pub(super) struct CountedQueue<'q> {
    pub(super) queue: &'q dyn EventQueue,
    pub(super) bar: &'q Bar,
}

impl EventQueue for CountedQueue<'_> {
    fn send<'a>(
        &'a self,
        message: &'a OutboundMessage,
    ) -> BoxFuture<'a, Result<Receipt, QueueError>> {
        Box::pin(async move {
            let receipt = self.queue.send(message).await?;
            self.bar.add(1);
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
}
