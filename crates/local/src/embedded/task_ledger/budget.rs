//! Work that one transaction has time for, so that no delivery waits for a deletion of a hundred thousand.

use std::time::{Duration, Instant};

/// Facts and derived events of one transaction. What is left is kept in the file, and done in the next ones.
const AT_A_TIME: usize = 1000;

/// So many are done whatever the time, so that the ledger gets on where the disk is slow.
const IN_ANY_CASE: usize = 32;

/// Time in which the ledger's work of a transaction with deliveries may begin, and of one of its own.
const WITH_DELIVERIES: Duration = Duration::from_millis(20);
const ALONE: Duration = Duration::from_millis(10);

/// Work that is left to a transaction.
#[derive(Debug, Clone, Copy)]
pub(in crate::embedded) struct Budget {
    left: usize,
    /// So many are done whatever the time.
    in_any_case: usize,
    until: Instant,
}

impl Budget {
    /// That of a transaction with deliveries that begins now.
    pub(in crate::embedded) fn with_deliveries() -> Self {
        Self {
            left: AT_A_TIME,
            in_any_case: IN_ANY_CASE,
            until: Instant::now() + WITH_DELIVERIES,
        }
    }

    /// That of a transaction of the ledger's own that begins now. Since the last one, `arrived` events came: twice as many
    /// are done, so that a load without a pause leaves the ledger no further behind.
    pub(in crate::embedded) fn alone(arrived: u64) -> Self {
        let twice = usize::try_from(arrived.saturating_mul(2)).unwrap_or(AT_A_TIME);
        Self {
            left: AT_A_TIME,
            in_any_case: twice.clamp(IN_ANY_CASE, AT_A_TIME),
            until: Instant::now() + ALONE,
        }
    }

    /// Tells whether nothing is left of it.
    pub(super) fn is_spent(&mut self) -> bool {
        // Facts differ: that about a task with thousands of annotations counts them.
        if self.left + self.in_any_case <= AT_A_TIME && Instant::now() >= self.until {
            self.left = 0;
        }
        self.left == 0
    }

    /// Takes one thing out of it.
    pub(super) fn spend(&mut self) {
        self.left = self.left.saturating_sub(1);
    }

    /// Things that may be done before the next look at the time.
    pub(super) fn next(&self) -> usize {
        self.left.min(IN_ANY_CASE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red if only things are counted, or if a slow disk keeps the ledger from getting on.
    #[test]
    fn time_ends_it_but_some_is_done_in_any_case() {
        let spent = |arrived: u64, until: Instant| {
            let mut budget = Budget {
                until,
                ..Budget::alone(arrived)
            };
            let mut done = 0;
            while !budget.is_spent() {
                budget.spend();
                done += 1;
            }
            done
        };
        let now = Instant::now();
        let later = now + Duration::from_secs(3600);
        assert_eq!(spent(0, now), IN_ANY_CASE);
        assert_eq!(spent(0, later), AT_A_TIME);
        // Red if a load without a pause leaves it further and further behind.
        assert_eq!(spent(256, now), 512);
        assert_eq!(spent(u64::MAX, now), AT_A_TIME);
    }
}
