//! The machine's clocks, which jump when told to.

use jiff::{SignedDuration, Timestamp};
use labelrelay_core::{BoxFuture, Clock};
use labelrelay_startup::SystemClock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

pub(super) struct LabClock {
    system: SystemClock,
    /// Seconds that the time of day is ahead.
    ahead: AtomicI64,
    /// Seconds that the machine has slept.
    slept: AtomicU64,
}

impl LabClock {
    pub(super) fn new(ahead: i64) -> Self {
        Self {
            system: SystemClock::new(),
            ahead: AtomicI64::new(ahead),
            slept: AtomicU64::new(0),
        }
    }

    /// Sets what the time of day is ahead by.
    pub(super) fn set(&self, ahead: i64) {
        self.ahead.store(ahead, Ordering::Relaxed);
    }

    /// Moves the clock that never goes back; the time of day is set beside.
    pub(super) fn sleep_for(&self, seconds: u64) {
        self.slept.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for LabClock {
    fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_secs(self.ahead.load(Ordering::Relaxed));
        self.system.now() + ahead
    }

    fn monotonic(&self) -> Duration {
        self.system.monotonic() + Duration::from_secs(self.slept.load(Ordering::Relaxed))
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.system.sleep(duration)
    }
}
