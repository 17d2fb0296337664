//! Results of pulling from the platforms, as metrics: they show a pull that has ended, or one that brings nothing.

use crate::ages::encode_ages;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::ConstCounter;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Figures of one source.
#[derive(Debug, Clone, Copy)]
struct Figures {
    runs: u64,
    failures: u64,
    found: u64,
    undelivered: u64,
    /// The platform's newest change, as far as it was seen.
    changed: Option<Instant>,
    /// End of the last good run; the beginning, as long as there was none.
    good: Instant,
}

/// A count: its name, what it is, and where it is kept.
type Count = (&'static str, &'static str, fn(&Figures) -> u64);

const COUNTS: [Count; 4] = [
    (
        "pull_runs",
        "Looks through a platform that came to their end",
        |figures| figures.runs,
    ),
    (
        "pull_failures",
        "Looks through a platform that failed",
        |figures| figures.failures,
    ),
    (
        "pull_events",
        "Events that pulling found and the queue took",
        |figures| figures.found,
    ),
    (
        "pull_undelivered",
        "Of these, changes that a delivery should have brought, and none did",
        |figures| figures.undelivered,
    ),
];

/// The newest figures, by source.
#[derive(Debug, Clone, Default)]
pub(crate) struct PullState(Arc<Mutex<BTreeMap<String, Figures>>>);

impl PullState {
    pub(crate) fn began(&self, source: &str) {
        self.change(source, |_| {});
    }

    pub(crate) fn succeeded(&self, source: &str) {
        self.change(source, |figures| {
            figures.runs += 1;
            figures.good = Instant::now();
        });
    }

    pub(crate) fn failed(&self, source: &str) {
        self.change(source, |figures| figures.failures += 1);
    }

    pub(crate) fn found(&self, source: &str, events: u64) {
        self.change(source, |figures| figures.found += events);
    }

    pub(crate) fn undelivered(&self, source: &str, events: u64) {
        self.change(source, |figures| figures.undelivered += events);
    }

    pub(crate) fn changed(&self, source: &str, age: Duration) {
        // Nothing is older than the machine's own clock can say.
        let Some(changed) = Instant::now().checked_sub(age) else {
            return;
        };
        self.change(source, |figures| {
            figures.changed = figures.changed.max(Some(changed));
        });
    }

    fn change(&self, source: &str, change: impl FnOnce(&mut Figures)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let figures = all.entry(source.to_owned()).or_insert_with(|| Figures {
            runs: 0,
            failures: 0,
            found: 0,
            undelivered: 0,
            changed: None,
            good: Instant::now(),
        });
        change(figures);
    }
}

impl Collector for PullState {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let all = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if all.is_empty() {
            return Ok(());
        }
        for (name, help, value) in COUNTS {
            let kind = ConstCounter::new(0_u64).metric_type();
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for (source, figures) in &all {
                let labels = [("source", source.as_str())];
                ConstCounter::new(value(figures)).encode(family.encode_family(&labels)?)?;
            }
        }
        let good = all.iter().map(|(source, figures)| (source, figures.good));
        encode_ages(
            &mut encoder,
            "pull_last_success_age_seconds",
            "Time since a look through the platform last came to its end; since the start, as long as none did",
            good,
        )?;
        let changed = all.iter();
        encode_ages(
            &mut encoder,
            "platform_last_change_age_seconds",
            "Age of the newest annotation or label that a look through the platform saw, by the platform's clock; absent as long as it saw none",
            changed.filter_map(|(source, figures)| Some((source, figures.changed?))),
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::Metrics;
    use std::time::Duration;

    #[test]
    fn pulls_are_counted_by_source() {
        let metrics = Metrics::new();
        assert!(!metrics.encode().contains("pull_"));
        metrics.pull_began("studio");
        metrics.pull_succeeded("studio");
        metrics.pull_succeeded("studio");
        metrics.pull_failed("studio");
        metrics.pull_found("studio", 7);
        metrics.pull_undelivered("studio", 3);
        // The newest counts, in whatever order they are seen.
        for age in [40, 20, 30] {
            metrics.platform_changed("studio", Duration::from_secs(age));
        }
        metrics.pull_began("box");
        let text = metrics.encode();
        for line in [
            "labelrelay_pull_runs_total{source=\"studio\"} 2",
            "labelrelay_pull_failures_total{source=\"studio\"} 1",
            "labelrelay_pull_events_total{source=\"studio\"} 7",
            "labelrelay_pull_undelivered_total{source=\"studio\"} 3",
            "labelrelay_platform_last_change_age_seconds{source=\"studio\"} 2",
            "labelrelay_pull_runs_total{source=\"box\"} 0",
            "labelrelay_pull_last_success_age_seconds{source=\"box\"} ",
        ] {
            assert!(text.contains(line), "no {line} in {text}");
        }
        let of_box = "platform_last_change_age_seconds{source=\"box\"}";
        assert!(!text.contains(of_box), "{text}");
    }
}
