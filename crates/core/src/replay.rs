//! Sends queued events again on purpose: same id, same bytes, plus `replayedtime`. Consumers and deduplicating queues
//! use that to tell them from repeats. And sends them on into another queue as they are.

use crate::blob::BlobStore;
use crate::changed_attributes::with_attributes;
use crate::clock::Clock;
use crate::data_encoding::data_encoding;
use crate::fallback::claimed;
use crate::queue::{EventQueue, OutboundMessage, QueueLimits};
use bytes::Bytes;
use jiff::Timestamp;
use labelrelay_event::{Data, DataEncoding, DecodeError, Envelope};
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

/// The event of `envelope` as a message for another queue, with these limits: the same bytes. Only data in a form that this
/// queue does not take goes as base64.
///
/// # Errors
/// [`DecodeError`] when it is no envelope.
pub fn as_copy(envelope: &Bytes, limits: QueueLimits) -> Result<OutboundMessage, DecodeError> {
    let read = Envelope::decode(envelope)?;
    let fits = match read.data {
        Data::Json(data) => data_encoding(json::check(data), limits) == DataEncoding::Json,
        Data::Base64(_) | Data::Reference => true,
    };
    if fits {
        return Ok(OutboundMessage::new(read.attributes, envelope.clone()));
    }
    with_attributes(read, |_| DataEncoding::Base64)
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

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_event::{Attributes, Digest, EventType, encode};

    fn envelope(data: &str) -> Bytes {
        let attributes = Attributes::new(
            "id",
            "/labelbox",
            &EventType::from_static("com.labelbox.label.created"),
            &Digest::of(data.as_bytes()),
            "2026-11-30T10:00:00Z",
        );
        let encoded = encode(
            &attributes,
            DataEncoding::Json,
            data.len(),
            [data.as_bytes()],
        );
        encoded.into()
    }

    #[test]
    fn a_copy_has_the_same_bytes_unless_the_queue_does_not_take_them() {
        const ROOM: u64 = 1 << 20;
        let queue = QueueLimits::bytes(ROOM);
        let of_xml = QueueLimits {
            xml_characters_only: true,
            ..queue
        };
        let plain = envelope("{\"n\": 9.5810,\"big\":12345678901234567890}");
        let odd = envelope("{\"text\":\"\u{ffff}\"}");
        for (envelope, limits) in [(&plain, queue), (&plain, of_xml), (&odd, queue)] {
            assert_eq!(as_copy(envelope, limits).unwrap().body, *envelope);
        }
        let message = as_copy(&odd, of_xml).unwrap();
        assert_eq!(message.id(), "id");
        let copy = Envelope::decode(&message.body).unwrap();
        let data = copy.data.bytes().unwrap().unwrap();
        assert_eq!(&*data, "{\"text\":\"\u{ffff}\"}".as_bytes());
        assert!(as_copy(&Bytes::from_static(b"{}"), queue).is_err());
    }
}
