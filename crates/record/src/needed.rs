//! Tells the queue which of its events the record still refers to, by one time: those that were acknowledged since.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Nothing was told yet.
const UNKNOWN: i64 = 0;

/// There is no record that could refer to anything.
const NOTHING: i64 = i64::MAX;

/// A delivery is in the record this long after its event was on the queue, and much sooner: what was acknowledged lately
/// may be of one that is on its way.
const ON_THE_WAY_MS: i64 = 60_000;

/// The time, shared with whoever prunes the queue.
#[derive(Debug, Clone, Default)]
pub(crate) struct Needed(Arc<AtomicI64>);

/// What the record has of deliveries that a secret has vouched for. Only those have an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Oldest {
    /// The first of them came at this time.
    At(i64),
    /// All of them are in the journal, which has no times that are cheap to read.
    InTheJournal,
    /// It has none at this time.
    NoneAt(i64),
}

impl Needed {
    /// Milliseconds since 1970, for whoever prunes.
    pub(crate) fn since_ms(&self) -> Arc<AtomicI64> {
        Arc::clone(&self.0)
    }

    /// Tells what the record has now.
    pub(crate) fn tell(&self, oldest: Oldest) {
        let since_ms = match oldest {
            Oldest::At(ms) => ms,
            Oldest::InTheJournal => UNKNOWN,
            Oldest::NoneAt(now_ms) => now_ms.saturating_sub(ON_THE_WAY_MS),
        };
        self.0.store(since_ms, Ordering::Relaxed);
    }

    /// There is no record. One that was there before, and cannot be written for a while, can still be read.
    pub(crate) fn tell_failure(&self) {
        // Something else was told: that stays.
        let _ = self
            .0
            .compare_exchange(UNKNOWN, NOTHING, Ordering::Relaxed, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_takes_back_nothing_that_was_told() {
        let needed = Needed::default();
        let told = needed.since_ms();
        assert_eq!(told.load(Ordering::Relaxed), UNKNOWN);
        needed.tell_failure();
        assert_eq!(told.load(Ordering::Relaxed), NOTHING);
        for (oldest, since_ms) in [(Oldest::At(1000), 1000), (Oldest::NoneAt(100_000), 40_000)] {
            needed.tell(oldest);
            needed.tell_failure();
            assert_eq!(told.load(Ordering::Relaxed), since_ms);
        }
    }
}
