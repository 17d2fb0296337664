//! The topic that rejected events go to: as they were received, with the reason as one attribute more.

use super::receipt::PubSubReceipt;
use crate::pubsub::connection::PubSubConnections;
use crate::pubsub::error::publish_error;
use crate::pubsub::message_size::{MAX_REQUEST_BYTES, MAX_VALUE_BYTES};
use bytes::Bytes;
use google_cloud_pubsub::model::Message;
use labelrelay_core::relay::GIVE_UP;
use labelrelay_core::{EventSourceError, QueueError, QueueErrorKind};
use std::collections::BTreeMap;
use tokio::time::timeout;

/// Attribute that says why an event is a dead letter.
const REASON: &str = "labelrelay-reason";

/// A message has so many attributes at most.
const MAX_ATTRIBUTES: usize = 100;

/// Bytes around a name and a value, and around everything, at most.
const FRAME: usize = 24;

pub(super) struct DeadLetters {
    pub(super) connections: PubSubConnections,
    /// The topic's name in Google's cloud.
    pub(super) topic: String,
}

impl DeadLetters {
    /// Publishes an event there. Once this returns, Pub/Sub has it.
    pub(super) async fn send(
        &self,
        envelope: &Bytes,
        receipt: PubSubReceipt,
        reason: &str,
    ) -> Result<(), EventSourceError> {
        let PubSubReceipt {
            attributes,
            ordering_key,
            ..
        } = receipt;
        let beside = self.topic.len() + ordering_key.len() + 2 * FRAME;
        let attributes = with_reason(attributes, envelope.len() + beside, reason);
        let bytes = envelope.len() + beside + counted(&attributes);
        let message = Message::new()
            .set_data(envelope.clone())
            .set_attributes(attributes)
            .set_ordering_key(ordering_key.as_str());
        // Given up, it retires the connection.
        let sent = self.connections.publish(message, !ordering_key.is_empty());
        let error = match timeout(GIVE_UP, sent).await {
            Ok(Ok(id)) if !id.is_empty() => return Ok(()),
            Ok(Ok(_)) => unproven("Pub/Sub answered without a message id"),
            Ok(Err(error)) => publish_error(error, &self.topic, bytes as u64),
            Err(_) => unproven("no answer came in time"),
        };
        Err(self.error(&error))
    }

    fn error(&self, error: &QueueError) -> EventSourceError {
        let own = self.topic.as_str();
        let text = error.message.strip_prefix(own).unwrap_or(&error.message);
        let text = text.trim_start_matches([' ', ':']);
        let no_cure = if error.retryable {
            "it may pass"
        } else {
            "correct it there, or in these settings"
        };
        let parts = text.split_once("; ").or_else(|| text.split_once(": "));
        let (problem, cure) = parts.unwrap_or((text, no_cure));
        let told = EventSourceError::new(own, problem, cure);
        if error.retryable {
            told.retryable()
        } else {
            told
        }
    }
}

fn unproven(message: &str) -> QueueError {
    let mut error = QueueError::new(QueueErrorKind::Unproven, message);
    error.retryable = true;
    error
}

/// The attributes with the reason, if there is room for it beside so many other bytes: the message itself goes first.
/// Google's own go: it refuses them from others.
fn with_reason(
    mut all: BTreeMap<String, String>,
    other_bytes: usize,
    reason: &str,
) -> BTreeMap<String, String> {
    all.retain(|name, _| name != REASON && !name.starts_with("goog"));
    let limit = usize::try_from(MAX_REQUEST_BYTES).unwrap_or(usize::MAX);
    let taken = other_bytes + counted(&all) + REASON.len() + FRAME;
    let room = limit.saturating_sub(taken).min(MAX_VALUE_BYTES);
    let reason = if reason.is_empty() {
        "rejected"
    } else {
        reason
    };
    let reason = beginning(reason, room);
    if !reason.is_empty() && all.len() < MAX_ATTRIBUTES {
        all.insert(REASON.to_owned(), reason.to_owned());
    }
    all
}

/// As much of a text as has so many bytes.
fn beginning(text: &str, bytes: usize) -> &str {
    let fits = |end: &usize| text.is_char_boundary(*end);
    let end = (0..=bytes.min(text.len())).rev().find(fits);
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

/// Bytes of attributes in a request, or a few more.
fn counted(attributes: &BTreeMap<String, String>) -> usize {
    let each = attributes.iter();
    each.map(|(name, value)| name.len() + value.len() + FRAME)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(names: &[&str]) -> BTreeMap<String, String> {
        let each = names.iter();
        each.map(|name| ((*name).to_owned(), "x".to_owned()))
            .collect()
    }

    #[test]
    fn the_reason_stands_beside_what_was_there() {
        let made = with_reason(attributes(&["id", REASON, "googclient_x"]), 10, "why");
        let names: Vec<_> = made.keys().map(String::as_str).collect();
        assert_eq!(names, ["id", REASON]);
        assert_eq!(made[REASON], "why");
        assert_eq!(with_reason(BTreeMap::new(), 10, "")[REASON], "rejected");
    }

    #[test]
    fn a_reason_is_cut_to_what_pubsub_takes_and_left_out_where_there_is_no_room() {
        let long = "é".repeat(600);
        let made = with_reason(BTreeMap::new(), 10, &long);
        assert_eq!(made[REASON].len(), 1024);
        let odd = with_reason(BTreeMap::new(), 10, &format!("x{long}"));
        assert_eq!(odd[REASON].len(), 1023);
        let full = usize::try_from(MAX_REQUEST_BYTES).unwrap();
        assert!(with_reason(attributes(&["id"]), full, "why").len() == 1);
    }
}
