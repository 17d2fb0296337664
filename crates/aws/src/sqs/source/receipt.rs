//! A receipt: SQS's own handle, and what stood beside the message. A dead letter has the same beside it, and nobody has
//! to remember it until then.

use serde_json::{Map, Value, json};

/// Longest that SQS hides a message, in seconds. It counts from the receive, whatever is asked for later.
pub(super) const LONGEST_S: u64 = 12 * 3600;

/// Seconds before that end in which nothing is asked for any more: a request takes time, and whole seconds are counted.
const MARGIN_S: u64 = 10;

/// Parts of an attribute that a message is sent with.
const PARTS: [&str; 3] = ["DataType", "StringValue", "BinaryValue"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SqsReceipt {
    /// The handle that settles the message.
    pub(super) handle: String,
    pub(super) group: Option<String>,
    pub(super) deduplication: Option<String>,
    /// Attributes, as SQS writes them.
    pub(super) attributes: Map<String, Value>,
    /// Time at which it was asked for, in seconds of the Unix time.
    pub(super) received_s: u64,
}

impl SqsReceipt {
    /// The receipt of a message as SQS hands it out to who asked at `received_s`; `None` without a handle.
    pub(super) fn of(message: &Value, received_s: u64) -> Option<Self> {
        let system = |name: &str| {
            let value = message.get("Attributes")?.get(name)?.as_str()?;
            Some(value.to_owned())
        };
        let attributes = message.get("MessageAttributes").and_then(Value::as_object);
        Some(Self {
            handle: message.get("ReceiptHandle")?.as_str()?.to_owned(),
            group: system("MessageGroupId"),
            deduplication: system("MessageDeduplicationId"),
            attributes: attributes.map(sendable).unwrap_or_default(),
            received_s,
        })
    }

    /// As one text.
    pub(super) fn to_text(&self) -> String {
        json!([
            self.handle,
            self.group,
            self.deduplication,
            self.attributes,
            self.received_s
        ])
        .to_string()
    }

    /// Seconds for which SQS may hide the message at `now_s`: it refuses to be asked for more.
    pub(super) fn left_s(&self, now_s: u64) -> u64 {
        let held = now_s.saturating_sub(self.received_s);
        LONGEST_S.saturating_sub(held).saturating_sub(MARGIN_S)
    }

    /// `None` when `text` is no receipt of this queue.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let parts: Value = serde_json::from_str(text).ok()?;
        let part = |index: usize| Some(parts.get(index)?.as_str()?.to_owned());
        Some(Self {
            handle: part(0)?,
            group: part(1),
            deduplication: part(2),
            attributes: parts.get(3)?.as_object()?.clone(),
            received_s: parts.get(4)?.as_u64()?,
        })
    }
}

fn sendable(attributes: &Map<String, Value>) -> Map<String, Value> {
    let value = |value: &Value| {
        let parts = value.as_object().into_iter().flatten();
        let parts = parts.filter(|(part, _)| PARTS.contains(&part.as_str()));
        Value::Object(parts.map(|(part, of)| (part.clone(), of.clone())).collect())
    };
    let each = attributes.iter();
    each.map(|(name, of)| (name.clone(), value(of))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_holds_what_stood_beside_its_message() {
        let message = json!({
            "ReceiptHandle": "AQEB a/+=\"",
            "Attributes": { "MessageGroupId": "g", "ApproximateReceiveCount": "1" },
            "MessageAttributes": { "id": { "DataType": "String", "StringValue": "1", "StringListValues": [] } },
        });
        let receipt = SqsReceipt::of(&message, 17).unwrap();
        assert_eq!(receipt.group.as_deref(), Some("g"));
        assert_eq!(receipt.deduplication, None);
        let id = json!({ "DataType": "String", "StringValue": "1" });
        assert_eq!(receipt.attributes.get("id"), Some(&id));
        assert_eq!(SqsReceipt::parse(&receipt.to_text()), Some(receipt));
    }

    /// Red if the end of the 12 hours is counted from anything but the receive.
    #[test]
    fn a_message_is_hidden_for_twelve_hours_from_its_receive() {
        let message = json!({ "ReceiptHandle": "h" });
        let receipt = SqsReceipt::of(&message, 1000).unwrap();
        assert_eq!(receipt.left_s(1000), 43_190);
        assert_eq!(receipt.left_s(1060), 43_130);
        assert_eq!(receipt.left_s(1000 + 43_189), 1);
        assert_eq!(receipt.left_s(1000 + 43_190), 0);
        assert_eq!(receipt.left_s(u64::MAX), 0);
        // A clock that was set back.
        assert_eq!(receipt.left_s(0), 43_190);
    }

    #[test]
    fn another_queues_receipt_is_none() {
        for text in [
            "",
            "17-00",
            "[]",
            "{}",
            "[1,null,null,{},1]",
            "[\"a\"]",
            "[\"a\",null,null,{}]",
        ] {
            assert_eq!(SqsReceipt::parse(text), None, "{text}");
        }
    }
}
