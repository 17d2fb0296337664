//! Bound of the times that one line may be told. Whoever can reach the port decides how many requests are refused, and
//! must not decide with that how fast the log grows.
//!
//! The first few of a kind are written in full, so that a single refusal is explained. Of a flood one more is
//! written every two seconds, and once a second one line says how many there were besides. Each kind is
//! counted for itself: a flood of one hides no other.
//!
//! ```
//! use labelrelay_startup::SystemClock;
//! use labelrelay_startup::log::{Kind, LogLimit};
//! use std::sync::Arc;
//!
//! // One for each place that refuses: made once, and kept as long as its server.
//! let limit = LogLimit::new(Arc::new(SystemClock::new()));
//! // Nothing that a sender wrote may be part of a kind: texts of our own and of the configuration alone.
//! let kind = Kind::new("malformed", None, "the head is too large");
//! if limit.admits(&kind) {
//!     // The line with everything that helps: address, length and so on.
//! }
//! // Otherwise there is nothing to do: it was counted, and the count is told within a second.
//! ```

use labelrelay_core::Clock;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Of a kind that was quiet, so many are written in full before it counts as a flood.
const IN_FULL: u32 = 5;

/// A flood has one more in full this often; a kind that comes more rarely is always in full.
const ONE_MORE: Duration = Duration::from_secs(2);

/// Lines that are held back are told as a number after this.
const TOLD_AFTER: Duration = Duration::from_secs(1);

/// Kinds that are counted apart. Their reasons are texts of ours, of which there are fewer; should a sender
/// find a way to make more, the rest is one kind for each outcome and source.
const MOST_KINDS: usize = 64;

const OTHERS: &str = "other reasons";

/// Two refusals of one kind are the same for a reader of the log. No part of it may come from a sender: a stranger
/// who can make kinds can make lines.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Kind {
    outcome: &'static str,
    source: Option<String>,
    reason: String,
}

impl Kind {
    /// Refusals with this outcome, for this source, for this reason.
    pub fn new(outcome: &'static str, source: Option<&str>, reason: &str) -> Self {
        Self {
            outcome,
            source: source.map(str::to_owned),
            reason: reason.to_owned(),
        }
    }
}

/// Decides for each refusal whether it is written in full, and tells how many were not.
pub struct LogLimit(Arc<Counts>);

struct Counts {
    clock: Arc<dyn Clock>,
    kinds: Mutex<HashMap<Kind, Seen>>,
    tell: fn(&Kind, u64),
}

/// State of a kind.
struct Seen {
    /// When all that was written in full is forgotten.
    calm: Duration,
    /// Held back, and not told yet.
    held_back: u64,
}

impl LogLimit {
    /// Everything is new to it. Its numbers become `tracing` events.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::telling(clock, tell)
    }

    fn telling(clock: Arc<dyn Clock>, tell: fn(&Kind, u64)) -> Self {
        Self(Arc::new(Counts {
            clock,
            kinds: Mutex::default(),
            tell,
        }))
    }

    /// Tells whether to write this line in full. If not, it is counted, and the count is told within a second.
    ///
    /// Outside of a tokio runtime, where nothing could be told later, everything is written.
    pub fn admits(&self, kind: &Kind) -> bool {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return true;
        };
        let now = self.0.clock.monotonic();
        let mut kinds = self.0.kinds();
        let kind = counted_as(&mut kinds, kind, now);
        let seen = kinds.entry(kind.clone()).or_insert(Seen {
            calm: now,
            held_back: 0,
        });
        if seen.calm.saturating_sub(now) <= ONE_MORE * (IN_FULL - 1) {
            seen.calm = seen.calm.max(now) + ONE_MORE;
            return true;
        }
        seen.held_back += 1;
        if seen.held_back == 1 {
            let counts = Arc::downgrade(&self.0);
            let pause = self.0.clock.sleep(TOLD_AFTER);
            runtime.spawn(async move {
                pause.await;
                if let Some(counts) = counts.upgrade() {
                    counts.tell_of(&kind);
                }
            });
        }
        false
    }
}

/// The kind itself, or what stands for all others where there is no room for one more.
fn counted_as(kinds: &mut HashMap<Kind, Seen>, kind: &Kind, now: Duration) -> Kind {
    if kinds.len() >= MOST_KINDS && !kinds.contains_key(kind) {
        kinds.retain(|_, seen| seen.calm > now || seen.held_back > 0);
        if kinds.len() >= MOST_KINDS {
            return Kind {
                reason: OTHERS.to_owned(),
                ..kind.clone()
            };
        }
    }
    kind.clone()
}

impl Counts {
    fn kinds(&self) -> MutexGuard<'_, HashMap<Kind, Seen>> {
        // Numbers stay right whoever panicked beside them.
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_of(&self, kind: &Kind) {
        let times = match self.kinds().get_mut(kind) {
            Some(seen) => std::mem::take(&mut seen.held_back),
            None => 0,
        };
        if times > 0 {
            (self.tell)(kind, times);
        }
    }
}

/// Tells the numbers that are still held back when the server ends.
impl Drop for Counts {
    fn drop(&mut self) {
        for (kind, seen) in self.kinds().drain() {
            if seen.held_back > 0 {
                (self.tell)(&kind, seen.held_back);
            }
        }
    }
}

fn tell(kind: &Kind, times: u64) {
    tracing::warn!(
        name: "refused_again",
        outcome = kind.outcome,
        source = kind.source.as_deref().unwrap_or("-"),
        times,
        reason = kind.reason,
        "more were refused for the same reason within a second; they are counted, not told one by one",
    );
}

#[cfg(test)]
mod tests;
