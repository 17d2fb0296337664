//! How many bytes of bodies may be in memory at once. Bodies arrive before anybody knows whether their
//! signature holds, so without a bound a stranger could fill the memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The bound for all requests together.
pub(super) struct Budget {
    limit: u64,
    used: AtomicU64,
}

impl Budget {
    pub(super) fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self {
            limit,
            used: AtomicU64::new(0),
        })
    }
}

/// What one request takes of it, until it is dropped.
pub(super) struct InFlight {
    budget: Arc<Budget>,
    bytes: u64,
}

impl InFlight {
    pub(super) fn none(budget: &Arc<Budget>) -> Self {
        Self {
            budget: Arc::clone(budget),
            bytes: 0,
        }
    }

    /// Takes `bytes` more; `false` when there are not so many left.
    pub(super) fn take(&mut self, bytes: u64) -> bool {
        let limit = self.budget.limit;
        let taken = self
            .budget
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                used.checked_add(bytes).filter(|sum| *sum <= limit)
            });
        if taken.is_ok() {
            self.bytes += bytes;
        }
        taken.is_ok()
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
