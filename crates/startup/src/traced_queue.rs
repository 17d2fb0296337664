//! A queue that leaves a trace of each event that it took, for events that come out of a fallback: while they waited
//! there, they left none.

use crate::log::LogObserver;
use labelrelay_core::clock::within;
use labelrelay_core::{
    BlobError, BoxFuture, Clock, Copies, DeadLetterCount, EventQueue, FallbackStore, Observer as _,
    OutboundMessage, QueueError, QueueLimits, Receipt, traces,
};
use std::time::Duration;

/// Nobody waits for an answer, but no trace is worth more.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct TracedQueue<'q> {
    pub(crate) queue: &'q dyn EventQueue,
    pub(crate) traces: &'q dyn FallbackStore,
    pub(crate) clock: &'q dyn Clock,
}

impl TracedQueue<'_> {
    /// A failure is told and changes nothing: an event without a trace is a repeat at worst.
    async fn leave(&self, message: &OutboundMessage) {
        let source = message.source().trim_start_matches('/');
        let key = traces::key(self.clock.now(), source, message.id());
        let put = self.traces.put(&key, traces::content(message));
        let late = |_| Err(BlobError::transient("no answer in time"));
        if let Err(error) = within(self.clock, PATIENCE, put).await.unwrap_or_else(late) {
            LogObserver.trace_failed(source, message.id(), &error);
        }
    }
}

impl EventQueue for TracedQueue<'_> {
    fn send<'a>(
        &'a self,
        message: &'a OutboundMessage,
    ) -> BoxFuture<'a, Result<Receipt, QueueError>> {
        Box::pin(async move {
            let receipt = self.queue.send(message).await?;
            self.leave(message).await;
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
