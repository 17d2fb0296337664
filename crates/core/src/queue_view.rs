//! A look into a queue that takes nothing out of it.

use crate::BoxFuture;
use crate::event_source::EventSourceError;
use bytes::Bytes;
use std::fmt;

/// A queue whose events can be looked at while they stay there. Object-safe.
pub trait QueueView: Send + Sync {
    /// A page of the events that were not acknowledged yet, and of the dead letters, by their numbers. It may have fewer
    /// events than it may have: there are no more only if it is empty.
    ///
    /// # Errors
    /// [`EventSourceError`] when the queue cannot be read.
    fn page(&self, page: ViewPage) -> BoxFuture<'_, Result<Vec<ViewedEvent>, EventSourceError>>;

    /// Tells whether no event comes to be there after one with a greater number. Then whoever follows the queue needs to
    /// look at no number twice.
    fn shows_in_order(&self) -> bool {
        false
    }
}

/// Which events a page has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewPage {
    /// Those with a greater number; `None`: from the first one on.
    pub after: Option<u64>,
    /// Those with a smaller number; `None`: up to the last one.
    pub before: Option<u64>,
    /// The greatest numbers first.
    pub newest_first: bool,
    /// So many at most.
    pub max: usize,
}

/// State of an event that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewedState {
    /// The next receive may take it.
    Ready,
    /// Received or given back, and hidden from others for now.
    Hidden,
    /// A dead letter.
    Dead,
}

/// An event that is looked at. `Debug` does not show the envelope: it holds other people's data, and tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct ViewedEvent {
    /// Number, in about the order of arrival.
    pub number: u64,
    /// When it was queued, milliseconds since 1970 by the queue's time of day.
    pub queued_ms: i64,
    /// Where it stands.
    pub state: ViewedState,
    /// Number of times that it was received.
    pub receives: u32,
    /// Of a dead letter, why it is one, if the queue keeps that.
    pub reason: Option<String>,
    /// The envelope, as it was queued.
    pub envelope: Bytes,
}

impl fmt::Debug for ViewedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ViewedEvent")
            .field("number", &self.number)
            .field("state", &self.state)
            .field("envelope_bytes", &self.envelope.len())
            .finish_non_exhaustive()
    }
}
