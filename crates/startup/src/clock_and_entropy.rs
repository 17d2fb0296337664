//! Clocks and randomness of a system, for core.

use jiff::Timestamp;
use labelrelay_core::{BoxFuture, Clock, Entropy};
use std::time::{Duration, Instant};

/// The machine's clocks, and tokio's timer.
#[derive(Debug, Clone)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// Random bytes of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn ten_bytes(&self) -> [u8; 10] {
        let mut bytes = [0; 10];
        // Without the system's randomness, an id of the time alone still is better than no event: the time part
        // differs, and these ids only have to differ.
        if getrandom::fill(&mut bytes).is_err() {
            tracing::error!(name: "entropy_unavailable", "the operating system has no random bytes");
        }
        bytes
    }
}
