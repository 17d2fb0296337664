//! Events on their way to the thread that has the dataset, and their verdicts on the way back.

use bytes::Bytes;
use labelrelay_dataset::Unreadable;
use labelrelay_event::{ErrorKind, Event, EventError};
use tokio::sync::oneshot;

/// What comes to the thread.
pub(super) enum Message {
    Fold(Job),
    /// Nothing else comes: write the last snapshot.
    End,
}

/// An event, and where its verdict goes.
pub(super) struct Job {
    pub(super) content: Content,
    /// The queue's own name of the event.
    pub(super) place: String,
    pub(super) verdict: oneshot::Sender<Verdict>,
}

pub(super) enum Content {
    Envelope(Bytes),
    /// A claimed one, with its body.
    Fetched(Box<Event<'static>>),
}

/// What became of an event.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The dataset has it on the disk.
    Done,
    /// Its body has to be fetched first.
    Claimed,
    /// Noted as such on the disk.
    Unreadable(EventError),
}

impl Verdict {
    pub(super) fn of(folded: Result<(), Unreadable>) -> Self {
        match folded {
            Ok(()) => Self::Done,
            Err(cause) if cause.cause().kind() == ErrorKind::BodyClaimed => Self::Claimed,
            Err(cause) => Self::Unreadable(cause.cause().clone()),
        }
    }
}

impl Job {
    pub(super) fn event(&self) -> Result<Event<'_>, EventError> {
        match &self.content {
            Content::Envelope(envelope) => Event::parse(envelope),
            Content::Fetched(event) => Ok(Event::clone(event)),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match &self.content {
            Content::Envelope(envelope) => envelope.len(),
            Content::Fetched(event) => event.raw().map_or(0, <[u8]>::len),
        }
    }
}
