//! A queue that leaves a trace of each event that it took, for events that come out of a fallback: while they waited
//! there, they left none.

use crate::log::LogObserver;
use labelrelay_core::clock::within;
use labelrelay_core::{
    BlobError, BoxFuture, Clock, Copies, DeadLetterCount, EventQueue, FallbackStore, Observer as _,
    OutboundMessage, QueueError, QueueLimits, Receipt, traces,
};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Nobody waits for an answer, but no trace is worth more.
const PATIENCE: Duration = Duration::from_secs(5);

/// After so many failures in a row, the rest of a run leaves no traces: its events would wait in the fallback for them.
const FAILURES: u32 = 5;

/// The queue of one run.
pub(crate) struct TracedQueue<'q> {
    queue: &'q dyn EventQueue,
    traces: &'q dyn FallbackStore,
    clock: &'q dyn Clock,
    /// Traces that could not be left, since the last one that could.
    failures: AtomicU32,
}

impl<'q> TracedQueue<'q> {
    pub(crate) fn new(
        queue: &'q dyn EventQueue,
        traces: &'q dyn FallbackStore,
        clock: &'q dyn Clock,
    ) -> Self {
        Self {
            queue,
            traces,
            clock,
            failures: AtomicU32::new(0),
        }
    }

    /// A failure is told and changes nothing: an event without a trace is a repeat at worst.
    async fn leave(&self, message: &OutboundMessage) {
        let source = message.source().trim_start_matches('/');
        if let Err(error) = self.put(source, message).await {
            LogObserver.trace_failed(source, message.id(), &error);
        }
    }

    async fn put(&self, source: &str, message: &OutboundMessage) -> Result<(), BlobError> {
        if self.failures.load(Ordering::Relaxed) >= FAILURES {
            let message = "it failed several times in a row, and is not tried again in this run";
            return Err(BlobError::transient(message));
        }
        let key = traces::key(self.clock.now(), source, message.id());
        let put = self.traces.put(&key, traces::content(message));
        let late = |_| Err(BlobError::transient("no answer in time"));
        let stored = within(self.clock, PATIENCE, put).await.unwrap_or_else(late);
        match &stored {
            Ok(()) => self.failures.store(0, Ordering::Relaxed),
            Err(_) => _ = self.failures.fetch_add(1, Ordering::Relaxed),
        }
        stored
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
