//! Keeps requests a certain time apart.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct RateLimiter {
    apart: Option<Duration>,
    next: Mutex<Option<Instant>>,
}

impl RateLimiter {
    pub(super) fn new(per_second: Option<f64>) -> Self {
        let apart = per_second.and_then(|rate| Duration::try_from_secs_f64(1.0 / rate).ok());
        Self {
            apart,
            next: Mutex::new(None),
        }
    }

    /// Waits for the next request's turn.
    pub(super) async fn wait(&self) {
        let Some(apart) = self.apart else {
            return;
        };
        let at = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let at = next.map_or(now, |next| next.max(now));
            *next = Some(at + apart);
            at
        };
        tokio::time::sleep_until(at).await;
    }
}
