//! The second function: moves what lies in the fallback into the queue, as often as its schedule says.
//! No URL reaches it, and it may do what the first one may not: list, read and remove.

use crate::clock::moment;
use crate::telemetry::Telemetry;
use labelrelay_core::fallback::{Redriven, redrive};
use labelrelay_core::{BlobError, BlobStore, Clock, EventQueue, FallbackStore};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// It ends this long before Lambda would end it: time for what is under way, and for the report.
const MARGIN: Duration = Duration::from_secs(5);

/// Without a deadline, as in tests of the console's kind.
const DEFAULT_TIME: Duration = Duration::from_secs(60);

/// The function that a schedule starts.
pub struct Redrive {
    /// Where events are.
    pub fallback: Arc<dyn FallbackStore>,
    /// Where they go.
    pub queue: Arc<dyn EventQueue>,
    /// Where bodies go that are too large for the queue.
    pub blobs: Option<Arc<dyn BlobStore>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Where the report goes.
    pub telemetry: Arc<Telemetry>,
}

/// What one run did: the function's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// Events that are on the queue now.
    pub moved: u64,
    /// Events that are known to lie in the fallback still.
    pub left: u64,
}

impl Redrive {
    /// Moves what it can before `deadline`, in milliseconds since 1970.
    ///
    /// # Errors
    /// [`BlobError`] when the fallback cannot be listed; Lambda counts that as an error of the function.
    pub async fn invoke(&self, deadline: u64) -> Result<Moved, BlobError> {
        let begun = self.clock.monotonic();
        let until = match moment(&*self.clock, deadline) {
            Some(end) => end
                .saturating_sub(MARGIN)
                .max(begun + end.saturating_sub(begun) / 2),
            None => begun + DEFAULT_TIME,
        };
        let blobs = self.blobs.as_deref();
        let run = redrive(&*self.fallback, &*self.queue, blobs, &*self.clock, until);
        let elapsed = |clock: &dyn Clock| clock.monotonic().saturating_sub(begun);
        match run.await {
            Ok(done) => {
                let moved = Moved {
                    moved: done.moved,
                    left: left(&done),
                };
                Self::tell(&done);
                self.telemetry
                    .redriven(moved.moved, moved.left, elapsed(&*self.clock));
                Ok(moved)
            }
            Err(error) => {
                tracing::error!(name: "fallback_unreadable", reason = %error, "the fallback cannot be listed");
                Err(error)
            }
        }
    }

    fn tell(done: &Redriven) {
        for (key, reason) in &done.stuck {
            tracing::error!(name: "redrive_stuck", key, reason, "an event stays in the fallback");
        }
        if let Some(error) = &done.queue_error {
            tracing::error!(name: "redrive_queue", kind = error.kind.as_str(), reason = %error, "the queue did not take events from the fallback");
        }
    }
}

/// What lies in the fallback for certain: what was tried, and one more where it was not all looked at.
fn left(done: &Redriven) -> u64 {
    done.failed + u64::from(!done.complete && done.failed == 0)
}
