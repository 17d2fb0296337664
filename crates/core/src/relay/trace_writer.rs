//! Traces of events, left once the queue has them.

use super::deadlines::Deadlines;
use super::parts::Parts;
use crate::blob::BlobError;
use crate::clock::{Clock, within};
use crate::fallback::FallbackStore;
use crate::observe::Observer;
use crate::queue::OutboundMessage;
use crate::traces;
use std::sync::Arc;
use std::time::Duration;

/// No trace is worth a longer wait.
const PATIENCE: Duration = Duration::from_secs(1);

/// Leaves traces in a store.
pub(super) struct TraceWriter {
    store: Arc<dyn FallbackStore>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
}

impl TraceWriter {
    pub(super) fn new(parts: &Parts) -> Option<Self> {
        Some(Self {
            store: parts.traces.clone()?,
            clock: Arc::clone(&parts.clock),
            observer: Arc::clone(&parts.observer),
        })
    }

    /// Leaves a trace of an event that the queue has, in half of the time that is left: the answer must not become a
    /// late one. A failure is told and changes nothing, because an event without a trace is a repeat at worst.
    pub(super) async fn leave(
        &self,
        source: &str,
        deadlines: Deadlines,
        message: &OutboundMessage,
    ) {
        let clock = &*self.clock;
        let half = deadlines.first_half(clock).answer;
        let patience = PATIENCE.min(half.saturating_sub(clock.monotonic()));
        let key = traces::key(clock.now(), source, message.id());
        let put = self.store.put(&key, traces::content(message));
        let late = |_| Err(BlobError::transient("no answer in time"));
        if let Err(error) = within(clock, patience, put).await.unwrap_or_else(late) {
            self.observer.trace_failed(source, message.id(), &error);
        }
    }
}
