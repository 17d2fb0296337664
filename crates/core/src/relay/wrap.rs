//! From a verified body to a message: the envelope, and the claim check when it would not fit.

use super::Relay;
use super::attempts::{Times, attempts};
use crate::blob::{BlobError, BlobStore};
use crate::json::Check;
use crate::payload::Payload;
use crate::queue::{OutboundMessage, QueueError, QueueErrorKind, QueueLimits};
use crate::signature::Verified;
use crate::source::Source;
use labelrelay_event::{Attributes, Payload as Form, encode};
use std::sync::Arc;

/// Bodies nested deeper are not embedded: consumers' JSON parsers give up somewhere above this
/// (Python 994, Ruby 100 unless told, .NET 64 unless told), and then lose the whole envelope.
const MAX_EMBEDDED_DEPTH: u32 = 500;

impl Relay {
    /// The message with the data in it; `None` when it is larger than the queue takes.
    pub(super) fn embed(
        &self,
        attributes: &Arc<Attributes>,
        check: Check,
        body: &Verified<Payload>,
    ) -> Option<OutboundMessage> {
        let (limits, payload) = (self.parts.queue.limits(), body.get());
        if payload.len() > limits.max_message_bytes {
            return None;
        }
        let length = usize::try_from(payload.len()).ok()?;
        let envelope = encode(
            attributes,
            form(check, limits),
            length,
            payload.in_memory()?,
        );
        let message = OutboundMessage::new(Arc::clone(attributes), envelope);
        (self.parts.queue.message_bytes(&message) <= limits.max_message_bytes).then_some(message)
    }

    /// The message that says where the data lies, after it was put there (a claim check).
    pub(super) async fn claim(
        &self,
        blobs: &dyn BlobStore,
        source: &Source,
        mut attributes: Attributes,
        body: &Verified<Payload>,
        times: Times,
    ) -> Result<OutboundMessage, BlobError> {
        let payload = body.get();
        // By day first, so that a person finds it and a lifecycle rule can be checked by eye.
        let day = self.parts.clock.now().strftime("%Y/%m/%d").to_string();
        let key = format!("{day}/{}/{}", source.name, attributes.datasha256);
        let put = || blobs.put(&key, payload.len(), payload.stream());
        let failed = |error: &BlobError| {
            let error = QueueError::new(QueueErrorKind::Unavailable, error.to_string());
            let observer = &self.parts.observer;
            observer.queue_attempt_failed(&source.name, &attributes.id, &error);
        };
        let (uri, _) = attempts(&*self.parts.clock, times, put, failed).await?;
        attributes.dataref = Some(uri);
        let envelope = encode(&attributes, Form::Reference, 0, []);
        Ok(OutboundMessage::new(attributes, envelope))
    }
}

/// How the body may go into the envelope. Only a body that was checked, whole, to be one JSON value
/// in UTF-8 is embedded as it is: nothing in a body may ever break out of `data`.
fn form(check: Check, limits: QueueLimits) -> Form {
    let embeddable = check.is_json
        && !check.has_outer_whitespace
        && check.depth <= MAX_EMBEDDED_DEPTH
        && !(limits.xml_characters_only && check.has_noncharacters)
        && !(limits.single_line && check.has_line_breaks);
    if embeddable { Form::Json } else { Form::Base64 }
}
