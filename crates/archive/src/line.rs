//! An envelope as one line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labelrelay_event::{Data, Envelope};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The envelope on one line. If there is a line break in the data, whose bytes must stay what they are, it goes into base64.
/// The same goes for what ends a line to Python's `splitlines` and others; earlier versions queued it as it came. Line breaks
/// elsewhere are whoever's who wrote the envelope anew: there, JSON has them between values only.
pub fn on_one_line(envelope: &[u8]) -> Cow<'_, [u8]> {
    if !has_line_ends(envelope) {
        return Cow::Borrowed(envelope);
    }
    let line = Envelope::decode(envelope).ok().and_then(|decoded| {
        let members = serde_json::from_slice(envelope).ok()?;
        Some(written(&members, decoded.data))
    });
    line.map_or(Cow::Borrowed(envelope), Cow::Owned)
}

/// All members in their order, the data last.
fn written(members: &Members<'_>, data: Data<'_>) -> Vec<u8> {
    let mut line = b"{".to_vec();
    let others = members.0.iter().filter(|(name, _)| name != "data");
    for (name, value) in others {
        if line.len() > 1 {
            line.push(b',');
        }
        let name = serde_json::Value::from(name.as_str()).to_string();
        line.extend_from_slice(without_line_ends(&name).as_bytes());
        line.push(b':');
        line.extend_from_slice(without_line_ends(value.get()).as_bytes());
    }
    // In other encodings it is among the others.
    if let Data::Json(body) = data {
        if has_line_ends(body) {
            line.extend_from_slice(b",\"data_base64\":\"");
            line.extend_from_slice(STANDARD.encode(body).as_bytes());
            line.push(b'"');
        } else {
            line.extend_from_slice(b",\"data\":");
            line.extend_from_slice(body);
        }
    }
    line.push(b'}');
    line
}

/// The same JSON: those below U+0020 stand between values only, the others in strings only.
fn without_line_ends(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '\n' | '\r' => text.push(' '),
            '\u{85}' => text.push_str("\\u0085"),
            '\u{2028}' => text.push_str("\\u2028"),
            '\u{2029}' => text.push_str("\\u2029"),
            other => text.push(other),
        }
    }
    text
}

/// The members of an object, as they were written.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OfObject)
    }
}

struct OfObject;

impl<'de> Visitor<'de> for OfObject {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

/// Tells whether the envelope holds a line feed, a carriage return, U+0085, U+2028 or U+2029.
fn has_line_ends(envelope: &[u8]) -> bool {
    let wide = |window: &[u8]| matches!(window, [0xe2, 0x80, 0xa8 | 0xa9] | [0xc2, 0x85, _]);
    // Nearly every envelope is ASCII, which is told of many bytes at once.
    envelope.iter().any(|byte| matches!(byte, b'\n' | b'\r'))
        || (!envelope.is_ascii() && envelope.windows(3).any(wide))
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

    /// A queue may hold what others wrote, or wrote anew.
    #[test]
    fn an_envelope_of_any_form_is_one_line_and_loses_nothing() {
        let head = r#""specversion":"1.0","id":"1","source":"/x","type":"a.b.c","datasha256":"00","receivedtime":"2026-01-01T00:00:00Z""#;
        let head = head.replace(',', ",\n  ");
        for (written, data, subject) in [
            // Indented, and in another order.
            (
                format!(
                    "{{\n  \"data\" : {{ \"a\": 1 }},\r\n  {head},\n  \"subject\": \"s\"\n}}\n"
                ),
                Some(&b"{ \"a\": 1 }"[..]),
                Some("s"),
            ),
            (
                format!("{{{head},\"data\":{{\n}},\"subject\":\"s\"}}"),
                Some(&b"{\n}"[..]),
                Some("s"),
            ),
            (
                format!("{{{head},\"subject\":\"a\u{2028}b\",\"data_base64\":\"AP8=\"}}"),
                Some(&b"\0\xff"[..]),
                Some("a\u{2028}b"),
            ),
            (format!("{{{head},\n\"dataref\":\"s3://b/k\"}}"), None, None),
        ] {
            let line = on_one_line(written.as_bytes());
            let text = std::str::from_utf8(&line).unwrap();
            assert!(
                !text.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']),
                "{text}"
            );
            let decoded = Envelope::decode(&line).unwrap();
            assert_eq!(decoded.data.bytes().unwrap().as_deref(), data, "{text}");
            assert_eq!(decoded.attributes.subject.as_deref(), subject);
            let before = Envelope::decode(written.as_bytes()).unwrap();
            assert_eq!(decoded.attributes, before.attributes);
        }
        let odd = format!("{{{head},\"deadreason\":\"why\",\"data\":[]}}");
        let line = on_one_line(odd.as_bytes());
        assert!(line.ends_with(br#","deadreason":"why","data":[]}"#));
    }
}
