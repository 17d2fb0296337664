//! A clock and entropy that a test controls.

use jiff::Timestamp;
use labelrelay_core::{BoxFuture, Clock, Entropy};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

/// A clock that stands still until it is told to move. Sleepers wake when it has moved far enough.
#[derive(Clone)]
pub struct FakeClock(Arc<Mutex<State>>);

struct State {
    now: Timestamp,
    monotonic: Duration,
    sleepers: Vec<(Duration, Waker)>,
}

impl FakeClock {
    /// Stands at `now`, RFC 3339.
    pub fn at(now: &str) -> Self {
        let now = now.parse().expect("an RFC 3339 time");
        Self(Arc::new(Mutex::new(State {
            now,
            monotonic: Duration::from_secs(1000),
            sleepers: Vec::new(),
        })))
    }

    /// Moves both clocks on and wakes whoever slept until then.
    pub fn advance(&self, by: Duration) {
        let woken = {
            let mut state = self.0.lock().unwrap();
            state.now += jiff::SignedDuration::try_from(by).unwrap();
            state.monotonic += by;
            let now = state.monotonic;
            let (woken, left) = std::mem::take(&mut state.sleepers)
                .into_iter()
                .partition(|(at, _)| *at <= now);
            state.sleepers = left;
            let woken: Vec<(Duration, Waker)> = woken;
            woken
        };
        for (_, waker) in woken {
            waker.wake();
        }
    }

    /// Sets the time of day, forwards or backwards; the monotonic clock stays.
    pub fn set_time_of_day(&self, now: &str) {
        self.0.lock().unwrap().now = now.parse().expect("an RFC 3339 time");
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().now
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap().monotonic
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let clock = Arc::clone(&self.0);
        let until = clock.lock().unwrap().monotonic + duration;
        Box::pin(std::future::poll_fn(move |context| {
            let mut state = clock.lock().unwrap();
            if state.monotonic >= until {
                return Poll::Ready(());
            }
            state.sleepers.push((until, context.waker().clone()));
            Poll::Pending
        }))
    }
}

/// Counts instead of drawing: every id differs and is the same in every run.
#[derive(Debug, Default)]
pub struct CountingEntropy(AtomicU64);

impl Entropy for CountingEntropy {
    fn ten_bytes(&self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[2..].copy_from_slice(&self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        bytes
    }
}
