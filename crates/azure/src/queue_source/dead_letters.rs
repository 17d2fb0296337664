//! The queue that rejected events go to. A message has no attributes there, so the reason is one of the envelope's.

use super::account_queue::AccountQueue;
use super::receipt::{AzureReceipt, Form};
use crate::storage_queue::{MAX_MESSAGE_BYTES, NEVER};
use azure_storage_queue::models::{QueueClientSendMessageOptions, QueueMessage};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labelrelay_core::{EventSourceError, ReceivedEvent};
use serde_json::Deserializer;
use std::borrow::Cow;

/// The envelope's first member, with which a dead letter says why it is one.
const REASON: &[u8] = b"{\"deadreason\":";

const MAX_REASON_CHARACTERS: usize = 1000;

pub(super) struct DeadLetters(pub(super) AccountQueue);

impl DeadLetters {
    /// Puts an event there, for good. Once this returns, the service has it.
    pub(super) async fn send(
        &self,
        event: &ReceivedEvent,
        reason: &str,
    ) -> Result<(), EventSourceError> {
        let queue = &self.0;
        let form = AzureReceipt::parse(&event.receipt).map_or(Form::Base64, |receipt| receipt.form);
        let text = text(&event.envelope, form, reason);
        let options = QueueClientSendMessageOptions {
            message_time_to_live: Some(NEVER),
            ..QueueClientSendMessageOptions::default()
        };
        let asked = async {
            let message = QueueMessage {
                message_text: Some(text),
            };
            let sent = queue
                .client
                .send_message(message.try_into()?, Some(options));
            sent.await?.into_model()
        };
        let sent = queue.answer(asked).await;
        let sent = sent.map_err(|failed| queue.error(&failed))?;
        let id = sent
            .items
            .into_iter()
            .flatten()
            .find_map(|sent| sent.message_id);
        if id.is_some() {
            return Ok(());
        }
        let problem = "the answer names no message";
        let cure = "look for a proxy that changes answers between here and the service";
        Err(EventSourceError::new(&queue.resource.what, problem, cure).retryable())
    }
}

/// Text of a dead letter. Without the reason where there is no room for it, or no envelope to put it in.
fn text(envelope: &[u8], form: Form, reason: &str) -> String {
    if form == Form::Plain {
        return String::from_utf8_lossy(envelope).into_owned();
    }
    let with_reason = with_reason(envelope, reason);
    let limit = usize::try_from(MAX_MESSAGE_BYTES).unwrap_or(usize::MAX);
    match with_reason {
        Some(told) if told.len() <= limit => STANDARD.encode(told),
        _ => STANDARD.encode(envelope),
    }
}

/// The envelope with the reason as its first member; everything behind that stays as it is. `None` when it is no object
/// with members.
fn with_reason(envelope: &[u8], reason: &str) -> Option<Vec<u8>> {
    let envelope = without_reason(envelope);
    let members = envelope.strip_prefix(b"{")?;
    if members.trim_ascii_start().first() != Some(&b'"') {
        return None;
    }
    let reason: String = reason.chars().take(MAX_REASON_CHARACTERS).collect();
    let reason = serde_json::to_string(&reason).ok()?;
    Some([REASON, reason.as_bytes(), b",", members].concat())
}

/// The envelope without the reason of a time when it was rejected before: two of them would be one too many.
fn without_reason(envelope: &[u8]) -> Cow<'_, [u8]> {
    let rest = || {
        let told = envelope.strip_prefix(REASON)?;
        let mut strings = Deserializer::from_slice(told).into_iter::<String>();
        strings.next()?.ok()?;
        told.get(strings.byte_offset()..)?.strip_prefix(b",")
    };
    match rest() {
        Some(members) => Cow::Owned([&b"{"[..], members].concat()),
        None => Cow::Borrowed(envelope),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(envelope: &str, reason: &str) -> String {
        let text = text(envelope.as_bytes(), Form::Base64, reason);
        String::from_utf8(STANDARD.decode(text).unwrap()).unwrap()
    }

    #[test]
    fn the_reason_is_the_first_member_and_the_rest_is_as_it_was() {
        let envelope = r#"{"id":"1","data":{"a": 1.0e400}}"#;
        let dead = told(envelope, "say \"why\"\n");
        let expected = r#"{"deadreason":"say \"why\"\n","id":"1","data":{"a": 1.0e400}}"#;
        assert_eq!(dead, expected);
        // Brought back and rejected again.
        let again = told(&dead, "other");
        assert_eq!(
            again,
            r#"{"deadreason":"other","id":"1","data":{"a": 1.0e400}}"#
        );
    }

    #[test]
    fn an_envelope_without_room_for_a_reason_goes_without() {
        for envelope in ["", "{}", "{ }", "[1]", "{1:2}", "text"] {
            assert_eq!(told(envelope, "why"), envelope);
        }
        let limit = usize::try_from(MAX_MESSAGE_BYTES).unwrap();
        let full = format!("{{\"d\":\"{}\"}}", "x".repeat(limit - 8));
        assert_eq!(full.len(), limit);
        assert_eq!(told(&full, "why"), full);
        assert_eq!(text(b"{\"a\":1}", Form::Plain, "why"), "{\"a\":1}");
    }
}
