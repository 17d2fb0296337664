//! A circuit breaker before the queue: while it is known to be dead, events go to the fallback at once,
//! so that answers stay fast. Without a fallback nothing is skipped: every event is worth a try then. The store for
//! traces has a breaker of its own, and an event that it skips leaves none.

use crate::clock::Entropy;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// So many failures in a row open it. One or two happen to every queue.
const FAILURES: u32 = 5;

/// Time that it stays open before one event tries the queue; doubled at each further failure. The longest
/// pause is what a queue that works again may stand idle. Each is spread: several relays may have one queue.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// Change of the breaker by a failure or a success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    None,
    Opened,
    Closed,
}

/// State; no request waits for another one's.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    /// Failures since the last success.
    failures: AtomicU32,
    /// Nobody tries before this moment, in microseconds on the monotonic clock.
    open_until: AtomicU64,
}

impl Breaker {
    /// Tells whether the queue may be tried now. When the pause is over, the first to ask tries it, and whoever asks
    /// meanwhile does not.
    pub(super) fn lets_through(&self, now: Duration, entropy: &dyn Entropy) -> bool {
        let failures = self.failures.load(Ordering::Relaxed);
        if failures < FAILURES {
            return true;
        }
        let until = self.open_until.load(Ordering::Relaxed);
        if micros(now) < until {
            return false;
        }
        let next = micros(now + entropy.spread(pause(failures)));
        self.open_until
            .compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }

    /// The queue took an event.
    pub(super) fn succeeded(&self) -> Change {
        // Nearly always zero already: no write then, which all cores would have to hear of.
        if self.failures.load(Ordering::Relaxed) == 0 {
            return Change::None;
        }
        if self.failures.swap(0, Ordering::Relaxed) >= FAILURES {
            Change::Closed
        } else {
            Change::None
        }
    }

    /// The queue did not take an event.
    pub(super) fn failed(&self, now: Duration, entropy: &dyn Entropy) -> Change {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if failures < FAILURES {
            return Change::None;
        }
        self.open_until.store(
            micros(now + entropy.spread(pause(failures))),
            Ordering::Relaxed,
        );
        if failures == FAILURES {
            Change::Opened
        } else {
            Change::None
        }
    }
}

fn pause(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(FAILURES).min(10);
    (FIRST_PAUSE * (1 << doublings)).min(LONGEST_PAUSE)
}

fn micros(moment: Duration) -> u64 {
    u64::try_from(moment.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spreads over nothing, or over all of the half that it may.
    struct Always(u8);

    const WHOLE: Always = Always(0xff);

    impl Entropy for Always {
        fn ten_bytes(&self) -> [u8; 10] {
            [self.0; 10]
        }
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_lets_one_through_after_each_pause() {
        let breaker = Breaker::default();
        for _ in 0..4 {
            assert_eq!(breaker.failed(ms(0), &WHOLE), Change::None);
            assert!(breaker.lets_through(ms(0), &WHOLE));
        }
        assert_eq!(breaker.failed(ms(0), &WHOLE), Change::Opened);
        assert!(!breaker.lets_through(ms(499), &WHOLE));
        assert!(breaker.lets_through(ms(500), &WHOLE));
        assert!(!breaker.lets_through(ms(500), &WHOLE), "one is enough");
        assert_eq!(breaker.failed(ms(510), &WHOLE), Change::None);
        assert!(!breaker.lets_through(ms(1509), &WHOLE));
        assert!(breaker.lets_through(ms(1510), &WHOLE));
        assert_eq!(breaker.succeeded(), Change::Closed);
        assert_eq!(breaker.succeeded(), Change::None);
        assert!(breaker.lets_through(ms(1511), &WHOLE));
    }

    #[test]
    fn a_success_between_failures_keeps_it_closed() {
        let breaker = Breaker::default();
        for round in 0..100 {
            assert_eq!(breaker.failed(ms(round), &WHOLE), Change::None);
            assert_eq!(breaker.succeeded(), Change::None);
            assert!(breaker.lets_through(ms(round), &WHOLE));
        }
    }

    #[test]
    fn another_relay_tries_at_another_moment() {
        let breaker = Breaker::default();
        for _ in 0..5 {
            breaker.failed(ms(0), &Always(0));
        }
        assert!(!breaker.lets_through(ms(249), &Always(0)));
        assert!(breaker.lets_through(ms(250), &Always(0)));
    }

    #[test]
    fn pauses_have_an_end() {
        let breaker = Breaker::default();
        for _ in 0..1000 {
            breaker.failed(ms(0), &WHOLE);
        }
        assert!(breaker.lets_through(LONGEST_PAUSE, &WHOLE));
    }
}
