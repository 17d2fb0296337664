//! Time since each source last delivered something: so that somebody hears of a webhook that is gone.

use super::ages::encode_ages;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// The last delivery of each source; the start, as long as there was none.
#[derive(Debug, Clone, Default)]
pub(super) struct Silence(Arc<Mutex<BTreeMap<String, Instant>>>);

impl Silence {
    /// A source from which deliveries are expected from now on.
    pub(super) fn expect(&self, source: &str) {
        self.at(|last| {
            last.insert(source.to_owned(), Instant::now());
        });
    }

    /// A verified delivery. What is not expected is no source of ours.
    pub(super) fn broken(&self, source: &str) {
        self.at(|last| {
            if let Some(last) = last.get_mut(source) {
                *last = Instant::now();
            }
        });
    }

    fn at(&self, change: impl FnOnce(&mut BTreeMap<String, Instant>)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Collector for Silence {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let all = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if all.is_empty() {
            return Ok(());
        }
        encode_ages(
            &mut encoder,
            "last_delivery_age_seconds",
            "Time since the last verified delivery of a source; since the start, as long as there was none",
            all.iter().map(|(source, last)| (source, *last)),
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::admin::Metrics;
    use labelrelay_core::{Observer as _, Outcome, Report};

    fn report(source: &str, outcome: Outcome) -> Report {
        let mut report = Report::refused(outcome, String::new(), None);
        report.source = Some(source.to_owned());
        report
    }

    fn age(metrics: &Metrics) -> f64 {
        let text = metrics.encode();
        let name = "labelrelay_last_delivery_age_seconds{source=\"studio\"} ";
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().parse().unwrap()
    }

    #[test]
    fn only_a_verified_delivery_breaks_the_silence() {
        let metrics = Metrics::new();
        assert!(!metrics.encode().contains("last_delivery"));
        metrics.expect_deliveries("studio");
        while age(&metrics) < 0.03 {
            std::thread::yield_now();
        }
        metrics.request(&report("studio", Outcome::Unauthorized));
        metrics.request(&report("other", Outcome::Accepted));
        let before = age(&metrics);
        assert!(before >= 0.03, "{before}");
        metrics.request(&report("studio", Outcome::Filtered));
        assert!(age(&metrics) < before);
        assert!(!metrics.encode().contains("age_seconds{source=\"other\"}"));
    }
}
