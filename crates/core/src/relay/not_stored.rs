//! Why the data of an event has no place.

use super::described_event::DescribedEvent;
use super::embedder::NotEmbedded;
use super::memory_estimate::Memory;
use super::refusal::Refusal;
use crate::blob::BlobError;
use crate::outcome::Outcome;

/// Why the event's data is neither in a message nor in the blob store.
pub(super) enum NotStored {
    TooLarge,
    NoRoom,
    NeverRoom,
    Unreadable(std::io::Error),
    /// The blob store's error, and whether the data might be embedded nevertheless.
    NotClaimed(BlobError, bool),
}

impl NotStored {
    /// `not_claimed` is `None` when there is no blob store.
    pub(super) fn of(not_embedded: NotEmbedded, not_claimed: Option<BlobError>) -> Self {
        match (not_claimed, not_embedded) {
            (Some(error), NotEmbedded::Spooled) => Self::NotClaimed(error, true),
            (Some(error), _) => Self::NotClaimed(error, false),
            (None, NotEmbedded::TooLarge | NotEmbedded::Spooled) => Self::TooLarge,
            (None, NotEmbedded::NoRoom) => Self::NoRoom,
            (None, NotEmbedded::NeverRoom) => Self::NeverRoom,
            (None, NotEmbedded::Unreadable(error)) => Self::Unreadable(error),
        }
    }

    pub(super) fn embedding_may_help(&self) -> bool {
        matches!(self, Self::NotClaimed(_, true))
    }

    /// Tells whether the fallback need not keep the event: nobody could bring it back without a blob store, and the
    /// next delivery may be luckier.
    pub(super) fn will_pass(&self) -> bool {
        matches!(self, Self::NoRoom)
    }

    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::TooLarge | Self::NeverRoom => Outcome::TooLarge,
            Self::NoRoom => Outcome::Overloaded,
            Self::Unreadable(_) | Self::NotClaimed(..) => Outcome::Unavailable,
        }
    }

    /// The reason in words; the queue takes messages up to `limit` bytes.
    pub(super) fn reason(&self, event: &DescribedEvent<'_>, memory: &Memory, limit: u64) -> String {
        let most = memory.limit();
        match self {
            Self::TooLarge => format!(
                "the event is larger than the queue's {limit} bytes, and no blob_store is configured to take its data"
            ),
            Self::NoRoom => Refusal::no_memory_left(most).reason.unwrap_or_default(),
            Self::NeverRoom => format!(
                "the body's {} bytes need {} of memory on their way, more than there may be ({most}, max_bytes_in_flight), and no blob_store is configured to take them",
                event.bytes(),
                memory.cost(event.bytes())
            ),
            Self::Unreadable(error) => format!("the body cannot be read back: {error}"),
            Self::NotClaimed(error, _) => error.to_string(),
        }
    }
}
