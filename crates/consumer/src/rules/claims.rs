//! Fetches what was too large for the queue, from the blob stores that the consumer was told of and no other: bodies, and
//! whole envelopes that a pointer is in the place of.

use crate::outcome::Outcome;
use bytes::Bytes;
use labelrelay_core::blob::Fetched;
use labelrelay_core::{BlobStore, ReceivedEvent, chain};
use labelrelay_event::{Event, S3Pointer};
use std::sync::Arc;

/// The envelope of an event, whole. Where the queue holds a pointer to it in S3, as AWS's extended clients of SQS write it,
/// it is fetched from one of `stores`, whatever the pointer says, and is as large as the message says.
///
/// A rejected event keeps the pointer: give the one that was received to
/// [`EventSource::reject`](labelrelay_core::EventSource::reject).
///
/// # Errors
/// The [`Outcome`] of an event whose envelope cannot be had: [`Outcome::Unreadable`], or [`Outcome::Again`] where a store
/// cannot be read now.
pub async fn whole_envelope(
    event: &ReceivedEvent,
    stores: &[Arc<dyn BlobStore>],
) -> Result<Bytes, Outcome> {
    let Some(pointer) = S3Pointer::parse(&event.envelope) else {
        return Ok(event.envelope.clone());
    };
    let uri = pointer.uri();
    let envelope = object("its envelope", &uri, stores).await?;
    match event.offloaded_bytes {
        Some(told) if told != envelope.len() as u64 => Err(Outcome::Unreadable {
            error: "ClaimDamaged".to_owned(),
            reason: format!(
                "{uri} has {} bytes, the message says {told}",
                envelope.len()
            ),
        }),
        _ => Ok(envelope),
    }
}

/// The same event with its body, which was too large for the queue. It is read from these stores and from nowhere else,
/// whatever the envelope says, and its digest is the envelope's. It comes whole, in memory.
///
/// For a [`Work`](crate::Work) of one's own: a [`Consumer`](crate::Consumer) does it by itself.
///
/// ```
/// use labelrelay_consumer::{Outcome, fetch_body};
/// use labelrelay_core::BlobStore;
/// use labelrelay_event::Event;
/// use std::sync::Arc;
///
/// async fn bytes(event: &Event<'_>, stores: &[Arc<dyn BlobStore>]) -> Result<usize, Outcome> {
///     let event = fetch_body(event, stores).await?;
///     Ok(event.raw().map_or(0, <[u8]>::len))
/// }
/// ```
///
/// # Errors
/// The [`Outcome`] of the event: it cannot be read if its body is in no store, or is not the sender's; it comes again
/// through no fault of its own if a store cannot be read now.
pub async fn fetch_body(
    event: &Event<'_>,
    stores: &[Arc<dyn BlobStore>],
) -> Result<Event<'static>, Outcome> {
    let uri = event.attributes().dataref.as_deref().unwrap_or_default();
    let body = object("its body", uri, stores).await?;
    event
        .with_body(Vec::from(body))
        .map_err(|error| Outcome::unreadable(&error))
}

/// The object at `uri`, which is `what` of an event.
async fn object(what: &str, uri: &str, stores: &[Arc<dyn BlobStore>]) -> Result<Bytes, Outcome> {
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
            Ok(Fetched::Body(body)) => return Ok(body),
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
            "{what} is at {uri}, and this consumer may read from {told}: give it the store with `blob_store`"
        ),
    })
}
