//! An envelope as one line of output.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labelrelay_event::{Data, Envelope};
use std::borrow::Cow;

/// The envelope on one line. JSON has line breaks between values only, and attributes are written
/// without any: so if there is one, it lies in the data, whose bytes must stay what they are. The same goes
/// for what ends a line to Python's `splitlines` and others; earlier versions queued it as it came.
pub(crate) fn on_one_line(envelope: &[u8]) -> Cow<'_, [u8]> {
    const DATA: &[u8] = b",\"data\":";
    if !has_line_ends(envelope) {
        return Cow::Borrowed(envelope);
    }
    let (
        Ok(Envelope {
            data: Data::Json(body),
            ..
        }),
        Some(at),
    ) = (
        Envelope::decode(envelope),
        envelope
            .windows(DATA.len())
            .position(|window| window == DATA),
    )
    else {
        return Cow::Borrowed(envelope);
    };
    let mut line = envelope.get(..at).unwrap_or_default().to_vec();
    line.extend_from_slice(b",\"data_base64\":\"");
    line.extend_from_slice(STANDARD.encode(body).as_bytes());
    line.extend_from_slice(b"\"}");
    Cow::Owned(line)
}

/// Tells whether the envelope holds a line feed, a carriage return, U+0085, U+2028 or U+2029.
fn has_line_ends(envelope: &[u8]) -> bool {
    let wide = |window: &[u8]| matches!(window, [0xe2, 0x80, 0xa8 | 0xa9] | [0xc2, 0x85, _]);
    envelope.iter().any(|byte| matches!(byte, b'\n' | b'\r')) || envelope.windows(3).any(wide)
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_event::{Attributes, DataEncoding, Digest, EventType, encode};

    #[test]
    fn line_breaks_of_the_data_never_split_the_line() {
        for body in [
            &b"{\"a\": 1}"[..],
            b"{\n  \"a\": 1\r\n}",
            b"[\",\\\"data\\\":\",\n\",\"]",
            "{\"a\":\"\u{85}\"}".as_bytes(),
            "{\"a\":\"\u{2028}\"}".as_bytes(),
            "{\"\u{2029}\":\"é\"}".as_bytes(),
        ] {
            let digest = Digest::of(body);
            let attributes = Attributes::new(
                "1",
                "/x",
                &EventType::from_static("a.b"),
                &digest,
                "2026-01-01T00:00:00Z",
            );
            let envelope = encode(&attributes, DataEncoding::Json, body.len(), [body]);
            let line = on_one_line(&envelope);
            let text = std::str::from_utf8(&line).unwrap();
            assert!(!text.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']));
            let decoded = Envelope::decode(&line).unwrap();
            assert_eq!(decoded.attributes, attributes);
            assert_eq!(decoded.data.bytes().unwrap().as_deref(), Some(body));
        }
    }
}
