//! Attributes beside a message's body, for filtering, and the digests of them that SQS answers.

use super::message_content::MessageContent;
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::MessageAttributeValue;
use labelrelay_core::OutboundMessage;
use labelrelay_event::S3Pointer;
use md5::{Digest, Md5};
use std::collections::HashMap;

const TEXT: &str = "String";
const NUMBER: &str = "Number";

/// Names, types and values.
type Attribute<'a> = (&'static str, &'static str, &'a str);

/// In the order of their names. A consumer's filter reads these without parsing.
fn attributes<'a>(
    message: &'a OutboundMessage,
    envelope_bytes: Option<&'a str>,
) -> impl Iterator<Item = Attribute<'a>> {
    let all = [
        (S3Pointer::SIZE_ATTRIBUTE, NUMBER, envelope_bytes),
        ("id", TEXT, Some(message.id())),
        ("source", TEXT, Some(message.source())),
        ("subject", TEXT, message.subject()),
        ("type", TEXT, Some(message.event_type())),
    ];
    // SQS refuses an empty value.
    let present = |(name, kind, value): (_, _, Option<_>)| {
        Some((name, kind, value.filter(|v: &&str| !v.is_empty())?))
    };
    all.into_iter().filter_map(present)
}

impl MessageContent<'_> {
    fn attributes(&self) -> impl Iterator<Item = Attribute<'_>> {
        attributes(self.message, self.envelope_bytes.as_deref())
    }

    /// Bytes that SQS counts: the body, and of each attribute its name, type and value.
    pub(super) fn counted_bytes(&self) -> u64 {
        counted(&self.body, self.attributes())
    }

    pub(super) fn attribute_values(
        &self,
    ) -> Result<HashMap<String, MessageAttributeValue>, BuildError> {
        self.attributes()
            .map(|(name, kind, value)| {
                let value = MessageAttributeValue::builder()
                    .data_type(kind)
                    .string_value(value)
                    .build()?;
                Ok((name.to_owned(), value))
            })
            .collect()
    }

    /// `MD5OfMessageAttributes`, as AWS documents how to compute it.
    pub(super) fn md5_of_attributes(&self) -> String {
        let mut md5 = Md5::new();
        for (name, kind, value) in self.attributes() {
            hash(&mut md5, name);
            hash(&mut md5, kind);
            md5.update([STRING]);
            hash(&mut md5, value);
        }
        hex(&md5.finalize())
    }
}

/// The bytes that SQS counts of a message with its envelope.
pub(super) fn counted_bytes(message: &OutboundMessage) -> u64 {
    counted(&message.body, attributes(message, None))
}

fn counted<'a>(body: &[u8], attributes: impl Iterator<Item = Attribute<'a>>) -> u64 {
    let beside: usize = attributes
        .map(|(name, kind, value)| name.len() + kind.len() + value.len())
        .sum();
    (body.len() + beside) as u64
}

/// Type byte for `String` and `Number`, both of which are sent as text, in AWS's attribute digest.
const STRING: u8 = 1;

fn hash(md5: &mut Md5, text: &str) {
    md5.update(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
    md5.update(text);
}

/// `MD5OfMessageBody`, and `MD5OfBody` of a message that is received.
pub(super) fn md5_of(body: &[u8]) -> String {
    hex(&Md5::digest(body))
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16);
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(digit).collect()
}
