//! Attempts until one succeeds, within a delivery's deadlines.

use super::deadlines::Deadlines;
use super::parts::Parts;
use crate::BoxFuture;
use crate::blob::BlobError;
use crate::clock::{Clock, Entropy, within};
use crate::queue::{QueueError, QueueErrorKind};
use std::sync::Arc;
use std::time::Duration;

/// First pause between attempts once the quick retry failed; doubles up to [`LONGEST_PAUSE`]. Each is spread, so
/// that those who failed together do not try again together.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// An error that may end the attempts, or not.
pub(super) trait RetryableError {
    /// No answer came within this time.
    fn late(limit: Duration) -> Self;
    /// Tells whether another attempt may succeed.
    fn is_retryable(&self) -> bool;
}

impl RetryableError for QueueError {
    fn late(limit: Duration) -> Self {
        let message = format!("no answer within {} ms", limit.as_millis());
        Self::new(QueueErrorKind::Late, message)
    }

    fn is_retryable(&self) -> bool {
        self.retryable || self.kind == QueueErrorKind::Late
    }
}

impl RetryableError for BlobError {
    fn late(limit: Duration) -> Self {
        Self::transient(format!("no answer within {} ms", limit.as_millis()))
    }

    fn is_retryable(&self) -> bool {
        self.retryable
    }
}

/// Time and randomness of retries.
#[derive(Clone)]
pub(super) struct Retry {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
}

impl Retry {
    pub(super) fn new(parts: &Parts) -> Self {
        Self {
            clock: Arc::clone(&parts.clock),
            entropy: Arc::clone(&parts.entropy),
        }
    }

    /// Attempts until one succeeds, one fails for good, or the time is up. Returns the success, and
    /// whether it was the first attempt.
    ///
    /// The first attempt gets half of the time to the answer; the second follows at once, because the
    /// commonest failure is a pooled connection that went stale while a function was frozen. No SDK's own
    /// retry decides. `failed` is told of every attempt that failed, and whether another one
    /// follows.
    pub(super) async fn until<'a, T, E: RetryableError>(
        &self,
        deadlines: Deadlines,
        mut attempt: impl FnMut() -> BoxFuture<'a, Result<T, E>>,
        mut failed: impl FnMut(&E, bool),
    ) -> Result<(T, bool), E> {
        let clock = &*self.clock;
        let mut pause = Duration::ZERO;
        let mut first = true;
        loop {
            let now = clock.monotonic();
            let left = deadlines.give_up.saturating_sub(now);
            let half = deadlines.answer.saturating_sub(now) / 2;
            // A late event has no half to give: it gets all that is left.
            let limit = if first && !half.is_zero() {
                half.min(left)
            } else {
                left
            };
            let outcome = within(clock, limit, attempt()).await;
            let error = match outcome.unwrap_or_else(|_| Err(E::late(limit))) {
                Ok(done) => return Ok((done, first)),
                Err(error) => error,
            };
            let is_last = !error.is_retryable() || clock.monotonic() + pause >= deadlines.give_up;
            failed(&error, !is_last);
            if is_last {
                return Err(error);
            }
            if !pause.is_zero() {
                clock.sleep(self.entropy.spread(pause)).await;
            }
            pause = (pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
            first = false;
        }
    }
}
