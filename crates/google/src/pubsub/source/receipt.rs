//! A receipt: Pub/Sub's own, and what stood beside the message. A dead letter has the same beside it, and nobody has to
//! remember it until then.

use std::collections::BTreeMap;

/// `Debug` is left out: with it, somebody could acknowledge the message.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct PubSubReceipt {
    pub(super) ack_id: String,
    pub(super) attributes: BTreeMap<String, String>,
    /// Empty when the message has none.
    pub(super) ordering_key: String,
}

impl PubSubReceipt {
    /// As one text.
    pub(super) fn to_text(&self) -> String {
        serde_json::json!([self.ack_id, self.attributes, self.ordering_key]).to_string()
    }

    /// `None` when `text` is no receipt of a subscription.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (ack_id, attributes, ordering_key): (String, _, _) = serde_json::from_str(text).ok()?;
        (!ack_id.is_empty()).then_some(Self {
            ack_id,
            attributes,
            ordering_key,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_come_back_and_nothing_else_is_one() {
        let receipt = PubSubReceipt {
            ack_id: "projects/p/subscriptions/s:1\"".to_owned(),
            attributes: BTreeMap::from([("id".to_owned(), "\u{e9}".to_owned())]),
            ordering_key: "labelbox/data_row/1".to_owned(),
        };
        assert!(PubSubReceipt::parse(&receipt.to_text()) == Some(receipt));
        for text in [
            "",
            "id",
            "[]",
            r#"["",{},""]"#,
            r#"["a"]"#,
            r#"["a",null,""]"#,
        ] {
            assert!(PubSubReceipt::parse(text).is_none(), "{text}");
        }
    }
}
