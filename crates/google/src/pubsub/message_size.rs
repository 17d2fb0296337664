//! Parts of a message, and the number of bytes that Pub/Sub counts for it.

use labelrelay_core::OutboundMessage;

/// The most that Pub/Sub takes in one request to publish: 10 MB, of the request as it is written in protocol
/// buffers, the topic's name and the attributes included. Its emulator takes more.
pub const MAX_REQUEST_BYTES: u64 = 10_000_000;

/// The longest value of an attribute, and the longest ordering key.
pub(super) const MAX_VALUE_BYTES: usize = 1024;

/// Attributes of a message, for filters. The envelope has all of them too, so that a value which Pub/Sub would
/// refuse can stay away without loss.
pub(super) fn attributes(message: &OutboundMessage) -> Vec<(&'static str, &str)> {
    let all = [
        ("id", Some(message.id())),
        ("type", Some(message.event_type())),
        ("source", Some(message.source())),
        ("subject", message.subject()),
    ];
    let there = all
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    there
        .filter(|(_, value)| !value.is_empty() && value.len() <= MAX_VALUE_BYTES)
        .collect()
}

/// Key shared by messages that must stay in order.
pub(super) fn ordering_key(message: &OutboundMessage) -> &str {
    let key = message.partition_key();
    if key.len() <= MAX_VALUE_BYTES {
        key
    } else {
        message.source()
    }
}

/// Bytes of a `PublishRequest` with this one message.
pub(super) fn request_bytes(topic: &str, message: &OutboundMessage, ordering_key: &str) -> u64 {
    let attributes: usize = attributes(message)
        .iter()
        .map(|(name, value)| field(field(name.len()) + field(value.len())))
        .sum();
    let message = optional(message.body.len()) + attributes + optional(ordering_key.len());
    (field(topic.len()) + field(message)) as u64
}

/// A field with a length before it, and a number below 16: one byte says which it is.
fn field(length: usize) -> usize {
    1 + varint(length) + length
}

/// Empty ones are not written.
fn optional(length: usize) -> usize {
    if length == 0 { 0 } else { field(length) }
}

/// Seven bits a byte.
fn varint(number: usize) -> usize {
    let bits = usize::BITS - number.leading_zeros();
    bits.div_ceil(7).max(1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_testkit::queue_suite::message;
    use std::sync::Arc;

    #[test]
    fn varints() {
        for (number, bytes) in [
            (0, 1),
            (127, 1),
            (128, 2),
            (16_383, 2),
            (16_384, 3),
            (10_000_000, 4),
        ] {
            assert_eq!(varint(number), bytes, "{number}");
        }
    }

    #[test]
    fn request_sizes_are_exact_to_the_byte() {
        let mut message = message("x", b"1");
        message.body = vec![b'a'; 300].into();
        let attributes = Arc::make_mut(&mut message.attributes);
        attributes.id = "i".repeat(64);
        attributes.event_type = "t".repeat(26);
        attributes.source = "/labelbox".to_owned();
        attributes.subject = None;
        // Two bytes and the length for each text below 128 bytes, three for longer ones.
        let id: u64 = 2 + (2 + 2) + (2 + 64);
        let kind = 2 + (2 + 4) + (2 + 26);
        let source = 2 + (2 + 6) + (2 + 9);
        let inner = (3 + 300) + id + kind + source;
        let topic = "projects/p/topics/abc";
        assert_eq!(request_bytes(topic, &message, ""), 2 + 21 + 3 + inner);
        let inner = inner + 2 + 9;
        assert_eq!(
            request_bytes(topic, &message, "/labelbox"),
            2 + 21 + 3 + inner
        );
    }
}
