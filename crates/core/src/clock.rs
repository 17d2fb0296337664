//! Time and randomness, injected: so that tests can assert whole envelopes, and core needs no runtime.

use crate::BoxFuture;
use jiff::Timestamp;
use std::task::Poll;
use std::time::Duration;

/// The time of day, a clock that never goes back, and a timer.
pub trait Clock: Send + Sync {
    /// Time of day, for what is written into envelopes.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment, for deadlines. Never goes back, whatever happens to the time of day.
    fn monotonic(&self) -> Duration;

    /// Completes after `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// A source of random bytes for ids that nobody may guess or repeat.
pub trait Entropy: Send + Sync {
    /// Ten random bytes: the random part of a `UUIDv7` (RFC 9562).
    fn ten_bytes(&self) -> [u8; 10];

    /// A time from half of `pause` to all of it. Who waits before trying again waits this long: what failed for
    /// many at once is then not asked by all of them at once again.
    fn spread(&self, pause: Duration) -> Duration {
        let [high, low, ..] = self.ten_bytes();
        let half = pause / 2;
        half + half.saturating_mul(u16::from_be_bytes([high, low]).into()) / u16::MAX.into()
    }
}

/// A fresh, time-ordered id (`UUIDv7`).
pub(crate) fn fresh_id(clock: &dyn Clock, entropy: &dyn Entropy) -> String {
    let millis = u64::try_from(clock.now().as_millisecond()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &entropy.ten_bytes())
        .into_uuid()
        .to_string()
}

/// Runs `work`, but no longer than `limit`.
///
/// # Errors
/// [`Elapsed`] when the time was up first; `work` is dropped then.
pub async fn within<T>(
    clock: &dyn Clock,
    limit: Duration,
    work: impl Future<Output = T>,
) -> Result<T, Elapsed> {
    let mut work = std::pin::pin!(work);
    // Work that is ready at once, as most is, needs no timer.
    let first = std::future::poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await;
    if let Poll::Ready(done) = first {
        return Ok(done);
    }
    match futures_util::future::select(work, clock.sleep(limit)).await {
        futures_util::future::Either::Left((done, _)) => Ok(done),
        futures_util::future::Either::Right(((), _)) => Err(Elapsed),
    }
}

/// The time was up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the time was up")]
pub struct Elapsed;

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(u8);

    impl Entropy for Always {
        fn ten_bytes(&self) -> [u8; 10] {
            [self.0; 10]
        }
    }

    #[test]
    fn pauses_are_spread_over_their_second_half() {
        let spread = |byte, ms| Always(byte).spread(Duration::from_millis(ms)).as_millis();
        assert_eq!([spread(0, 1000), spread(0xff, 1000)], [500, 1000]);
        assert_eq!([spread(0x80, 1000), spread(0xff, 0)], [750, 0]);
        assert_eq!(
            Always(0xff).spread(Duration::from_secs(86_400)).as_secs(),
            86_400
        );
    }
}
