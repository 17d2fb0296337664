//! Sends queued events again on purpose: same id, same bytes, plus `replayedtime`. Consumers and deduplicating queues
//! use that to tell them from repeats.

use crate::blob::BlobStore;
use crate::changed_attributes::with_attributes;
use crate::clock::Clock;
use crate::data_encoding::data_encoding;
use crate::fallback::claimed;
use crate::queue::{EventQueue, OutboundMessage, QueueLimits};
use jiff::Timestamp;
use labelrelay_event::{DecodeError, Envelope};
use labelrelay_json as json;

/// The event of `envelope` as a message that is sent again at `now`, to a queue with these limits.
///
/// # Errors
/// [`DecodeError`] when it is no envelope.
pub fn as_replay(
    envelope: &[u8],
    now: Timestamp,
    limits: QueueLimits,
) -> Result<OutboundMessage, DecodeError> {
    let mut envelope = Envelope::decode(envelope)?;
    envelope.attributes.replayedtime = Some(crate::time::rfc3339(now));
    // The target queue may not accept this JSON raw: a line break on `stdout:`, a U+FFFF in SQS.
    with_attributes(envelope, |data| data_encoding(json::check(data), limits))
}

/// `message`, or a claim check in its place where `queue` does not take it whole.
///
/// # Errors
/// Why it can be sent in neither form.
pub async fn claim_if_too_large(
    message: OutboundMessage,
    queue: &dyn EventQueue,
    blobs: Option<&dyn BlobStore>,
    clock: &dyn Clock,
) -> Result<OutboundMessage, String> {
    if queue.message_bytes(&message) <= queue.limits().max_message_bytes {
        return Ok(message);
    }
    let envelope = Envelope::decode(&message.body).map_err(|error| error.to_string())?;
    claimed(&envelope, blobs, clock).await
}
