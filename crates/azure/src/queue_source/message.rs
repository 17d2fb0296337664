//! A message, as the event that it is.

use super::receipt::{AzureReceipt, Form};
use azure_storage_queue::models::ReceivedMessage;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labelrelay_core::ReceivedEvent;

/// `None` when the message cannot be settled, so that it comes from no such service.
pub(super) fn event(message: ReceivedMessage) -> Option<ReceivedEvent> {
    let text = message.message_text.unwrap_or_default();
    let (envelope, form) = envelope(text);
    let (id, pop) = (message.message_id?, message.pop_receipt?);
    let receipt = AzureReceipt {
        id: &id,
        pop: &pop,
        form,
    };
    let receipt = receipt.to_text();
    AzureReceipt::parse(&receipt)?;
    let event = ReceivedEvent::new(envelope, receipt, format!("message {id}"));
    let count = message.dequeue_count.unwrap_or(1);
    Some(event.received(u32::try_from(count).unwrap_or(u32::MAX)))
}

/// Text that is no base64 is handed on as it is. Whoever reads it names it as what it is: no envelope.
fn envelope(text: String) -> (Vec<u8>, Form) {
    match STANDARD.decode(&text) {
        Ok(bytes) if STANDARD.encode(&bytes) == text => (bytes, Form::Base64),
        _ => (text.into_bytes(), Form::Plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded_and_other_text_left_alone() {
        for (text, bytes, form) in [
            ("e30=", &b"{}"[..], Form::Base64),
            ("AP8=", &b"\0\xff"[..], Form::Base64),
            ("{}", &b"{}"[..], Form::Plain),
            // Bits that are left over, and white space: not as anything writes it.
            ("e31=", &b"e31="[..], Form::Plain),
            ("e30= ", &b"e30= "[..], Form::Plain),
        ] {
            assert_eq!(envelope(text.to_owned()), (bytes.to_vec(), form), "{text}");
        }
    }
}
