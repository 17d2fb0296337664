//! Fetches bodies that were too large for the queue, from the blob stores that the consumer was told of and no other.

use crate::outcome::Outcome;
use labelrelay_core::blob::Fetched;
use labelrelay_core::{BlobStore, chain};
use labelrelay_event::Event;
use std::sync::Arc;

/// The event with its body, whose digest is right.
pub(super) async fn fetched(
    event: &Event<'_>,
    stores: &[Arc<dyn BlobStore>],
) -> Result<Event<'static>, Outcome> {
    let uri = event.attributes().dataref.as_deref().unwrap_or_default();
    let mut failed = None;
    for store in stores {
        match store.get(uri).await {
            Ok(Fetched::Elsewhere) => {}
            Ok(Fetched::Gone) => {
                return Err(Outcome::Unreadable {
                    error: "ClaimGone".to_owned(),
                    reason: format!("{uri} is not there any more"),
                });
            }
            Ok(Fetched::Body(body)) => {
                return event
                    .with_body(Vec::from(body))
                    .map_err(|error| Outcome::unreadable(&error));
            }
            // Another store may have it.
            Err(error) if error.retryable => failed = Some(chain(&error)),
            Err(error) => {
                let cure = "see to what this consumer may read there; the event waits for that";
                failed = Some(format!("{}: {cure}", chain(&error)));
            }
        }
    }
    // A store that cannot be read is not the event's fault.
    if let Some(reason) = failed {
        return Err(Outcome::hindered(reason));
    }
    let told = if stores.is_empty() { "none" } else { "others" };
    Err(Outcome::Unreadable {
        error: "ClaimRefused".to_owned(),
        reason: format!(
            "its body is at {uri}, and this consumer may read from {told}: give it the store with `blob_store`"
        ),
    })
}
