//! Spans as the bytes of OTLP's messages, written straight away.
//!
//! A span has some fifteen attributes. Made as a structure first, each is two texts on the heap, which are measured, copied
//! and freed for nothing. Here each is written once, in the order in which `prost` would write it.

/// Tags of protobuf: a field's number and its type, as OTLP has them.
pub(crate) mod tag {
    const fn varint(field: u8) -> u8 {
        field << 3
    }

    const fn fixed64(field: u8) -> u8 {
        field << 3 | 1
    }

    const fn bytes(field: u8) -> u8 {
        field << 3 | 2
    }

    pub(crate) const REQUEST_RESOURCE_SPANS: u8 = bytes(1);
    pub(crate) const RESOURCE_SPANS_RESOURCE: u8 = bytes(1);
    pub(crate) const RESOURCE_SPANS_SCOPE_SPANS: u8 = bytes(2);
    pub(crate) const SCOPE_SPANS_SCOPE: u8 = bytes(1);
    pub(crate) const SCOPE_SPANS_SPAN: u8 = bytes(2);

    pub(crate) const TRACE_ID: u8 = bytes(1);
    pub(crate) const SPAN_ID: u8 = bytes(2);
    pub(crate) const PARENT_SPAN_ID: u8 = bytes(4);
    pub(crate) const NAME: u8 = bytes(5);
    pub(crate) const KIND: u8 = varint(6);
    pub(crate) const START: u8 = fixed64(7);
    pub(crate) const END: u8 = fixed64(8);
    pub(crate) const ATTRIBUTE: u8 = bytes(9);
    pub(crate) const LINK: u8 = bytes(13);
    pub(crate) const STATUS: u8 = bytes(15);

    pub(crate) const LINK_TRACE_ID: u8 = bytes(1);
    pub(crate) const LINK_SPAN_ID: u8 = bytes(2);

    pub(crate) const STATUS_MESSAGE: u8 = bytes(2);
    pub(crate) const STATUS_CODE: u8 = varint(3);

    pub(crate) const KEY: u8 = bytes(1);
    pub(crate) const VALUE: u8 = bytes(2);
    pub(crate) const TEXT: u8 = bytes(1);
    pub(crate) const NUMBER: u8 = varint(3);
}

/// Bytes that a number takes: seven bits in each.
pub(crate) const fn varint_length(number: u64) -> usize {
    let bits = 64 - (number | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

pub(crate) fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(low(number) | 0x80);
        number >>= 7;
    }
    out.push(low(number));
}

/// Seven bits of it.
const fn low(number: u64) -> u8 {
    (number & 0x7f) as u8
}

/// Bytes of a field that has so many: its tag and its length are among them.
pub(crate) const fn field_length(length: usize) -> usize {
    1 + varint_length(length as u64) + length
}

/// What stands before so many bytes of a field.
pub(crate) fn field(out: &mut Vec<u8>, tag: u8, length: usize) {
    if length < 0x80 {
        out.extend_from_slice(&[tag, low(length as u64)]);
    } else {
        out.push(tag);
        varint(out, length as u64);
    }
}

/// A field of bytes.
pub(crate) fn bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    field(out, tag, bytes.len());
    out.extend_from_slice(bytes);
}

/// A field that is a text, in parts.
pub(crate) fn parts<const PARTS: usize>(out: &mut Vec<u8>, tag: u8, parts: [&str; PARTS]) {
    field(out, tag, total(&parts));
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

/// A time.
pub(crate) fn time(out: &mut Vec<u8>, tag: u8, nanoseconds: u64) {
    out.push(tag);
    out.extend_from_slice(&nanoseconds.to_le_bytes());
}

/// An enumeration's value.
pub(crate) fn choice(out: &mut Vec<u8>, tag: u8, value: u8) {
    out.push(tag);
    varint(out, value.into());
}

/// An attribute that is a text, in parts.
pub(crate) fn text<const PARTS: usize>(out: &mut Vec<u8>, key: &str, text: [&str; PARTS]) {
    attribute(out, key, field_length(total(&text)));
    parts(out, tag::TEXT, text);
}

/// An attribute that is a text, if it has a value.
pub(crate) fn text_if(out: &mut Vec<u8>, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        text(out, key, [value]);
    }
}

