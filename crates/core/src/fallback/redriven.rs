//! Result of a redrive.

use crate::queue::QueueError;

/// Result of a redrive.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Redriven {
    /// Events that are on the queue now and no longer in the fallback.
    pub moved: u64,
    /// Events that stayed, and why; at most [`MAX_REASONS`] of them are told.
    pub stuck: Vec<(String, String)>,
    /// Number of events that were tried and stayed.
    pub failed: u64,
    /// `true` if all that was there was looked at; `false` when the queue kept failing or the time was up.
    pub complete: bool,
    /// Why the queue did not take an event, the last time that it did not.
    pub queue_error: Option<QueueError>,
}

/// Reasons that [`Redriven::stuck`] tells; the rest is only counted.
pub const MAX_REASONS: usize = 10;

impl Redriven {
    /// Counts an event that stayed.
    pub(super) fn keep(&mut self, key: String, reason: String) {
        self.failed += 1;
        if self.stuck.len() < MAX_REASONS {
            self.stuck.push((key, reason));
        }
    }
}
