//! From a verified body to a message: the envelope, and the claim check when it would not fit.

use super::Relay;
use super::attempts::{Times, attempts};
use super::in_flight::InFlight;
use crate::blob::{BlobError, BlobStore};
use crate::data_encoding::data_encoding;
use crate::fallback::claim_key;
use crate::json::Check;
use crate::payload::{Gathered, Payload};
use crate::queue::{OutboundMessage, QueueError, QueueErrorKind};
use crate::signature::Verified;
use crate::source::Source;
use crate::transfer::{READ_BACK_BYTES, transfer_allowance};
use labelrelay_event::{Attributes, DataEncoding, encode};
use std::sync::Arc;
use std::time::Duration;

/// A described event.
pub(super) struct Event<'a> {
    pub(super) attributes: Arc<Attributes>,
    pub(super) check: Check,
    pub(super) body: &'a Verified<Payload>,
}

/// Why a body is not embedded.
pub(super) enum NotEmbedded {
    /// The queue would not take it.
    TooLarge,
    /// It is better claimed, and can be.
    Spooled,
    /// The memory for it is in use.
    NoRoom,
    /// All the memory that there may be is less.
    NeverRoom,
    /// It cannot be read back.
    Unreadable(std::io::Error),
}

impl Event<'_> {
    pub(super) fn bytes(&self) -> u64 {
        self.body.get().len()
    }

    pub(super) fn is_spooled(&self) -> bool {
        self.body.get().spooled().is_some()
    }

    /// How much longer its body may take to copy than a small one.
    pub(super) fn transfer_allowance(&self) -> Duration {
        if self.is_spooled() {
            transfer_allowance(self.bytes())
        } else {
            Duration::ZERO
        }
    }

    /// A message without the data, which lies at `uri`.
    pub(super) fn reference(&self, uri: String) -> OutboundMessage {
        let mut attributes = Attributes::clone(&self.attributes);
        attributes.dataref = Some(uri);
        let envelope = encode(&attributes, DataEncoding::Reference, 0, []);
        OutboundMessage::new(attributes, envelope)
    }
}

impl Relay {
    /// Whether the queue would take `message`.
    fn fits(&self, message: &OutboundMessage) -> bool {
        let queue = &self.parts.queue;
        queue.message_bytes(message) <= queue.limits().max_message_bytes
    }

    /// The message with the data in it, if the queue takes it and it is worth the memory.
    pub(super) async fn small(
        &self,
        event: &Event<'_>,
        in_flight: &mut InFlight,
    ) -> Result<OutboundMessage, NotEmbedded> {
        let can_be_claimed = self.parts.blobs.is_some();
        if event.is_spooled() && can_be_claimed && event.bytes() > READ_BACK_BYTES {
            return Err(NotEmbedded::Spooled);
        }
        self.fitting(event, in_flight).await
    }

    /// The message with the data in it, if the queue takes it and there is memory for it.
    pub(super) async fn fitting(
        &self,
        event: &Event<'_>,
        in_flight: &mut InFlight,
    ) -> Result<OutboundMessage, NotEmbedded> {
        if event.bytes() > self.parts.queue.limits().max_message_bytes {
            return Err(NotEmbedded::TooLarge);
        }
        let message = match self.whole(event) {
            Some(message) => message,
            None => self.read_back(event, in_flight).await?,
        };
        if self.fits(&message) {
            Ok(message)
        } else {
            Err(NotEmbedded::TooLarge)
        }
    }

    /// The message with the data in it, however large; `None` when the data does not lie in memory.
    pub(super) fn whole(&self, event: &Event<'_>) -> Option<OutboundMessage> {
        self.embed(event, event.body.get())
    }

    async fn read_back(
        &self,
        event: &Event<'_>,
        in_flight: &mut InFlight,
    ) -> Result<OutboundMessage, NotEmbedded> {
        let cost = self.cost().of_body(event.bytes());
        if cost > self.budget.bytes.limit {
            return Err(NotEmbedded::NeverRoom);
        }
        if !in_flight.hold(cost) {
            return Err(NotEmbedded::NoRoom);
        }
        let mut gathered = Gathered::default();
        let mut stream = event.body.get().stream();
        loop {
            match self.next_piece(&mut stream).await {
                Ok(Some(piece)) => gathered.push(piece),
                Ok(None) => break,
                Err(error) => return Err(NotEmbedded::Unreadable(error)),
            }
        }
        self.embed(event, &gathered.into())
            .ok_or(NotEmbedded::NoRoom)
    }

    fn embed(&self, event: &Event<'_>, payload: &Payload) -> Option<OutboundMessage> {
        let encoding = data_encoding(event.check, self.parts.queue.limits());
        let length = usize::try_from(payload.len()).ok()?;
        let envelope = encode(&event.attributes, encoding, length, payload.in_memory()?);
        Some(OutboundMessage::new(
            Arc::clone(&event.attributes),
            envelope,
        ))
    }

    /// The message that says where the data lies, after it was put there (a claim check).
    pub(super) async fn claim(
        &self,
        blobs: &dyn BlobStore,
        source: &Source,
        event: &Event<'_>,
        times: Times,
    ) -> Result<OutboundMessage, BlobError> {
        let (clock, attributes) = (&*self.parts.clock, &event.attributes);
        let key = claim_key(clock.now(), &source.name, &attributes.datasha256);
        let put = || blobs.put_payload(&key, event.body.get());
        let failed = |error: &BlobError, again: bool| {
            if !again {
                return;
            }
            let error = QueueError::new(QueueErrorKind::Unavailable, error.to_string());
            let observer = &self.parts.observer;
            observer.queue_attempt_failed(&source.name, &attributes.id, &error);
        };
        let (uri, _) = attempts(self.time(), times, put, failed).await?;
        Ok(event.reference(uri))
    }
}
