//! Messages that refer to an event's data instead of holding it.

use super::deadlines::Deadlines;
use super::delivery::Delivery;
use super::described_event::DescribedEvent;
use super::parts::Parts;
use super::retry::Retry;
use crate::blob::{BlobError, BlobStore};
use crate::fallback::claim_key;
use crate::observe::Observer;
use crate::queue::{OutboundMessage, QueueError, QueueErrorKind};
use std::sync::Arc;

/// Puts bodies into the blob store.
pub(super) struct ClaimCheck {
    blobs: Arc<dyn BlobStore>,
    retry: Retry,
    observer: Arc<dyn Observer>,
}

impl ClaimCheck {
    /// `None` when there is no blob store.
    pub(super) fn new(parts: &Parts) -> Option<Self> {
        Some(Self {
            blobs: Arc::clone(parts.blobs.as_ref()?),
            retry: Retry::new(parts),
            observer: Arc::clone(&parts.observer),
        })
    }

    /// Stores the data, then returns the message that refers to it.
    pub(super) async fn claim(
        &self,
        delivery: &Delivery,
        event: &DescribedEvent<'_>,
        deadlines: Deadlines,
    ) -> Result<OutboundMessage, BlobError> {
        let (source, attributes) = (&delivery.source.name, &event.attributes);
        let key = claim_key(self.retry.clock.now(), source, &attributes.datasha256);
        let put = || self.blobs.put_payload(&key, event.body.get());
        let failed = |error: &BlobError, again: bool| {
            let error = QueueError::new(QueueErrorKind::Unavailable, error.to_string());
            if again {
                self.observer
                    .queue_attempt_failed(source, &attributes.id, &error);
            } else {
                self.observer
                    .queue_last_attempt_failed(source, &attributes.id, &error);
            }
        };
        let (uri, _) = self.retry.until(deadlines, put, failed).await?;
        Ok(event.reference(uri))
    }
}
