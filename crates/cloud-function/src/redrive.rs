//! The job: moves the fallback's events into the queue, on a schedule. No URL reaches
//! it, and it may do what the service may not: list, read and remove.

use labelrelay_startup::redrive::{Redrive, is_empty, report};
use std::time::Duration;

/// One run ends after this long, below the ten minutes that Cloud Run gives a task unless told otherwise;
/// the next run goes on.
const TIME: Duration = Duration::from_secs(9 * 60);

/// Moves what it can; whether nothing is left. A job that leaves something behind has failed, so that
/// somebody is told.
pub async fn run(redrive: &Redrive) -> bool {
    let clock = &*redrive.clock;
    // An unreachable queue is better told of once than for every event.
    if let Err(error) = redrive.queue.check().await {
        tracing::error!(name: "redrive_queue", kind = error.kind.as_str(), reason = %error, "the queue takes nothing; all stays in the fallback");
        return false;
    }
    let begun = clock.monotonic();
    let Ok(done) = redrive.run(begun + TIME).await else {
        return false;
    };
    report(&done, clock.monotonic().saturating_sub(begun));
    is_empty(&done)
}
