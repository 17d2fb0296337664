//! Waits for a receiver that is not ready.

use labelrelay_core::Entropy;
use std::time::Duration;
use tokio::time::Instant;

/// Pauses between posts of one event while the receiver is not ready: the first, and the longest of those that it did not
/// ask for.
pub(super) const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// A receiver that is there and not ready for so long may have something against the event, which then comes again for
/// others to be tried before it. Longer than most outages: the queue counts that as a receive.
const NOT_READY_FOR: Duration = Duration::from_secs(3600);

/// Posts that get no answer in time before the event is given back: it may be what the receiver has no answer to.
const LATE: u32 = 3;

/// An idle receiver is waited for so long at least: it may be on its way up.
const ON_ITS_WAY: Duration = Duration::from_secs(30);

/// Reason for which an event is to be posted again from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// No connection came about.
    Unreached,
    /// The receiver took the event, and did not answer in time.
    Late,
    /// The receiver says so.
    Says,
}

/// A post to a receiver that is not ready.
pub(super) struct NotReady {
    pub(super) reason: String,
    /// Wait that the receiver asked for.
    pub(super) after: Option<Duration>,
    pub(super) why: Why,
}

impl NotReady {
    /// The wait before the next post: as it is where the receiver asked for one, else from half of it to all of it, so that
    /// those who wait for one receiver do not come back together.
    pub(super) fn spread(&self, wait: Duration, entropy: &dyn Entropy) -> Duration {
        match self.after {
            Some(_) => wait,
            None => entropy.spread(wait),
        }
    }
}

/// The waits for one event.
pub(super) struct Patience {
    pause: Duration,
    /// Since when it is there and not ready.
    since: Option<Instant>,
    unreached_since: Option<Instant>,
    late: u32,
    until_idle: Option<Duration>,
}

impl Patience {
    pub(super) fn new(until_idle: Option<Duration>) -> Self {
        Self {
            pause: SHORTEST,
            since: None,
            unreached_since: None,
            late: 0,
            until_idle: until_idle.map(|idle| idle.max(ON_ITS_WAY)),
        }
    }

    /// Time until the next post; `None` when the event is to be given back.
    pub(super) fn wait(&mut self, not_ready: &NotReady) -> Option<Duration> {
        let now = Instant::now();
        if not_ready.why == Why::Unreached {
            // A receiver that nobody reaches has nothing against any event, however long.
            self.since = None;
            self.unreached_since.get_or_insert(now);
        } else {
            self.unreached_since = None;
            self.since.get_or_insert(now);
        }
        if not_ready.why == Why::Late {
            self.late += 1;
        }
        // No time at all would be as often as the receiver answers.
        let wait = not_ready
            .after
            .map_or(self.pause, |after| after.max(self.pause));
        self.pause = LONGEST.min(self.pause * 2);
        let waited = self.since.map_or(Duration::ZERO, |since| now - since);
        let is_over = waited.saturating_add(wait) > NOT_READY_FOR || self.late >= LATE;
        (!is_over).then_some(wait)
    }

    /// Tells whether nobody was there for as long as the program is to wait for something to do.
    pub(super) fn is_idle(&self) -> bool {
        let unreached = self.unreached_since.map(|since| since.elapsed());
        unreached
            .zip(self.until_idle)
            .is_some_and(|(unreached, idle)| unreached >= idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    fn not_ready(why: Why, after: Option<u64>) -> NotReady {
        NotReady {
            reason: String::new(),
            after: after.map(Duration::from_secs),
            why,
        }
    }

    fn seconds(patience: &mut Patience, why: Why, after: Option<u64>) -> Option<u64> {
        let wait = patience.wait(&not_ready(why, after));
        wait.map(|wait| wait.as_secs())
    }

    #[test]
    fn only_waits_that_the_receiver_did_not_ask_for_are_spread() {
        struct Least;

        impl Entropy for Least {
            fn ten_bytes(&self) -> [u8; 10] {
                [0; 10]
            }
        }

        let wait = Duration::from_secs(8);
        let spread = |after| not_ready(Why::Says, after).spread(wait, &Least).as_secs();
        assert_eq!([spread(None), spread(Some(8))], [4, 8]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_receiver_is_never_asked_at_once_nor_at_a_time_that_no_clock_has() {
        let mut patience = Patience::new(None);
        assert_eq!(seconds(&mut patience, Why::Says, Some(0)), Some(1));
        assert_eq!(seconds(&mut patience, Why::Says, Some(0)), Some(2));
        assert_eq!(seconds(&mut patience, Why::Says, Some(90)), Some(90));
        assert_eq!(seconds(&mut patience, Why::Says, Some(u64::MAX)), None);
        assert_eq!(seconds(&mut patience, Why::Unreached, None), Some(16));
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_is_held_for_an_hour_or_until_somebody_is_there() {
        let mut patience = Patience::new(None);
        assert_eq!(seconds(&mut patience, Why::Says, None), Some(1));
        advance(Duration::from_secs(3000)).await;
        assert_eq!(seconds(&mut patience, Why::Says, Some(500)), Some(500));
        advance(Duration::from_secs(500)).await;
        assert_eq!(seconds(&mut patience, Why::Says, Some(500)), None);
        let mut patience = Patience::new(None);
        for _ in 0..5 {
            assert!(seconds(&mut patience, Why::Unreached, None).is_some());
            advance(Duration::from_secs(3000)).await;
        }
        assert!(!patience.is_idle());
        let mut patience = Patience::new(None);
        assert_eq!(seconds(&mut patience, Why::Late, None), Some(1));
        assert_eq!(seconds(&mut patience, Why::Late, None), Some(2));
        assert_eq!(seconds(&mut patience, Why::Late, None), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_does_not_wait_for_nobody_for_ever() {
        let mut patience = Patience::new(Some(Duration::ZERO));
        patience.wait(&not_ready(Why::Unreached, None));
        assert!(!patience.is_idle());
        advance(Duration::from_secs(40)).await;
        patience.wait(&not_ready(Why::Unreached, None));
        assert!(patience.is_idle());
        patience.wait(&not_ready(Why::Says, None));
        assert!(!patience.is_idle());
    }
}
