//! Progress of runs that nobody watches: figures, and each warning once.

use jiff::Timestamp;
use labelrelay_core::Clock;
use labelrelay_http::admin::Metrics;
use labelrelay_reconcile::Progress;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Warnings that are remembered. With more, some are told again.
const MOST: usize = 1000;

pub(super) struct Told {
    source: String,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    warnings: Mutex<HashSet<String>>,
}

impl Told {
    pub(super) fn new(source: &str, metrics: Arc<Metrics>, clock: Arc<dyn Clock>) -> Self {
        Self {
            source: source.to_owned(),
            metrics,
            clock,
            warnings: Mutex::default(),
        }
    }
}

impl Progress for Told {
    fn sent(&self, events: u64) {
        self.metrics.pull_found(&self.source, events);
    }

    fn undelivered(&self, events: u64) {
        self.metrics.pull_undelivered(&self.source, events);
    }

    fn changed(&self, time: Timestamp) {
        let age = self.clock.now().duration_since(time);
        // One that lies ahead is of a clock that differs.
        let age = Duration::try_from(age).unwrap_or_default();
        self.metrics.platform_changed(&self.source, age);
    }

    fn warn(&self, warning: &str) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if warnings.contains(warning) {
            return;
        }
        if warnings.len() >= MOST {
            warnings.clear();
        }
        warnings.insert(warning.to_owned());
        drop(warnings);
        tracing::warn!(name: "pull_warning", source = self.source, "{warning}");
    }
}
