//! Outcomes of work on an event.

use labelrelay_event::EventError;
use std::time::Duration;

/// Outcome of work on an event: it says what is to become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It is done with, and is acknowledged.
    Done,
    /// It is to come again.
    Again {
        /// Why, in one line for the log and the dead letters.
        reason: String,
        /// When; `None`: as [`Settings`](crate::Settings) say.
        after: Option<Duration>,
        /// `true` if the event, or the handler of it, is what failed. Only such an event becomes a dead letter.
        is_its_own: bool,
    },
    /// Nobody has a use for it: it becomes a dead letter.
    Rejected {
        /// Why, in one line for the log and the dead letters.
        reason: String,
    },
    /// It, or its body, cannot be read. It comes again as one that failed, and the log names it once.
    Unreadable {
        /// Name of the error: `DigestMismatch`.
        error: String,
        /// Its problem.
        reason: String,
    },
    /// Nothing was begun, and others may have it at once.
    NotBegun,
}

impl Outcome {
    /// Comes again after the usual pause, since it failed.
    pub fn failed(reason: impl Into<String>) -> Self {
        Self::Again {
            reason: reason.into(),
            after: None,
            is_its_own: true,
        }
    }

    /// Cannot be read.
    pub fn unreadable(error: &EventError) -> Self {
        Self::Unreadable {
            error: format!("{:?}", error.kind()),
            reason: error.reason().to_owned(),
        }
    }

    /// Comes again after the usual pause, though neither it nor its handler is what failed.
    pub fn hindered(reason: impl Into<String>) -> Self {
        Self::Again {
            reason: reason.into(),
            after: None,
            is_its_own: false,
        }
    }
}
