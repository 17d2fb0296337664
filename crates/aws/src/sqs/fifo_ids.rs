//! `MessageGroupId`: keeps messages of one thing in order, or lets others pass a busy one.

use labelrelay_core::OutboundMessage;
use labelrelay_event::Digest;

/// SQS takes so many characters.
const LONGEST: usize = 128;

/// The message's partition key; unchanged if SQS accepts its characters.
pub(super) fn group(message: &OutboundMessage) -> String {
    let key = message.partition_key();
    if is_allowed(key) {
        key.to_owned()
    } else {
        Digest::of(key.as_bytes()).to_hex()
    }
}

/// `MessageDeduplicationId`.
pub(super) fn deduplication(message: &OutboundMessage) -> String {
    let key = message.deduplication_key();
    if is_allowed(&key) {
        key.into_owned()
    } else {
        Digest::of(key.as_bytes()).to_hex()
    }
}

/// Letters, digits and all of ASCII's punctuation.
fn is_allowed(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
