//! Bounds of the deliveries under way at once: their number, and their bytes in memory. Bodies
//! arrive before anybody knows whether their signature holds, so without a bound a stranger could fill
//! the memory; and what a dead queue does not take must not pile up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The bounds for all requests together.
pub(super) struct Budget {
    pub(super) deliveries: Bound,
    pub(super) bytes: Bound,
    /// Requests refused since there was room for all.
    refused: AtomicU64,
}

/// So much of something, and no more.
pub(super) struct Bound {
    pub(super) limit: u64,
    used: AtomicU64,
}

impl Bound {
    fn new(limit: u64) -> Self {
        Self {
            limit,
            used: AtomicU64::new(0),
        }
    }

    /// `false` when there is not so much left.
    fn take(&self, amount: u64) -> bool {
        let room = |used: u64| used.checked_add(amount).filter(|sum| *sum <= self.limit);
        self.used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, room)
            .is_ok()
    }

    fn give_back(&self, amount: u64) {
        self.used.fetch_sub(amount, Ordering::Relaxed);
    }

    /// Tells whether the budget is far from used up. Overload that flickers with every request counts as one.
    fn is_calm(&self) -> bool {
        self.used.load(Ordering::Relaxed) <= self.limit / 2
    }
}

impl Budget {
    pub(super) fn new(deliveries: u64, bytes: u64) -> Arc<Self> {
        Arc::new(Self {
            deliveries: Bound::new(deliveries),
            bytes: Bound::new(bytes),
            refused: AtomicU64::new(0),
        })
    }

    /// Counts a request that was refused; whether it is the first since there was room for all.
    pub(super) fn refuse(&self) -> bool {
        self.refused.fetch_add(1, Ordering::Relaxed) == 0
    }

    /// Number of those that were refused, told once, when there is room for all again.
    pub(super) fn is_over(&self) -> Option<u64> {
        // Nearly always zero: no write then, which all cores would have to hear of.
        if self.refused.load(Ordering::Relaxed) == 0
            || !self.deliveries.is_calm()
            || !self.bytes.is_calm()
        {
            return None;
        }
        Some(self.refused.swap(0, Ordering::Relaxed)).filter(|refused| *refused > 0)
    }
}

/// Share of one request, until it is dropped.
pub(super) struct InFlight {
    budget: Arc<Budget>,
    bytes: u64,
}

impl InFlight {
    /// One more delivery; `None` when there are as many as there may be.
    pub(super) fn begin(budget: &Arc<Budget>) -> Option<Self> {
        budget.deliveries.take(1).then(|| Self {
            budget: Arc::clone(budget),
            bytes: 0,
        })
    }

    /// Takes `bytes` more; `false` when there are not so many left.
    fn take(&mut self, bytes: u64) -> bool {
        let taken = self.budget.bytes.take(bytes);
        if taken {
            self.bytes += bytes;
        }
        taken
    }

    /// Has `bytes` from now on, however many it had; `false` when there are not so many left.
    pub(super) fn hold(&mut self, bytes: u64) -> bool {
        if let Some(spare) = self.bytes.checked_sub(bytes) {
            self.budget.bytes.give_back(spare);
            self.bytes = bytes;
            return true;
        }
        self.take(bytes - self.bytes)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.budget.bytes.give_back(self.bytes);
        self.budget.deliveries.give_back(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_bounds_and_all_of_it_comes_back() {
        let budget = Budget::new(2, 100);
        let mut first = InFlight::begin(&budget).expect("room");
        let mut second = InFlight::begin(&budget).expect("room");
        assert!(InFlight::begin(&budget).is_none());
        assert!(first.take(60) && !second.take(41) && second.take(40));
        assert!(first.hold(10) && second.hold(90) && !first.hold(11));
        drop(second);
        assert!(first.hold(100));
        drop(first);
        assert!(InFlight::begin(&budget).expect("room").take(100));
    }

    #[test]
    fn a_flood_is_told_once_and_so_is_its_end() {
        let budget = Budget::new(4, 100);
        let mut all: Vec<_> = (0..4).filter_map(|_| InFlight::begin(&budget)).collect();
        assert!(budget.refuse() && !budget.refuse() && !budget.refuse());
        all.pop();
        assert_eq!(budget.is_over(), None, "three of four are under way");
        all.pop();
        assert_eq!(budget.is_over(), Some(3));
        assert_eq!(budget.is_over(), None);
        assert!(budget.refuse());
    }
}
