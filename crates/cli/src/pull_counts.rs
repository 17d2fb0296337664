//! What pulling from one source comes to, as metrics.

use jiff::Timestamp;
use labelrelay_core::Clock;
use labelrelay_http::admin::Metrics;
use std::sync::Arc;
use std::time::Duration;

/// The counts of one source.
pub(crate) struct PullCounts {
    source: String,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
}

impl PullCounts {
    pub(crate) fn new(source: &str, metrics: Arc<Metrics>, clock: Arc<dyn Clock>) -> Self {
        Self {
            source: source.to_owned(),
            metrics,
            clock,
        }
    }

    /// Runs begin: what is counted begins at 0.
    pub(crate) fn began(&self) {
        self.metrics.pull_began(&self.source);
    }

    /// A run came to its end, or failed.
    pub(crate) fn ended(&self, is_good: bool) {
        if is_good {
            self.metrics.pull_succeeded(&self.source);
        } else {
            self.metrics.pull_failed(&self.source);
        }
    }

    /// The queue took so many events.
    pub(crate) fn sent(&self, events: u64) {
        self.metrics.pull_found(&self.source, events);
    }

    /// So many of these should have been delivered.
    pub(crate) fn undelivered(&self, events: u64) {
        self.metrics.pull_undelivered(&self.source, events);
    }

    /// The platform changed something at this time, by its own clock.
    pub(crate) fn changed(&self, time: Timestamp) {
        let age = self.clock.now().duration_since(time);
        // One that lies ahead is of a clock that differs.
        let age = Duration::try_from(age).unwrap_or_default();
        self.metrics.platform_changed(&self.source, age);
    }
}
