use crate::Attributes;
use crate::base64::Encoder;

/// Encoding of the data, which goes into the envelope after the attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataEncoding {
    /// The bytes verbatim, as the member `data`. Only for bytes that were checked, whole, to be one
    /// JSON value in UTF-8 without whitespace around it: anything else could break out of the envelope.
    Json,
    /// The bytes in base64, as the member `data_base64`.
    Base64,
    /// No bytes: `dataref` among the attributes refers to them.
    Reference,
}

/// Writes a compact envelope: the attributes, then the data as the last member.
///
/// From the first `,"data":` to the final `}` lie the sender's bytes: no attribute can contain that
/// sequence, because JSON escapes the quotes inside a string.
///
/// The caller vouches that `chunks` together are what `encoding` says.
///
/// ```
/// use labelrelay_event::{Attributes, Digest, Envelope, EventType, DataEncoding, encode};
///
/// # fn main() -> Result<(), labelrelay_event::DecodeError> {
/// let body = br#"{"id": 1.0}"#;
/// let event_type = EventType::from_static("com.labelbox.label.created");
/// let attributes = Attributes::new("1", "/labelbox", &event_type, &Digest::of(body), "2026-01-01T00:00:00Z");
/// let queued = encode(&attributes, DataEncoding::Json, body.len(), [&body[..]]);
/// assert!(queued.ends_with(br#","data":{"id": 1.0}}"#));
/// assert_eq!(Envelope::decode(&queued)?.attributes, attributes);
/// # Ok(()) }
/// ```
pub fn encode<'a>(
    attributes: &Attributes,
    encoding: DataEncoding,
    data_bytes: usize,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<u8> {
    let room = match encoding {
        DataEncoding::Json => data_bytes + 16,
        DataEncoding::Base64 => data_bytes / 3 * 4 + 32,
        DataEncoding::Reference => 16,
    };
    let mut out = encode_head(attributes, room);
    match encoding {
        DataEncoding::Json => {
            out.extend_from_slice(b",\"data\":");
            for chunk in chunks {
                out.extend_from_slice(chunk);
            }
        }
        DataEncoding::Base64 => {
            out.extend_from_slice(b",\"data_base64\":\"");
            let mut encoder = Encoder::default();
            for chunk in chunks {
                encoder.update(chunk, &mut out);
            }
            encoder.finish(&mut out);
            out.push(b'"');
        }
        DataEncoding::Reference => {}
    }
    out.push(b'}');
    out
}

/// The envelope up to and without its data: attributes, no closing brace, with `room` bytes to spare.
fn encode_head(attributes: &Attributes, room: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024 + room);
    // Writing strings into memory cannot fail; if it ever did, an unclosed object is not an envelope.
    if serde_json::to_writer(&mut out, attributes).is_ok() && out.last() == Some(&b'}') {
        out.pop();
    }
    out
}
