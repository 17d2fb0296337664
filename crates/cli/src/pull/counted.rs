//! Counts what a run finds, beside showing it.

use super::progress::Shown;
use crate::pull_counts::PullCounts;
use jiff::Timestamp;
use labelrelay_reconcile::{Progress, Project};

pub(super) struct Counted<'a> {
    pub(super) shown: Shown,
    pub(super) counts: &'a PullCounts,
}

impl Progress for Counted<'_> {
    fn project(&self, project: &Project) {
        self.shown.project(project);
    }

    fn scanned(&self, entities: u64) {
        self.shown.scanned(entities);
    }

    fn sent(&self, events: u64) {
        self.shown.sent(events);
        self.counts.sent(events);
    }

    fn undelivered(&self, events: u64) {
        self.counts.undelivered(events);
    }

    fn changed(&self, time: Timestamp) {
        self.counts.changed(time);
    }

    fn warn(&self, warning: &str) {
        self.shown.warn(warning);
    }
}
