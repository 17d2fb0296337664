//! An answer to a pull, as the events that are in it.

use super::receipt::PubSubReceipt;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use labelrelay_core::ReceivedEvent;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Result of one pull.
pub(super) enum Pulled {
    /// Nothing came in the time.
    Nothing,
    /// The answer is larger than what is read of one.
    TooMuch,
    /// The answer.
    Body(Bytes),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    #[serde(borrow, default)]
    received_messages: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Received {
    ack_id: String,
    message: Message,
    delivery_attempt: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Message {
    data: String,
    attributes: BTreeMap<String, String>,
    #[serde(rename = "messageId")]
    id: String,
    ordering_key: String,
}

/// The events of an answer, and how many messages of it make no sense. `None` when this is no answer to a pull.
///
/// An ordering key names a group only if the subscription keeps the order, and so `is_ordered`.
pub(super) fn events(body: &[u8], is_ordered: bool) -> Option<(Vec<ReceivedEvent>, usize)> {
    // An array would pass for an object without members.
    body.trim_ascii_start().strip_prefix(b"{")?;
    let answer: Answer<'_> = serde_json::from_slice(body).ok()?;
    let messages = answer.received_messages;
    let count = messages.len();
    let each = messages.into_iter();
    let events: Vec<_> = each.filter_map(|raw| event(raw, is_ordered)).collect();
    let senseless = count - events.len();
    Some((events, senseless))
}

fn event(raw: &RawValue, is_ordered: bool) -> Option<ReceivedEvent> {
    let received: Received = serde_json::from_str(raw.get()).ok()?;
    let message = received.message;
    let envelope = STANDARD.decode(message.data).ok()?;
    let receipt = PubSubReceipt {
        ack_id: received.ack_id,
        attributes: message.attributes,
        ordering_key: message.ordering_key,
    };
    let receipt_text = receipt.to_text();
    PubSubReceipt::parse(&receipt_text)?;
    let place = format!("message {}", message.id);
    let mut event = ReceivedEvent::new(envelope, receipt_text, place);
    event.receive_count = received.delivery_attempt;
    let key = Some(receipt.ordering_key);
    event.group = key.filter(|key| is_ordered && !key.is_empty());
    Some(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_the_events_in_it() {
        assert!(events(b"{}", true).unwrap().0.is_empty());
        let body = br#"{"receivedMessages":[{"ackId":"a","deliveryAttempt":2,"message":{"data":"AP8=","messageId":"7","publishTime":"x","orderingKey":"k"}},{"ackId":"b","message":{}}]}"#;
        let (got, senseless) = events(body, true).unwrap();
        assert_eq!(&got[0].envelope[..], b"\0\xff");
        assert_eq!(
            (got[0].receive_count, &*got[0].place),
            (Some(2), "message 7")
        );
        assert!(got[1].envelope.is_empty() && got[1].receive_count.is_none());
        assert_eq!(senseless, 0);
        let groups = |is_ordered| {
            let (got, _) = events(body, is_ordered).unwrap();
            got.into_iter().map(|event| event.group).collect::<Vec<_>>()
        };
        assert_eq!(groups(true), [Some("k".to_owned()), None]);
        assert_eq!(groups(false), [None, None]);
    }

    /// Red if one that makes no sense keeps the others back.
    #[test]
    fn a_message_that_makes_no_sense_is_left_out() {
        for senseless in [
            r#"{"ackId":"a","message":{"data":"?"}}"#,
            r#"{"ackId":"","message":{}}"#,
            r#"{"message":{}}"#,
            r#"{"ackId":"a","message":{"attributes":[]}}"#,
            "null",
            "7",
        ] {
            let good = r#"{"ackId":"b","message":{"messageId":"8"}}"#;
            let body = format!(r#"{{"receivedMessages":[{senseless},{good}]}}"#);
            let (got, left_out) = events(body.as_bytes(), false).unwrap();
            assert_eq!((got.len(), left_out), (1, 1), "{senseless}");
            assert_eq!(got[0].place, "message 8");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for body in ["", "[]", "<html>", r#"{"receivedMessages":{}}"#] {
            assert!(events(body.as_bytes(), false).is_none(), "{body}");
        }
    }
}
