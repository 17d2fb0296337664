//! An answer to a pull, as the events that are in it.

use super::receipt::PubSubReceipt;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use labelrelay_core::ReceivedEvent;
use serde::Deserialize;
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
struct Answer {
    #[serde(default)]
    received_messages: Vec<Received>,
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

/// `None` when this is no answer to a pull.
pub(super) fn events(body: &[u8]) -> Option<Vec<ReceivedEvent>> {
    // An array would pass for an object without members.
    body.trim_ascii_start().strip_prefix(b"{")?;
    let answer: Answer = serde_json::from_slice(body).ok()?;
    answer.received_messages.into_iter().map(event).collect()
}

fn event(received: Received) -> Option<ReceivedEvent> {
    let message = received.message;
    let receipt = PubSubReceipt {
        ack_id: received.ack_id,
        attributes: message.attributes,
        ordering_key: message.ordering_key,
    };
    let envelope = STANDARD.decode(message.data).ok()?;
    let place = format!("message {}", message.id);
    let event = ReceivedEvent::new(envelope, receipt.to_text(), place);
    Some(match received.delivery_attempt {
        Some(times) => event.received(times),
        None => event,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_the_events_in_it() {
        assert!(events(b"{}").unwrap().is_empty());
        let body = br#"{"receivedMessages":[{"ackId":"a","deliveryAttempt":2,"message":{"data":"AP8=","messageId":"7","publishTime":"x"}},{"ackId":"b","message":{}}]}"#;
        let got = events(body).unwrap();
        assert_eq!(&got[0].envelope[..], b"\0\xff");
        assert_eq!(
            (got[0].receive_count, &*got[0].place),
            (Some(2), "message 7")
        );
        assert!(got[1].envelope.is_empty() && got[1].receive_count.is_none());
    }

    #[test]
    fn anything_else_is_none() {
        for body in [
            "",
            "[]",
            "<html>",
            r#"{"receivedMessages":[{"ackId":"a","message":{"data":"?"}}]}"#,
        ] {
            assert!(events(body.as_bytes()).is_none(), "{body}");
        }
    }
}
