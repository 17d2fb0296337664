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
    // What is ready at once, as most is, needs no timer.
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
