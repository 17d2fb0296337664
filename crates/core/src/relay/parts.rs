//! Parts of a pipeline: queue, stores, time, randomness, an observer.

use crate::blob::BlobStore;
use crate::clock::{Clock, Entropy};
use crate::fallback::FallbackStore;
use crate::observe::Observer;
use crate::queue::EventQueue;
use crate::spool::Spool;
use std::sync::Arc;

/// Back ends and instruments of a pipeline. Every part is an object-safe trait.
#[derive(Clone)]
#[non_exhaustive]
pub struct Parts {
    /// Queue of the events.
    pub queue: Arc<dyn EventQueue>,
    /// Store of bodies that are too large for the queue.
    pub blobs: Option<Arc<dyn BlobStore>>,
    /// Second place of events that the queue does not take in time.
    pub fallback: Option<Arc<dyn FallbackStore>>,
    /// Store for traces of the events that the queue took.
    pub traces: Option<Arc<dyn FallbackStore>>,
    /// Place of bodies that are too large for the memory, until they are stored.
    pub spool: Option<Arc<dyn Spool>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Logs and metrics.
    pub observer: Arc<dyn Observer>,
}

impl Parts {
    /// Parts without a blob store, a fallback, traces and a spool.
    pub fn new(
        queue: Arc<dyn EventQueue>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        observer: Arc<dyn Observer>,
    ) -> Self {
        Self {
            queue,
            blobs: None,
            fallback: None,
            traces: None,
            spool: None,
            clock,
            entropy,
            observer,
        }
    }

    /// The same parts, with a blob store for what is too large for the queue.
    #[must_use]
    pub fn with_blobs(mut self, blobs: Option<Arc<dyn BlobStore>>) -> Self {
        self.blobs = blobs;
        self
    }

    /// The same parts, with a second place for what the queue does not take in time. Somebody has to
    /// [`redrive`](crate::fallback::redrive) it.
    #[must_use]
    pub fn with_fallback(mut self, fallback: Option<Arc<dyn FallbackStore>>) -> Self {
        self.fallback = fallback;
        self
    }

    /// The same parts, with a store for [traces](crate::traces) of what the queue took, for a pull that cannot look into
    /// the queue.
    #[must_use]
    pub fn with_traces(mut self, traces: Option<Arc<dyn FallbackStore>>) -> Self {
        self.traces = traces;
        self
    }

    /// The same parts, with a spool for large bodies. Without one, all bodies are in memory.
    #[must_use]
    pub fn with_spool(mut self, spool: Option<Arc<dyn Spool>>) -> Self {
        self.spool = spool;
        self
    }
}
