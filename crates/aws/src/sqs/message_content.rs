//! Content of a message of SQS: an envelope, or a pointer to it in S3.

use bytes::Bytes;
use labelrelay_core::OutboundMessage;
use labelrelay_event::S3Pointer;

pub(super) struct MessageContent<'a> {
    /// The event, whose attributes stand beside the body.
    pub(super) message: &'a OutboundMessage,
    /// Body of the message.
    pub(super) body: Bytes,
    /// Size of the envelope that the body is a pointer to.
    pub(super) envelope_bytes: Option<String>,
}

impl<'a> MessageContent<'a> {
    pub(super) fn envelope(message: &'a OutboundMessage) -> Self {
        Self {
            message,
            body: message.body.clone(),
            envelope_bytes: None,
        }
    }

    pub(super) fn pointer(message: &'a OutboundMessage, to: &S3Pointer) -> Self {
        Self {
            message,
            body: to.to_string().into(),
            envelope_bytes: Some(message.body.len().to_string()),
        }
    }
}
