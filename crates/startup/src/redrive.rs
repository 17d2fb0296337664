//! Moves the fallback's events into the queue, and reports the result in the same form for all programs.

use crate::error::StartError;
use crate::open::{Claims, Open};
use crate::setting::{BLOB_STORE, CLAIM_CHECK, FALLBACK, QUEUE, Setting, TRACES};
use crate::traced_queue::traced;
use labelrelay_core::config::{ClaimCheckForm, ENVIRONMENT, misspelt};
use labelrelay_core::fallback::{MAX_ENVELOPE, Redriven, redrive_up_to};
use labelrelay_core::{BlobError, BlobStore, Clock, EventQueue, FallbackStore};
use std::sync::Arc;
use std::time::Duration;

/// Parts of a redrive: no source and no secret among them.
pub struct Redrive {
    /// The events' store.
    pub fallback: Arc<dyn FallbackStore>,
    /// Destination of the events.
    pub queue: Arc<dyn EventQueue>,
    /// The store for bodies that are too large for the queue.
    pub blobs: Option<Arc<dyn BlobStore>>,
    /// The store for traces of what the queue took.
    pub traces: Option<Arc<dyn FallbackStore>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Bytes of the largest envelope that there is memory for. A larger one stays, and is told of.
    pub max_envelope: u64,
}

impl Redrive {
    /// Opens what the variables name. Warns of those that are misspelt.
    ///
    /// # Errors
    /// [`StartError`] names the variable and the cure.
    pub async fn of_variables(open: &Open<'_>, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        for warning in misspelt(open.lookup, &[]) {
            tracing::warn!(name: "configuration_warning", "{warning}");
        }
        let at = |name| Setting::of_variable(name, open.cwd);
        let text = |name: crate::Name| open.lookup.text(name.variable);
        let (queue, blobs, fallback) = (text(QUEUE)?, text(BLOB_STORE)?, text(FALLBACK)?);
        let traces = match text(TRACES)? {
            Some(url) => Some(open.fallback_at(Some(&url), at(TRACES)).await?),
            None => None,
        };
        let claims = Claims {
            form: match text(CLAIM_CHECK)? {
                Some(word) => ClaimCheckForm::read(ENVIRONMENT, CLAIM_CHECK.variable, &word)?,
                None => ClaimCheckForm::default(),
            },
            at: at(CLAIM_CHECK),
            store: blobs.as_deref(),
            store_at: at(BLOB_STORE),
        };
        Ok(Self {
            queue: open.queue_at(queue.as_deref(), at(QUEUE), &claims).await?,
            blobs: open.blob_store_at(blobs.as_deref(), at(BLOB_STORE)).await?,
            fallback: open.fallback_at(fallback.as_deref(), at(FALLBACK)).await?,
            traces,
            clock,
            max_envelope: MAX_ENVELOPE,
        })
    }

    /// Moves what it can before `until`, of the monotonic clock. Logs what stays, and why.
    ///
    /// # Errors
    /// [`BlobError`], logged, when the fallback cannot be listed.
    pub async fn run(&self, until: Duration) -> Result<Redriven, BlobError> {
        let (fallback, queue) = (&*self.fallback, &*self.queue);
        let (blobs, traces) = (self.blobs.as_deref(), self.traces.as_deref());
        let most = self.max_envelope;
        run_up_to(fallback, queue, blobs, traces, &*self.clock, until, most).await
    }
}

/// Moves what it can before `until`, of the monotonic clock. Logs what stays, and why. What the queue takes leaves a trace,
/// if there is a store for traces.
///
/// # Errors
/// [`BlobError`], logged, when the fallback cannot be listed.
pub async fn run(
    fallback: &dyn FallbackStore,
    queue: &dyn EventQueue,
    blobs: Option<&dyn BlobStore>,
    traces: Option<&dyn FallbackStore>,
    clock: &dyn Clock,
    until: Duration,
) -> Result<Redriven, BlobError> {
    run_up_to(fallback, queue, blobs, traces, clock, until, MAX_ENVELOPE).await
}

async fn run_up_to(
    fallback: &dyn FallbackStore,
    queue: &dyn EventQueue,
    blobs: Option<&dyn BlobStore>,
    traces: Option<&dyn FallbackStore>,
    clock: &dyn Clock,
    until: Duration,
    most: u64,
) -> Result<Redriven, BlobError> {
    let done = if let Some(traces) = traces {
        let queue = traced(queue, traces, clock);
        redrive_up_to(fallback, &queue, blobs, clock, until, most).await
    } else {
        redrive_up_to(fallback, queue, blobs, clock, until, most).await
    };
    match &done {
        Ok(done) => tell(done),
        Err(error) => {
            tracing::error!(name: "fallback_unreadable", reason = %error, "the fallback cannot be listed; what waits there stays");
        }
    }
    done
}

fn tell(done: &Redriven) {
    for (key, reason) in &done.stuck {
        tracing::error!(name: "redrive_stuck", key, reason, "an event stays in the fallback");
    }
    if done.failed > done.stuck.len() as u64 {
        tracing::error!(name: "redrive_stuck", events = done.failed, "events stay in the fallback, these among them");
    }
    if let Some(error) = &done.queue_error {
        tracing::error!(name: "redrive_queue", kind = error.kind.as_str(), reason = %error, "the queue did not take events from the fallback");
    }
}

/// The last line of a run: how much was moved, and how much was not.
pub fn report(done: &Redriven, elapsed: Duration) {
    let elapsed_ms = elapsed.as_millis();
    tracing::info!(name: "redriven", moved = done.moved, failed = done.failed, complete = done.complete, elapsed_ms, "events moved from the fallback to the queue");
}

/// Tells whether the fallback is empty by now.
pub fn is_empty(done: &Redriven) -> bool {
    done.complete && done.failed == 0
}

#[cfg(test)]
mod tests;
