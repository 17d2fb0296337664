//! Failures of handlers.

use crate::outcome::Outcome;
use labelrelay_core::chain;
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// Why a handler is not done with a change. Any error becomes one by `?`: the event comes again, after a pause that grows.
///
/// ```
/// use labelrelay_consumer::Failure;
/// use std::time::Duration;
///
/// fn number(text: &str) -> Result<u32, Failure> {
///     if text.is_empty() {
///         return Err(Failure::reject("it has no number"));
///     }
///     if text == "later" {
///         return Err(Failure::retry("not yet").after(Duration::from_secs(60)));
///     }
///     Ok(text.parse()?)
/// }
///
/// assert_eq!(number("x").unwrap_err().to_string(), "invalid digit found in string");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    reason: String,
    after: Option<Duration>,
    is_reject: bool,
}

impl Failure {
    /// The event is to come again: after the usual pause, unless [`after`](Self::after) says when.
    pub fn retry(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            after: None,
            is_reject: false,
        }
    }

    /// Nobody has a use for the event: it becomes a dead letter, with this reason where the queue has room for one.
    pub fn reject(reason: impl Into<String>) -> Self {
        Self {
            is_reject: true,
            ..Self::retry(reason)
        }
    }

    /// The same failure; the event is to come again after `pause`. Queues cut it to the longest that they know: Pub/Sub to
    /// 10 minutes, SQS to 12 hours.
    #[must_use]
    pub fn after(mut self, pause: Duration) -> Self {
        self.after = Some(pause);
        self
    }

    pub(crate) fn outcome(self) -> Outcome {
        let Self {
            reason,
            after,
            is_reject,
        } = self;
        if is_reject {
            Outcome::Rejected { reason }
        } else {
            Outcome::Again {
                reason,
                after,
                is_its_own: true,
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

// `Failure` itself is no `Error`: else this would be two implementations.
impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::retry(chain(&error))
    }
}
