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
    until: Instant,
}

impl Budget {
    /// That of a transaction that begins now.
    pub(in crate::embedded) fn begin(has_deliveries: bool) -> Self {
        let time = if has_deliveries {
            WITH_DELIVERIES
        } else {
            ALONE
        };
        Self {
            left: AT_A_TIME,
            until: Instant::now() + time,
        }
    }

    /// Tells whether nothing is left of it.
    pub(super) fn is_spent(&mut self) -> bool {
        // Facts differ: that about a task with thousands of annotations counts them.
        if self.left + IN_ANY_CASE <= AT_A_TIME && Instant::now() >= self.until {
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
        let spent = |until: Instant| {
            let mut budget = Budget {
                left: AT_A_TIME,
                until,
            };
            let mut done = 0;
            while !budget.is_spent() {
                budget.spend();
                done += 1;
            }
            done
        };
        let now = Instant::now();
        assert_eq!(spent(now), IN_ANY_CASE);
        assert_eq!(spent(now + Duration::from_secs(3600)), AT_A_TIME);
    }
}
