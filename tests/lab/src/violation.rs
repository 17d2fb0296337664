//! Violations: obligations that were not kept.

use std::fmt;

/// A broken promise, and the delivery that shows it.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    pub(crate) kind: ViolationKind,
    /// The delivery that it is about, where there is one.
    pub(crate) number: Option<u32>,
    pub(crate) detail: String,
}

/// Of which sort it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ViolationKind {
    /// Acknowledged, and nowhere to be found.
    Lost,
    /// Not the bytes that were sent, or not the event that was acknowledged.
    Changed,
    /// In the queue, and nobody sent it whole.
    Invented,
    /// A forgery was let in.
    Forged,
    /// An id twice, where a repeat had to be recognised; or more events than deliveries.
    Twice,
    /// Two events, taken for one because their bytes are equal.
    Merged,
    /// An answer that this delivery must not get.
    Answer,
    /// No answer at all.
    Silence,
    /// The process panicked, or ended when nobody killed it.
    Process,
    /// An event that waited in the fallback did not come out of it.
    Stuck,
    /// A body is left on the disk that belongs to no event.
    Left,
}

impl Violation {
    pub(crate) fn of(kind: ViolationKind, number: u32, detail: impl Into<String>) -> Self {
        Self {
            kind,
            number: Some(number),
            detail: detail.into(),
        }
    }

    pub(crate) fn general(kind: ViolationKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            number: None,
            detail: detail.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = format!("{:?}", self.kind).to_lowercase();
        match self.number {
            Some(number) => write!(f, "{kind}: delivery {number}: {}", self.detail),
            None => write!(f, "{kind}: {}", self.detail),
        }
    }
}
