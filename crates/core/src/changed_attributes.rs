//! A queued event with other attributes, and the same data.

use crate::queue::OutboundMessage;
use labelrelay_event::{Data, DataEncoding, DecodeError, Envelope, encode};
use std::sync::Arc;

/// The message of `envelope`, whose attributes were changed since it was decoded. JSON is written in the encoding that
/// `of_json` chooses; base64 and references stay.
///
/// # Errors
/// [`DecodeError`] when its base64 cannot be decoded.
pub(crate) fn with_attributes(
    envelope: Envelope<'_>,
    of_json: impl FnOnce(&[u8]) -> DataEncoding,
) -> Result<OutboundMessage, DecodeError> {
    let Envelope {
        attributes, data, ..
    } = envelope;
    let body = match data {
        Data::Json(json) => encode(&attributes, of_json(json), json.len(), [json]),
        Data::Base64(_) => {
            let data = data.bytes()?.unwrap_or_default();
            encode(&attributes, DataEncoding::Base64, data.len(), [&*data])
        }
        Data::Reference => encode(&attributes, DataEncoding::Reference, 0, []),
    };
    Ok(OutboundMessage::new(Arc::new(attributes), body))
}
