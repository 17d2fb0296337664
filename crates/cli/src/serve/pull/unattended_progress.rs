//! Progress of runs that nobody watches: figures, and each warning once.

use crate::pull_counts::PullCounts;
use jiff::Timestamp;
use labelrelay_core::Clock;
use labelrelay_http::admin::Metrics;
use labelrelay_reconcile::Progress;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Warnings that are remembered. With more, some are told again.
const MOST: usize = 1000;

pub(super) struct Told {
    source: String,
    counts: PullCounts,
    warnings: Mutex<HashSet<String>>,
}

impl Told {
    pub(super) fn new(source: &str, metrics: Arc<Metrics>, clock: Arc<dyn Clock>) -> Self {
        Self {
            source: source.to_owned(),
            counts: PullCounts::new(source, metrics, clock),
            warnings: Mutex::default(),
        }
    }
}

impl Progress for Told {
    fn sent(&self, events: u64) {
        self.counts.sent(events);
    }

    fn undelivered(&self, events: u64) {
        self.counts.undelivered(events);
    }

    fn changed(&self, time: Timestamp) {
        self.counts.changed(time);
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
