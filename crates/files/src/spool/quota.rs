//! The bytes that all spooled bodies together may occupy.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug)]
pub(super) struct Quota {
    pub(super) limit: u64,
    used: AtomicU64,
}

impl Quota {
    pub(super) fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self {
            limit,
            used: AtomicU64::new(0),
        })
    }
}

/// One body's part of it, until it is dropped.
pub(super) struct Share {
    pub(super) quota: Arc<Quota>,
    pub(super) bytes: u64,
}

impl Share {
    pub(super) fn none(quota: &Arc<Quota>) -> Self {
        Self {
            quota: Arc::clone(quota),
            bytes: 0,
        }
    }

    /// Takes `bytes` more; `false` when there are not so many left.
    pub(super) fn take(&mut self, bytes: u64) -> bool {
        let limit = self.quota.limit;
        let room = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= limit);
        let taken = self
            .quota
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, room);
        if taken.is_ok() {
            self.bytes += bytes;
        }
        taken.is_ok()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.quota.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
