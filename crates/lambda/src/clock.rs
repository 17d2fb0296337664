//! The machine's clocks, with room before the start.

use jiff::Timestamp;
use labelrelay_core::{BoxFuture, Clock};
use labelrelay_startup::SystemClock;
use std::time::Duration;

/// Age that the process seems to have when it starts. A request that waited for the start arrived before it: its
/// arrival must be a moment of this clock too.
const BEFORE_THE_START: Duration = Duration::from_secs(60);

/// The machine's clocks.
#[derive(Debug, Clone, Default)]
pub struct FunctionClock(SystemClock);

impl Clock for FunctionClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        BEFORE_THE_START + self.0.monotonic()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.sleep(duration)
    }
}

/// `until`, in milliseconds since 1970, as a moment of the monotonic clock; `None` when that is no time
/// to come.
pub(crate) fn moment(clock: &dyn Clock, until: u64) -> Option<Duration> {
    let now = u64::try_from(clock.now().as_millisecond()).ok()?;
    let left = until.checked_sub(now).filter(|left| *left > 0)?;
    Some(clock.monotonic() + Duration::from_millis(left))
}
