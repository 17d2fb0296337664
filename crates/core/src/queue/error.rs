//! The error of a queue.

use std::error::Error as StdError;
use std::fmt;

/// Why a message is not on the queue, as far as is known.
#[derive(Debug, thiserror::Error)]
#[error("{kind}: {message}")]
#[non_exhaustive]
pub struct QueueError {
    /// Sort of failure.
    pub kind: QueueErrorKind,
    /// `true` if the same send may succeed if it is tried again at once, on a fresh connection.
    pub retryable: bool,
    /// Problem and, where known, its cure. Never holds payload or secrets.
    pub message: String,
    /// Cause.
    #[source]
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

impl QueueError {
    /// An error of `kind`, which decides whether it is retryable.
    ///
    /// ```
    /// use labelrelay_core::{QueueError, QueueErrorKind};
    ///
    /// assert!(QueueError::new(QueueErrorKind::Throttled, "slow down").retryable);
    /// assert!(!QueueError::new(QueueErrorKind::Full, "no room; free space on the disk").retryable);
    /// ```
    pub fn new(kind: QueueErrorKind, message: impl Into<String>) -> Self {
        let retryable = matches!(
            kind,
            QueueErrorKind::Unavailable | QueueErrorKind::Throttled
        );
        Self {
            kind,
            retryable,
            message: message.into(),
            source: None,
        }
    }

    /// The same error, which trying again at once cannot mend.
    #[must_use]
    pub fn permanent(mut self) -> Self {
        self.retryable = false;
        self
    }

    /// The same error, with what it came from.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

/// Sorts of failure of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QueueErrorKind {
    /// The queue cannot be reached, hung up, or is locked by somebody else.
    Unavailable,
    /// The queue answered that we are too fast.
    Throttled,
    /// No room is left: a full disk, a quota.
    Full,
    /// The message is larger than it takes.
    TooLarge,
    /// Our credentials or this action were refused.
    Denied,
    /// The queue does not exist, or is not what the configuration says.
    Misconfigured,
    /// The answer does not prove that the queue took the message.
    Unproven,
    /// No answer came in time.
    Late,
}

impl QueueErrorKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Unavailable,
        Self::Throttled,
        Self::Full,
        Self::TooLarge,
        Self::Denied,
        Self::Misconfigured,
        Self::Unproven,
        Self::Late,
    ];

    /// The name used in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "queue_unavailable",
            Self::Throttled => "queue_throttled",
            Self::Full => "queue_full",
            Self::TooLarge => "queue_message_too_large",
            Self::Denied => "queue_denied",
            Self::Misconfigured => "queue_misconfigured",
            Self::Unproven => "queue_unproven",
            Self::Late => "queue_late",
        }
    }
}

impl fmt::Display for QueueErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
