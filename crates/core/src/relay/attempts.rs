//! Trying again, with two clocks: the sender wants its answer soon, the event may take longer.

use crate::BoxFuture;
use crate::blob::BlobError;
use crate::clock::{Clock, Entropy, within};
use crate::queue::{QueueError, QueueErrorKind};
use std::time::Duration;

/// Moments on the monotonic clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// When the sender must have its answer.
    pub(super) answer: Duration,
    /// When trying ends.
    pub(super) give_up: Duration,
}

impl Times {
    /// Half of what is left to the answer, and no more: for what has a second place behind it. What is
    /// late already shares the time that is left to the end.
    pub(super) fn first_half(self, clock: &dyn Clock) -> Self {
        let now = clock.monotonic();
        let end = if self.answer > now {
            self.answer
        } else {
            self.give_up
        };
        let half = now + end.saturating_sub(now) / 2;
        Self {
            answer: half,
            give_up: half,
        }
    }

    /// With `more` time to the answer: for what takes longer because it is large, whatever the sender
    /// thinks of that.
    pub(super) fn longer_by(self, more: Duration) -> Self {
        let answer = (self.answer + more).min(self.give_up);
        Self { answer, ..self }
    }

    /// No longer than to the answer, unless it is late already.
    pub(super) fn to_the_answer(self, clock: &dyn Clock) -> Self {
        let late = self.answer <= clock.monotonic();
        Self {
            give_up: if late { self.give_up } else { self.answer },
            ..self
        }
    }
}

/// First pause between attempts once the quick retry failed; doubles up to [`LONGEST_PAUSE`]. Each is spread, so
/// that those who failed together do not try again together.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How an attempt fails.
pub(super) trait Failure {
    /// No answer came within this time.
    fn late(limit: Duration) -> Self;
    /// Whether another attempt may succeed.
    fn may_pass(&self) -> bool;
}

impl Failure for QueueError {
    fn late(limit: Duration) -> Self {
        let message = format!("no answer within {} ms", limit.as_millis());
        Self::new(QueueErrorKind::Late, message)
    }

    fn may_pass(&self) -> bool {
        self.retryable || self.kind == QueueErrorKind::Late
    }
}

impl Failure for BlobError {
    fn late(limit: Duration) -> Self {
        Self::transient(format!("no answer within {} ms", limit.as_millis()))
    }

    fn may_pass(&self) -> bool {
        self.retryable
    }
}

/// Attempts until one succeeds, one fails for good, or the time is up. Returns what succeeded, and
/// whether it was the first attempt.
///
/// The first attempt gets half of the time to the answer; the second follows at once, because the
/// commonest failure is a pooled connection that went stale while a function was frozen. No SDK's own
/// retry decides. `failed` is told of every attempt that failed, and whether another one
/// follows.
pub(super) async fn attempts<'a, T, E: Failure>(
    (clock, entropy): (&dyn Clock, &dyn Entropy),
    times: Times,
    mut attempt: impl FnMut() -> BoxFuture<'a, Result<T, E>>,
    mut failed: impl FnMut(&E, bool),
) -> Result<(T, bool), E> {
    let mut pause = Duration::ZERO;
    let mut first = true;
    loop {
        let now = clock.monotonic();
        let left = times.give_up.saturating_sub(now);
        let half = times.answer.saturating_sub(now) / 2;
        // What is late already has no half to give: it gets all that is left.
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
        let is_last = !error.may_pass() || clock.monotonic() + pause >= times.give_up;
        failed(&error, !is_last);
        if is_last {
            return Err(error);
        }
        if !pause.is_zero() {
            clock.sleep(entropy.spread(pause)).await;
        }
        pause = (pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        first = false;
    }
}
