//! The sink of a reconciliation: the queue, as far as a run needs it.

use labelrelay_core::{BoxFuture, OutboundMessage, QueueLimits};
use labelrelay_event::Attributes;
use std::error::Error as StdError;

/// The queue, as a reconciliation sees it.
pub trait Sink: Send {
    /// Limits of one message.
    fn limits(&self) -> QueueLimits;

    /// Learns what was noted elsewhere of the events that the queue got after number `after`, for
    /// [`events_after`](Self::events_after) to tell. By default, nothing is noted anywhere.
    fn catch_up(&mut self, after: u64) -> BoxFuture<'_, ()> {
        let _ = after;
        Box::pin(std::future::ready(()))
    }

    /// Up to `max` events that the queue got after number `after`, from whomever: fewer where they are large, none when
    /// there are none. A queue that cannot be looked
    /// into has none: what it got live is then sent once more, with the same ids.
    ///
    /// # Errors
    /// [`SinkError`] when the queue cannot be read.
    fn events_after(&self, after: u64, max: usize) -> Result<Vec<LiveEvent>, SinkError>;

    /// Sends the messages, durably; says for each what became of it. Where the queue can be looked into, it had
    /// what has the id of an event after number `after`.
    ///
    /// # Errors
    /// [`SinkError`]; some of them may be on the queue then.
    fn send<'a>(
        &'a mut self,
        messages: &'a [OutboundMessage],
        after: u64,
    ) -> BoxFuture<'a, Result<Vec<SendOutcome>, SinkError>>;
}

/// Result of sending one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// The event is on the queue.
    New,
    /// The queue had it already.
    Repeat,
    /// The queue takes others, but will never take this one: why.
    Refused(String),
}

/// An event that the queue got.
#[derive(Debug)]
pub struct LiveEvent {
    /// Number.
    pub seq: u64,
    /// Everything but the data.
    pub attributes: Attributes,
    /// The data, when the event may be about several things.
    pub data: Option<Vec<u8>>,
}

/// Why the queue did not take what was found.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct SinkError {
    /// The problem and the cure.
    pub message: String,
    /// The error that caused it.
    #[source]
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

impl SinkError {
    /// An error with this text.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }
}
