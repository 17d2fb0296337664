//! Two deadlines of a delivery: the sender wants its answer soon, the event may take longer.

use crate::clock::Clock;
use crate::transfer_allowance::transfer_allowance;
use std::time::Duration;

/// Work on one delivery ends this long after its last byte, whatever its state.
///
/// Long enough for a queue that restarts; short enough that a platform which stops the process 10 s
/// after asking (Cloud Run) stops nothing that was still hoped for.
pub const GIVE_UP: Duration = Duration::from_secs(10);

/// Moments on the monotonic clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadlines {
    /// The sender must have its answer.
    pub(super) answer: Duration,
    /// Trying ends.
    pub(super) give_up: Duration,
}

impl Deadlines {
    /// All work ends with the answer.
    pub(super) fn with_answer(answer: Duration) -> Self {
        Self {
            answer,
            give_up: answer,
        }
    }

    /// The deadlines of a body whose last byte has come; `copied` of its bytes are in the spool.
    ///
    /// The configured time counts from the request's arrival. A body that took long to arrive still leaves the
    /// queue half of that time: the sender's own timeout counts from its last byte.
    pub(super) fn from_last_byte(
        last_byte: Duration,
        arrived: Duration,
        answer_by: Duration,
        copied: u64,
    ) -> Self {
        Self {
            answer: (arrived + answer_by).max(last_byte + answer_by / 2),
            give_up: last_byte + GIVE_UP.max(answer_by) + 3 * transfer_allowance(copied),
        }
    }

    /// Half of the time that is left to the answer, for a place with a second one behind it. A late event
    /// shares the time that is left to the end.
    pub(super) fn first_half(self, clock: &dyn Clock) -> Self {
        let now = clock.monotonic();
        let end = if self.answer > now {
            self.answer
        } else {
            self.give_up
        };
        Self::with_answer(now + end.saturating_sub(now) / 2)
    }

    /// With `more` time to the answer: for a large body, whatever the sender thinks of that.
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
