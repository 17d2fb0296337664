//! What a queue's server did not do, in words, before it is known who asked for it.

use super::BackEndError;
use crate::event_source::EventSourceError;
use crate::queue::{QueueError, QueueErrorKind};

/// A fault of a queue with its cure, which each side tells in an error of its own: who sends, who receives, and who opens.
///
/// ```
/// use labelrelay_core::QueueErrorKind;
/// use labelrelay_core::backend::QueueFault;
///
/// let fault = QueueFault::new(QueueErrorKind::Full, "the disk is full", "free space on it");
/// assert_eq!(
///     fault.of_queue("nats://n/EVENTS/labels").to_string(),
///     "queue_full: nats://n/EVENTS/labels: the disk is full; free space on it"
/// );
/// assert!(fault.of_source("nats://n/EVENTS/labels").retryable);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueFault {
    /// Sort of failure.
    pub kind: QueueErrorKind,
    /// Problem. Never holds payload or secrets.
    pub problem: String,
    /// The cure.
    pub cure: String,
}

impl QueueFault {
    /// A fault of this sort.
    pub fn new(kind: QueueErrorKind, problem: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            kind,
            problem: problem.into(),
            cure: cure.into(),
        }
    }

    /// Tells whether waiting can mend it. Whoever receives and opens waits longer than whoever sends, who asks
    /// [`QueueError::retryable`].
    pub fn is_retryable(&self) -> bool {
        !matches!(
            self.kind,
            QueueErrorKind::Denied | QueueErrorKind::Misconfigured | QueueErrorKind::TooLarge
        )
    }

    /// The error of a queue that is shown as `resource`, for who sends.
    pub fn of_queue(&self, resource: &str) -> QueueError {
        let message = format!("{resource}: {}; {}", self.problem, self.cure);
        QueueError::new(self.kind, message)
    }

    /// The error of a queue that is shown as `resource`, for who receives.
    pub fn of_source(&self, resource: &str) -> EventSourceError {
        let error = EventSourceError::new(resource, &self.problem, &self.cure);
        if self.is_retryable() {
            error.retryable()
        } else {
            error
        }
    }

    /// The error of a queue that is `shown` so, for who opens it as a source of events.
    pub fn of_opening(&self, shown: &str) -> BackEndError {
        let problem = format!("cannot be consumed: {}", self.problem);
        let error = BackEndError::of_shown(shown, problem, &self.cure);
        if self.is_retryable() {
            error.retryable()
        } else {
            error
        }
    }
}
