//! The record of each delivery.

use crate::delivery::Credential;
use crate::fault::Faults;
use crate::sources::Source;
use labelrelay_event::Digest;
use std::time::Duration;

/// One copy of one delivery, and what became of it.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) number: u32,
    pub(crate) source: Source,
    pub(crate) digest: Digest,
    pub(crate) body_bytes: usize,
    pub(crate) credential: Credential,
    pub(crate) end: End,
    /// Which of the events with this body it brings, where nothing in the body tells them apart.
    pub(crate) event: Option<String>,
    /// Faults while it was under way, the sender's own doing included.
    pub(crate) faults: Faults,
    /// Number of rotations of secrets when it ended.
    pub(crate) rotations: u32,
    /// Which of the processes it was sent to.
    pub(crate) process: u32,
    pub(crate) took: Duration,
}

/// Its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    Answered(Answer),
    /// All bytes were sent, and nobody waited for an answer.
    HungUp,
    /// All bytes were sent, and the connection broke.
    Broke,
    /// Not all bytes were sent.
    NotWhole,
    /// No answer came within a minute.
    Silence,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) outcome: String,
    /// Event id.
    pub(crate) id: Option<String>,
}

impl Record {
    /// The answer that makes an obligation.
    pub(crate) fn acknowledged(&self) -> Option<&Answer> {
        match &self.end {
            End::Answered(answer) if answer.status == 200 => Some(answer),
            _ => None,
        }
    }

    pub(crate) fn status(&self) -> Option<u16> {
        match &self.end {
            End::Answered(answer) => Some(answer.status),
            _ => None,
        }
    }
}
