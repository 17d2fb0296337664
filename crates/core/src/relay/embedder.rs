//! Events as messages that hold their data.

use super::body_reader::BodyReader;
use super::described_event::DescribedEvent;
use super::in_flight::InFlight;
use super::memory_estimate::Memory;
use super::parts::Parts;
use crate::data_encoding::data_encoding;
use crate::payload::{Gathered, Payload};
use crate::queue::{EventQueue, OutboundMessage};
use crate::transfer_allowance::READ_BACK_BYTES;
use labelrelay_event::encode;
use std::sync::Arc;

/// Puts bodies into envelopes, as far as the queue takes them and there is memory for it.
pub(super) struct Embedder {
    queue: Arc<dyn EventQueue>,
    /// A large body in the spool is better claimed.
    can_be_claimed: bool,
    body_reader: Arc<BodyReader>,
    memory: Memory,
}

/// Why a body is not embedded.
pub(super) enum NotEmbedded {
    /// The queue would not take it.
    TooLarge,
    /// The data is better claimed, and can be.
    Spooled,
    /// The memory for it is in use.
    NoRoom,
    /// All the memory that there may be is less.
    NeverRoom,
    /// The data cannot be read back.
    Unreadable(std::io::Error),
}

impl Embedder {
    pub(super) fn new(parts: &Parts, body_reader: Arc<BodyReader>, memory: Memory) -> Self {
        Self {
            queue: Arc::clone(&parts.queue),
            can_be_claimed: parts.blobs.is_some(),
            body_reader,
            memory,
        }
    }

    /// The message with the data in it, if the queue takes it and it is worth the memory.
    pub(super) async fn embed_if_small(
        &self,
        event: &DescribedEvent<'_>,
        in_flight: &mut InFlight,
    ) -> Result<OutboundMessage, NotEmbedded> {
        // A queue that stores large messages itself takes them whole, as long as there is memory for it.
        let is_better_claimed = self.can_be_claimed && self.queue.offloads_above().is_none();
        if event.is_spooled() && is_better_claimed && event.bytes() > READ_BACK_BYTES {
            return Err(NotEmbedded::Spooled);
        }
        self.embed_if_fits(event, in_flight).await
    }

    /// The message with the data in it, if the queue takes it and there is memory for it.
    pub(super) async fn embed_if_fits(
        &self,
        event: &DescribedEvent<'_>,
        in_flight: &mut InFlight,
    ) -> Result<OutboundMessage, NotEmbedded> {
        let limit = self.queue.limits().max_message_bytes;
        if event.bytes() > limit {
            return Err(NotEmbedded::TooLarge);
        }
        let message = match self.embed(event) {
            Some(message) => message,
            None => self.read_back(event, in_flight).await?,
        };
        if self.queue.message_bytes(&message) <= limit {
            Ok(message)
        } else {
            Err(NotEmbedded::TooLarge)
        }
    }

    /// The message with the data in it, however large; `None` when the data is not in memory.
    pub(super) fn embed(&self, event: &DescribedEvent<'_>) -> Option<OutboundMessage> {
        self.envelope(event, event.body.get())
    }

    async fn read_back(
        &self,
        event: &DescribedEvent<'_>,
        in_flight: &mut InFlight,
    ) -> Result<OutboundMessage, NotEmbedded> {
        let cost = self.memory.cost(event.bytes());
        if cost > self.memory.limit() {
            return Err(NotEmbedded::NeverRoom);
        }
        if !in_flight.hold(cost) {
            return Err(NotEmbedded::NoRoom);
        }
        let mut gathered = Gathered::default();
        let mut stream = event.body.get().stream();
        loop {
            match self.body_reader.next_piece(&mut stream).await {
                Ok(Some(piece)) => gathered.push(piece),
                Ok(None) => break,
                Err(error) => return Err(NotEmbedded::Unreadable(error)),
            }
        }
        self.envelope(event, &gathered.into())
            .ok_or(NotEmbedded::NoRoom)
    }

    fn envelope(&self, event: &DescribedEvent<'_>, payload: &Payload) -> Option<OutboundMessage> {
        let encoding = data_encoding(event.check, self.queue.limits());
        let length = usize::try_from(payload.len()).ok()?;
        let envelope = encode(&event.attributes, encoding, length, payload.in_memory()?);
        Some(OutboundMessage::new(
            Arc::clone(&event.attributes),
            envelope,
        ))
    }
}
