//! Moves events from the fallback into the queue, for as long as `serve` runs.

use super::observed_queue::ObservedQueue;
use crate::locations::{self, StoreLocation};
use labelrelay_core::Relay;
use labelrelay_core::config::Config;
use labelrelay_core::fallback::Redriven;
use labelrelay_startup::redrive::{report, run};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Pause between two looks at an empty fallback; the longest that an event waits there once the queue works.
const IDLE: Duration = Duration::from_secs(5);

/// Pauses while the queue does not take what waits: doubled up to a minute, so that a queue that is down
/// is not kept down by those who wait for it; spread, because they began to wait together.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// One round takes no longer, so that its result is logged. What is under way then is broken off and begun again, so
/// it is more than the largest body takes.
const ROUND: Duration = Duration::from_secs(10 * 60);

/// Name of the work for those who share the fallback with us: a cloud's store is one to all, a directory is each
/// machine's own.
pub(super) fn shared_work(config: &Config) -> Option<String> {
    let location = locations::store(config.fallback.as_deref()?, Path::new("")).ok()?;
    let is_shared = matches!(location, StoreLocation::Cloud(..));
    is_shared.then(|| format!("redrive {location}"))
}

/// With `shared`, one of all replicas moves them at a time, where the queue sees to that.
pub(super) async fn keep_moving(
    relay: Arc<Relay>,
    shared: Option<String>,
    stop: impl Future<Output = ()>,
) {
    let rounds = async {
        let mut pause = FIRST_PAUSE;
        loop {
            pause = match round(&relay, shared.as_deref()).await {
                // There may be more.
                Some(done) if done.moved > 0 && !done.complete => Duration::ZERO,
                Some(done) if done.failed == 0 => IDLE,
                _ => (pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE),
            };
            tokio::time::sleep(relay.parts().entropy.spread(pause)).await;
        }
    };
    if relay.parts().fallback.is_some() {
        tokio::select! {
            () = rounds => {}
            () = stop => {}
        }
    }
}

/// `None` when the fallback cannot be read.
async fn round(relay: &Arc<Relay>, shared: Option<&str>) -> Option<Redriven> {
    let parts = relay.parts();
    let fallback = parts.fallback.as_deref()?;
    let _lease = match shared {
        None => None,
        Some(work) => match parts.queue.lease(work).await {
            Ok(Some(lease)) => Some(lease),
            Ok(None) => return Some(Redriven::default()),
            // The queue says what is wrong with it when it is sent to. An event that is moved twice has one id.
            Err(_) => None,
        },
    };
    let begun = parts.clock.monotonic();
    let (queue, blobs) = (ObservedQueue(Arc::clone(relay)), parts.blobs.as_deref());
    let (traces, until) = (parts.traces.as_deref(), begun + ROUND);
    let moved = run(fallback, &queue, blobs, traces, &*parts.clock, until).await;
    let done = moved.ok()?;
    if done.moved > 0 {
        report(&done, parts.clock.monotonic().saturating_sub(begun));
    }
    Some(done)
}