/// An attribute that is a number.
pub(crate) fn number(out: &mut Vec<u8>, key: &str, value: u64) {
    // The field is signed.
    let value = value.min(i64::MAX.unsigned_abs());
    attribute(out, key, 1 + varint_length(value));
    out.push(tag::NUMBER);
    varint(out, value);
}

/// An attribute as far as its value, which takes so many bytes.
fn attribute(out: &mut Vec<u8>, key: &str, value: usize) {
    let key = key.as_bytes();
    let length = field_length(key.len()) + field_length(value);
    if length < 0x80 {
        // Nearly all are, and so are the lengths within: a byte for each, and fewer looks whether there is room.
        let (of_key, of_value) = (low(key.len() as u64), low(value as u64));
        out.extend_from_slice(&[tag::ATTRIBUTE, low(length as u64), tag::KEY, of_key]);
        out.extend_from_slice(key);
        out.extend_from_slice(&[tag::VALUE, of_value]);
    } else {
        field(out, tag::ATTRIBUTE, length);
        bytes(out, tag::KEY, key);
        field(out, tag::VALUE, value);
    }
}

/// That there was an error, and why.
pub(crate) fn failed(out: &mut Vec<u8>, reason: &str) {
    /// `STATUS_CODE_ERROR`.
    const ERROR: u8 = 2;
    let message = if reason.is_empty() {
        0
    } else {
        field_length(reason.len())
    };
    field(out, tag::STATUS, message + 2);
    if message > 0 {
        parts(out, tag::STATUS_MESSAGE, [reason]);
    }
    choice(out, tag::STATUS_CODE, ERROR);
}

/// A span, whose fields `write` writes.
pub(crate) fn span(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    /// That of nearly all spans: from 128 bytes to 16 KiB.
    const USUAL: usize = 2;
    out.push(tag::SCOPE_SPANS_SPAN);
    let at = out.len();
    out.extend_from_slice(&[0; USUAL]); // the length, once it is known
    let begin = out.len();
    write(out);
    let length = (out.len() - begin) as u64;
    if varint_length(length) == USUAL {
        if let Some(place) = out.get_mut(at..begin) {
            place.copy_from_slice(&[low(length) | 0x80, low(length >> 7)]);
        }
    } else {
        let mut prefix = Vec::new();
        varint(&mut prefix, length);
        out.splice(at..begin, prefix);
    }
}

fn total(parts: &[&str]) -> usize {
    parts.iter().map(|part| part.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    use opentelemetry_proto::tonic::trace::v1::ScopeSpans;
    use prost::Message as _;

    #[test]
    fn numbers_and_lengths_of_each_size_are_what_a_decoder_reads() {
        for shift in 0..64 {
            for number in [1_u64 << shift, (1 << shift) - 1, u64::MAX >> shift] {
                let mut ours = Vec::new();
                varint(&mut ours, number);
                let mut theirs = Vec::new();
                prost::encoding::encode_varint(number, &mut theirs);
                assert_eq!(ours, theirs, "{number}");
                assert_eq!(ours.len(), varint_length(number), "{number}");
            }
        }
    }

    /// Red if the length of a span, an attribute, a value or a text is off by one where it takes one byte more.
    #[test]
    fn spans_of_each_length_are_read_as_they_were_written() {
        // A span has the value twice: it takes a byte more at half of these lengths.
        let around = [0, 64, 127, 8_192, 16_383, 1_048_576, 2_097_151].into_iter();
        let lengths = around.flat_map(|about: usize| about.saturating_sub(40)..about + 3);
        for length in lengths {
            let value = "x".repeat(length);
            let mut out = Vec::new();
            for _ in 0..2 {
                span(&mut out, |out| {
                    text(out, "a.key", [&value]);
                    number(out, "a.number", length as u64);
                    failed(out, &value);
                });
            }
            let read = ScopeSpans::decode(&*out).unwrap();
            assert_eq!(read.encode_to_vec(), out, "{length}");
            assert_eq!(read.spans.len(), 2);
            for span in &read.spans {
                let [text, number] = &span.attributes[..] else {
                    panic!("{span:?}");
                };
                let value_of = |attribute: &opentelemetry_proto::tonic::common::v1::KeyValue| {
                    attribute.value.clone().unwrap().value.unwrap()
                };
                assert_eq!(value_of(text), Value::StringValue(value.clone()));
                let signed = i64::try_from(length).unwrap();
                assert_eq!(value_of(number), Value::IntValue(signed));
                assert_eq!(span.status.as_ref().unwrap().message, value);
            }
        }
    }
}
