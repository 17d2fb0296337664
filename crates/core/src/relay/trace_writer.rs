//! Traces of events, left once the queue has them.

use super::breaker::{Breaker, Change};
use super::deadlines::Deadlines;
use super::parts::Parts;
use crate::blob::BlobError;
use crate::clock::{Clock, Entropy, within};
use crate::fallback::FallbackStore;
use crate::observe::Observer;
use crate::queue::OutboundMessage;
use crate::traces;
use std::sync::Arc;
use std::time::Duration;

/// No trace is worth a longer wait, unless the sender waits for long: then it is worth an eighth of what is left.
const PATIENCE: Duration = Duration::from_secs(1);

/// A store that had less time than this, because the queue took the rest of it, is not to blame for a failure.
const FAIR: Duration = Duration::from_millis(50);

/// Leaves traces in a store. One that fails again and again is left alone for a while: it would hold up every answer,
/// and with them the places of those that are under way.
pub(super) struct TraceWriter {
    store: Arc<dyn FallbackStore>,
    breaker: Breaker,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    observer: Arc<dyn Observer>,
}

impl TraceWriter {
    /// `None` when there is no store for traces.
    pub(super) fn new(parts: &Parts) -> Option<Self> {
        Some(Self {
            store: parts.traces.clone()?,
            breaker: Breaker::default(),
            clock: Arc::clone(&parts.clock),
            entropy: Arc::clone(&parts.entropy),
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
        if let Err(error) = self.put(source, deadlines, message).await {
            self.observer.trace_failed(source, message.id(), &error);
        }
    }

    async fn put(
        &self,
        source: &str,
        deadlines: Deadlines,
        message: &OutboundMessage,
    ) -> Result<(), BlobError> {
        let (clock, entropy) = (&*self.clock, &*self.entropy);
        if !self.breaker.lets_through(clock.monotonic(), entropy) {
            let message = "it failed several times in a row and is tried again in a moment";
            return Err(BlobError::transient(message));
        }
        let half = deadlines.first_half(clock).answer;
        let half = half.saturating_sub(clock.monotonic());
        let patience = half.min(PATIENCE.max(half / 4));
        let key = traces::key(clock.now(), source, message.id());
        let put = self.store.put(&key, traces::content(message));
        let late = |_| Err(BlobError::transient("no answer in time"));
        let stored = within(clock, patience, put).await.unwrap_or_else(late);
        // Nobody is told of a change: each event without a trace is told of anyway.
        let _ = match &stored {
            Ok(()) => self.breaker.succeeded(),
            Err(_) if patience < FAIR => Change::None,
            Err(_) => self.breaker.failed(clock.monotonic(), entropy),
        };
        stored
    }
}
