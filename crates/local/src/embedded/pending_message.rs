//! A message on its way to the writer.

use futures_channel::oneshot;
use labelrelay_core::derive::{Derivation, EventFacts};
use labelrelay_core::{OutboundMessage, QueueError, Receipt};

/// An envelope of more is read by the writer, one at a time and after it was stored.
const READ_AT_ONCE: usize = 64 * 1024;

/// The most that a message keeps in memory of what was read in it, while it waits: 250 ids, or a dozen annotations
/// with their versions and tasks. It belongs to what a connection takes, so it is small.
const KEPT_BYTES: usize = 2 * 1024;

/// A message that waits to be written.
pub(super) struct Pending {
    pub(super) message: OutboundMessage,
    pub(super) facts: MessageFacts,
    pub(super) done: oneshot::Sender<Result<Receipt, QueueError>>,
}

/// Facts that a message states, for the ledger.
pub(super) enum MessageFacts {
    /// None.
    Nothing,
    /// These.
    These(EventFacts),
    /// It was not read, and is to be read when it is in the file.
    Unread,
}

impl MessageFacts {
    /// Reads `message` where that costs little time and memory.
    pub(super) fn of(message: &OutboundMessage, derivation: Option<&Derivation>) -> Self {
        let Some(derivation) = derivation.filter(|it| it.concerns(&message.attributes)) else {
            return Self::Nothing;
        };
        if message.body.len() > READ_AT_ONCE {
            return Self::Unread;
        }
        match derivation.read(message) {
            None => Self::Nothing,
            Some(facts) if facts.bytes() <= KEPT_BYTES => Self::These(facts),
            Some(_) => Self::Unread,
        }
    }
}
