//! Back ends whose queue notes what it took, where the queue itself cannot be looked into.

use super::back_ends::BackEnds;
use crate::arrivals::{Arrivals, NotesArrivals};
use crate::locations::{self, QueueLocation};
use jiff::Timestamp;
use labelrelay_core::backend::{BackEnd, BackEndError, Forms, Location, Opening};
use labelrelay_core::config::SecretRef;
use labelrelay_core::observed_queue::ObservedQueue;
use labelrelay_core::{BlobStore, EventQueue, FallbackStore, SecretSource};
use std::sync::Arc;

/// Opens what others open; `None` notes nothing.
pub(super) struct NotedBackEnds<'a> {
    pub(super) back_ends: &'a BackEnds<'a>,
    pub(super) arrivals: Option<Arc<Arrivals>>,
}

impl NotedBackEnds<'_> {
    fn noted(
        &self,
        queue: Arc<dyn EventQueue>,
        at: Location<'_>,
    ) -> Result<Arc<dyn EventQueue>, BackEndError> {
        match (&self.arrivals, locations::queue(at.url, at.base_dir)?) {
            // The embedded queue is a record itself.
            (None, _) | (_, QueueLocation::Sqlite(_)) => Ok(queue),
            (Some(arrivals), _) => Ok(Arc::new(ObservedQueue {
                queue,
                observer: NotesArrivals(Arc::clone(arrivals)),
            })),
        }
    }
}

impl BackEnd for NotedBackEnds<'_> {
    fn forms(&self) -> Forms {
        self.back_ends.forms()
    }

    fn queue<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn EventQueue>> {
        Box::pin(async move {
            let queue = self.back_ends.queue(at).await?;
            self.noted(queue, at)
        })
    }

    fn offloading_queue<'a>(
        &'a self,
        at: Location<'a>,
        store: Location<'a>,
    ) -> Opening<'a, Arc<dyn EventQueue>> {
        Box::pin(async move {
            let queue = self.back_ends.offloading_queue(at, store).await?;
            self.noted(queue, at)
        })
    }

    fn blob_store<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn BlobStore>> {
        self.back_ends.blob_store(at)
    }

    fn fallback<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn FallbackStore>> {
        self.back_ends.fallback(at)
    }

    fn secret<'a>(
        &'a self,
        reference: &'a SecretRef,
        not_after: Option<Timestamp>,
    ) -> Opening<'a, Box<dyn SecretSource>> {
        self.back_ends.secret(reference, not_after)
    }
}
