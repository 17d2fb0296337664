//! A queue that leaves a trace of each event that it took, for events that come out of a fallback: while they waited
//! there, they left none.

use crate::log::LogObserver;
use labelrelay_core::clock::within;
use labelrelay_core::observed_queue::{ObservedQueue, SendObserver};
use labelrelay_core::{
    BlobError, Clock, EventQueue, FallbackStore, Observer as _, OutboundMessage, traces,
};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Nobody waits for an answer, but no trace is worth more.
const PATIENCE: Duration = Duration::from_secs(5);

/// After so many failures in a row, the rest of a run leaves no traces: its events would wait in the fallback for them.
const FAILURES: u32 = 5;

/// The queue of one run.
pub(crate) fn traced<'q>(
    queue: &'q dyn EventQueue,
    store: &'q dyn FallbackStore,
    clock: &'q dyn Clock,
) -> ObservedQueue<&'q dyn EventQueue, Traces<'q>> {
    ObservedQueue {
        queue,
        observer: Traces {
            store,
            clock,
            failures: AtomicU32::new(0),
        },
    }
}

/// The traces of one run.
pub(crate) struct Traces<'q> {
    store: &'q dyn FallbackStore,
    clock: &'q dyn Clock,
    /// Traces that could not be left, since the last one that could.
    failures: AtomicU32,
}

impl Traces<'_> {
    async fn put(&self, source: &str, message: &OutboundMessage) -> Result<(), BlobError> {
        if self.failures.load(Ordering::Relaxed) >= FAILURES {
            let message = "it failed several times in a row, and is not tried again in this run";
            return Err(BlobError::transient(message));
        }
        let key = traces::key(self.clock.now(), source, message.id());
        let put = self.store.put(&key, traces::content(message));
        let late = |_| Err(BlobError::transient("no answer in time"));
        let stored = within(self.clock, PATIENCE, put).await.unwrap_or_else(late);
        match &stored {
            Ok(()) => self.failures.store(0, Ordering::Relaxed),
            Err(_) => _ = self.failures.fetch_add(1, Ordering::Relaxed),
        }
        stored
    }
}

impl SendObserver for Traces<'_> {
    /// A failure is told and changes nothing: an event without a trace is a repeat at worst.
    async fn sent(&self, message: &OutboundMessage) {
        let source = message.source().trim_start_matches('/');
        if let Err(error) = self.put(source, message).await {
            LogObserver.trace_failed(source, message.id(), &error);
        }
    }
}
