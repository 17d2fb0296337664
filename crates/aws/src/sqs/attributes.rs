//! Attributes beside a message's body, for filtering, and the digests of them that SQS answers.

use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::MessageAttributeValue;
use labelrelay_core::OutboundMessage;
use md5::{Digest, Md5};
use std::collections::HashMap;

const TYPE: &str = "String";

/// Names and values, in the order of their names. A consumer's filter reads these without parsing.
pub(super) fn attributes(message: &OutboundMessage) -> impl Iterator<Item = (&'static str, &str)> {
    let all = [
        ("id", Some(message.id())),
        ("source", Some(message.source())),
        ("subject", message.subject()),
        ("type", Some(message.event_type())),
    ];
    // SQS refuses an empty value.
    let present =
        |(name, value): (_, Option<_>)| Some((name, value.filter(|v: &&str| !v.is_empty())?));
    all.into_iter().filter_map(present)
}

/// Bytes that SQS counts: the body, and of each attribute its name, type and value.
pub(super) fn counted_bytes(message: &OutboundMessage) -> u64 {
    let beside: usize = attributes(message)
        .map(|(name, value)| name.len() + TYPE.len() + value.len())
        .sum();
    (message.body.len() + beside) as u64
}

pub(super) fn values(
    message: &OutboundMessage,
) -> Result<HashMap<String, MessageAttributeValue>, BuildError> {
    attributes(message)
        .map(|(name, value)| {
            let value = MessageAttributeValue::builder()
                .data_type(TYPE)
                .string_value(value)
                .build()?;
            Ok((name.to_owned(), value))
        })
        .collect()
}

/// `MD5OfMessageAttributes`, as AWS documents how to compute it.
pub(super) fn md5(message: &OutboundMessage) -> String {
    let mut md5 = Md5::new();
    for (name, value) in attributes(message) {
        counted(&mut md5, name);
        counted(&mut md5, TYPE);
        md5.update([STRING]);
        counted(&mut md5, value);
    }
    hex(&md5.finalize())
}

/// Type byte for `String` in AWS's attribute digest.
const STRING: u8 = 1;

fn counted(md5: &mut Md5, text: &str) {
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
