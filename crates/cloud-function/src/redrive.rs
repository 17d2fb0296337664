//! The job: moves what lies in the fallback into the queue, as often as its schedule says. No URL reaches
//! it, and it may do what the service may not: list, read and remove.

use crate::init::{BLOB_STORE, FALLBACK, QUEUE, at, required};
use labelrelay_core::config::{ConfigError, Lookup};
use labelrelay_core::fallback::{Redriven, redrive};
use labelrelay_core::{Clock, EventQueue as _};
use labelrelay_google::{GcsBlobStore, GcsFallback, Google, PubSubQueue};
use labelrelay_http::SystemClock;
use std::time::Duration;

/// One run ends after this long, below the ten minutes that Cloud Run gives a task unless told otherwise;
/// the next run goes on.
const TIME: Duration = Duration::from_secs(9 * 60);

/// The job's parts. It needs no source and no secret.
pub struct Redrive {
    queue: PubSubQueue,
    blobs: Option<GcsBlobStore>,
    fallback: GcsFallback,
}

impl Redrive {
    /// Opens what the variables name. Nothing is connected yet.
    ///
    /// # Errors
    /// [`ConfigError`] names the variable and the cure.
    pub fn open(google: &Google, lookup: Lookup<'_>) -> Result<Self, ConfigError> {
        let (queue, blobs) = (lookup.text(QUEUE)?, lookup.text(BLOB_STORE)?);
        let fallback = lookup.text(FALLBACK)?;
        Ok(Self {
            queue: google
                .queue(required(queue.as_deref(), QUEUE)?)
                .map_err(at(QUEUE))?,
            blobs: blobs
                .map(|url| google.blob_store(&url).map_err(at(BLOB_STORE)))
                .transpose()?,
            fallback: google
                .fallback(required(fallback.as_deref(), FALLBACK)?)
                .map_err(at(FALLBACK))?,
        })
    }

    /// Moves what it can; whether nothing is left. A job that leaves something behind has failed, so that
    /// somebody is told.
    pub async fn run(&self) -> bool {
        let clock = SystemClock::new();
        // An unreachable queue is better told of once than for every event.
        if let Err(error) = self.queue.check().await {
            tracing::error!(name: "redrive_queue", kind = error.kind.as_str(), reason = %error, "the queue takes nothing; all stays in the fallback");
            return false;
        }
        let blobs = self.blobs.as_ref().map(|blobs| blobs as _);
        let until = clock.monotonic() + TIME;
        match redrive(&self.fallback, &self.queue, blobs, &clock, until).await {
            Ok(done) => tell(&done),
            Err(error) => {
                tracing::error!(name: "fallback_unreadable", reason = %error, "the fallback cannot be listed");
                false
            }
        }
    }
}

fn tell(done: &Redriven) -> bool {
    for (key, reason) in &done.stuck {
        tracing::error!(name: "redrive_stuck", key, reason, "an event stays in the fallback");
    }
    if let Some(error) = &done.queue_error {
        tracing::error!(name: "redrive_queue", kind = error.kind.as_str(), reason = %error, "the queue did not take events from the fallback");
    }
    let is_empty = done.complete && done.failed == 0;
    tracing::info!(name: "redriven", moved = done.moved, failed = done.failed, complete = done.complete, "redriven");
    is_empty
}
