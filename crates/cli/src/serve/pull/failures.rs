//! Failures in a row: the first is told, the others are counted, and each makes the pause longer.

use std::time::Duration;

/// Pauses after failures: doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

#[derive(Debug, Default)]
pub(super) struct Failures {
    count: u32,
    reason: String,
}

/// Pause after so many in a row.
pub(super) fn pause(count: u32) -> Duration {
    let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(count));
    pause.min(LONGEST_PAUSE)
}

impl Failures {
    /// Counts a failure. Returns the pause before the next attempt, if runs are usually `every` apart; and whether
    /// somebody should be told: of the first, and of each that has another reason than the one before.
    pub(super) fn add(&mut self, reason: &str, every: Duration) -> (Duration, bool) {
        let pause = pause(self.count);
        self.count = self.count.saturating_add(1);
        let is_new = self.reason != reason;
        reason.clone_into(&mut self.reason);
        (pause.max(every), is_new)
    }

    /// Ends a series of failures; returns how many there were.
    pub(super) fn over(&mut self) -> u32 {
        std::mem::take(self).count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_a_reason_is_told_once() {
        let mut failures = Failures::default();
        let seconds = Duration::from_secs;
        for (reason, pause, told) in [
            ("down", 3, true),
            ("down", 3, false),
            ("down", 4, false),
            ("token", 8, true),
            ("down", 16, true),
        ] {
            assert_eq!(failures.add(reason, seconds(3)), (seconds(pause), told));
        }
        for _ in 0..100 {
            failures.add("down", seconds(3));
        }
        assert_eq!(failures.add("down", seconds(3)), (LONGEST_PAUSE, false));
        assert_eq!(failures.over(), 106);
        assert_eq!(failures.over(), 0);
        assert_eq!(failures.add("down", seconds(3)), (seconds(3), true));
    }
}
