//! From a verified body to a message: the envelope, and the claim check when it would not fit.

use super::Relay;
use super::attempts::{Times, attempts};
use crate::blob::{BlobError, BlobStore};
use crate::fallback::claim_key;
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
    /// Whether the queue would take `message`.
    pub(super) fn fits(&self, message: &OutboundMessage) -> bool {
        let queue = &self.parts.queue;
        queue.message_bytes(message) <= queue.limits().max_message_bytes
    }

    /// The message with the data in it, however large; `None` when the data does not lie in memory.
    pub(super) fn embed(
        &self,
        attributes: &Arc<Attributes>,
        check: Check,
        body: &Verified<Payload>,
    ) -> Option<OutboundMessage> {
        let payload = body.get();
        let form = form(check, self.parts.queue.limits());
        let length = usize::try_from(payload.len()).ok()?;
        let envelope = encode(attributes, form, length, payload.in_memory()?);
        Some(OutboundMessage::new(Arc::clone(attributes), envelope))
    }

    /// The message that says where the data lies, after it was put there (a claim check).
    pub(super) async fn claim(
        &self,
        blobs: &dyn BlobStore,
        source: &Source,
        attributes: &Attributes,
        body: &Verified<Payload>,
        times: Times,
    ) -> Result<OutboundMessage, BlobError> {
        let (clock, payload) = (&*self.parts.clock, body.get());
        let key = claim_key(clock.now(), &source.name, &attributes.datasha256);
        let put = || blobs.put(&key, payload.len(), payload.stream());
        let failed = |error: &BlobError| {
            let error = QueueError::new(QueueErrorKind::Unavailable, error.to_string());
            let observer = &self.parts.observer;
            observer.queue_attempt_failed(&source.name, &attributes.id, &error);
        };
        let (uri, _) = attempts(clock, times, put, failed).await?;
        let mut attributes = attributes.clone();
        attributes.dataref = Some(uri);
        let envelope = encode(&attributes, Form::Reference, 0, []);
        Ok(OutboundMessage::new(attributes, envelope))
    }
}

/// How the body may go into the envelope. Only a body that was checked, whole, to be one JSON value
/// in UTF-8 is embedded as it is: nothing in a body may ever break out of `data`.
pub(crate) fn form(check: Check, limits: QueueLimits) -> Form {
    let embeddable = check.is_json
        && !check.has_outer_whitespace
        && check.depth <= MAX_EMBEDDED_DEPTH
        && !(limits.xml_characters_only && check.has_noncharacters)
        && !(limits.single_line && check.has_line_breaks);
    if embeddable { Form::Json } else { Form::Base64 }
}
