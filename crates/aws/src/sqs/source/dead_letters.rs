//! The queue that rejected events go to: as they were received, with the reason as one attribute more.

use super::receipt::SqsReceipt;
use super::requests::{Action, SqsRequests};
use crate::sqs::{MAX_MESSAGE_BYTES, answer_digests, attributes};
use labelrelay_core::{EventSourceError, QueueError, QueueErrorKind, ReceivedEvent};
use labelrelay_event::Digest;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Attribute that says why an event is a dead letter.
const REASON: &str = "labelrelay-reason";
const TYPE: &str = "String";

/// A message has so many attributes at most.
const MAX_ATTRIBUTES: usize = 10;

const MAX_REASON_BYTES: usize = 1000;

/// Group of a message that had none.
const GROUP: &str = "labelrelay";

pub(super) struct DeadLetters(pub(super) SqsRequests);

impl DeadLetters {
    /// Puts an event there. Once this returns, SQS has it.
    pub(super) async fn send(
        &self,
        event: &ReceivedEvent,
        receipt: &SqsReceipt,
        reason: &str,
    ) -> Result<(), EventSourceError> {
        let sent = self.try_send(event, receipt, reason).await;
        sent.map_err(|error| self.0.source_error(&error))
    }

    async fn try_send(
        &self,
        event: &ReceivedEvent,
        receipt: &SqsReceipt,
        reason: &str,
    ) -> Result<(), QueueError> {
        let Ok(body) = std::str::from_utf8(&event.envelope) else {
            let message = "a message of SQS is text, and this envelope is none; hand back the event as it was received";
            return Err(QueueError::new(QueueErrorKind::Misconfigured, message));
        };
        let attributes = with_reason(receipt.attributes.clone(), body.len(), reason);
        let request = if self.0.location.is_fifo() {
            json!({
                "MessageBody": body,
                "MessageAttributes": attributes,
                "MessageGroupId": receipt.group.as_deref().unwrap_or(GROUP),
                "MessageDeduplicationId": deduplication(event, receipt),
            })
        } else {
            json!({ "MessageBody": body, "MessageAttributes": attributes })
        };
        let answer = self.0.call(Action::Send, request, Duration::ZERO).await?;
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        answer_digests::same(
            "MD5OfMessageBody",
            text("MD5OfMessageBody"),
            &attributes::md5_of(body.as_bytes()),
        )?;
        match text("MessageId") {
            Some(id) if !id.is_empty() => Ok(()),
            _ => Err(answer_digests::unproven(
                "SQS answered without a MessageId".to_owned(),
            )),
        }
    }
}

/// Of the message, so that an event which is rejected twice, because it could not be acknowledged, is one dead letter.
/// Not the deduplication id that it came with: brought back and rejected again within five minutes, it would be taken
/// for the first one and be lost.
fn deduplication(event: &ReceivedEvent, receipt: &SqsReceipt) -> String {
    let given = receipt.deduplication.as_deref().unwrap_or_default();
    Digest::of(format!("{} {given}", event.place).as_bytes()).to_hex()
}

/// The attributes with the reason, if there is room for it: the message itself goes first.
fn with_reason(mut all: Map<String, Value>, body_bytes: usize, reason: &str) -> Map<String, Value> {
    // Of a time when it was rejected before.
    all.remove(REASON);
    let limit = usize::try_from(MAX_MESSAGE_BYTES).unwrap_or(usize::MAX);
    let taken = body_bytes + counted(&all) + REASON.len() + TYPE.len();
    let room = limit.saturating_sub(taken).min(MAX_REASON_BYTES);
    let reason = shortened(reason, room);
    if !reason.is_empty() && all.len() < MAX_ATTRIBUTES {
        let reason = json!({ "DataType": TYPE, "StringValue": reason });
        all.insert(REASON.to_owned(), reason);
    }
    all
}

/// Bytes that SQS counts for attributes: names, types and values. A binary value counts more here than there.
fn counted(attributes: &Map<String, Value>) -> usize {
    let parts = |value: &Value| -> usize {
        let parts = value.as_object().into_iter().flatten();
        parts
            .filter_map(|(_, part)| part.as_str())
            .map(str::len)
            .sum()
    };
    let each = attributes.iter();
    each.map(|(name, value)| name.len() + parts(value)).sum()
}

/// The beginning of a reason, without the characters that SQS refuses.
fn shortened(reason: &str, bytes: usize) -> String {
    let reason = if reason.is_empty() {
        "rejected"
    } else {
        reason
    };
    let mut short = String::new();
    for character in reason.chars() {
        let character = match character {
            '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'.. => character,
            _ => '?',
        };
        if short.len() + character.len_utf8() > bytes {
            break;
        }
        short.push(character);
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(value: &str) -> Value {
        json!({ "DataType": TYPE, "StringValue": value })
    }

    #[test]
    fn a_reason_is_cut_where_a_character_ends_and_holds_none_that_sqs_refuses() {
        assert_eq!(shortened("a\u{0}\u{ffff}b", 10), "a??b");
        assert_eq!(shortened("é\u{1f600}", 5), "é");
        assert_eq!(shortened("", 100), "rejected");
    }

    #[test]
    fn a_message_that_is_as_large_as_it_may_be_has_no_reason() {
        let limit = usize::try_from(MAX_MESSAGE_BYTES).unwrap();
        let beside = REASON.len() + TYPE.len();
        let of = |bytes: usize| with_reason(Map::new(), bytes, "why");
        assert!(of(limit - beside).is_empty());
        assert_eq!(of(limit - beside - 2).get(REASON), Some(&attribute("wh")));
    }

    #[test]
    fn attributes_stay_and_an_old_reason_goes() {
        let mut all = Map::new();
        all.insert(REASON.to_owned(), attribute("before"));
        for n in 0..9 {
            all.insert(format!("n{n}"), attribute("x"));
        }
        let made = with_reason(all.clone(), 10, "now");
        assert_eq!(made.len(), 10);
        assert_eq!(made.get(REASON), Some(&attribute("now")));
        all.insert("n9".to_owned(), attribute("x"));
        let made = with_reason(all, 10, "now");
        assert!(made.len() == 10 && made.get(REASON).is_none());
    }

    /// Red if the same message's dead letters differ, or if one that was brought back is taken for the first.
    #[test]
    fn a_dead_letter_repeats_the_same_message_alone() {
        let receipt = |given: &str| SqsReceipt {
            handle: "h".to_owned(),
            group: None,
            deduplication: Some(given.to_owned()),
            attributes: Map::new(),
            received_s: 0,
        };
        let of = |place: &str, given: &str| {
            deduplication(&ReceivedEvent::new("{}", "r", place), &receipt(given))
        };
        assert_eq!(of("m", "x"), of("m", "x"));
        assert_ne!(of("m", "x"), of("other", "x"));
        assert_ne!(of("m", "x"), "x");
    }
}
