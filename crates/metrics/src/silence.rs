//! Time since each source last delivered something: so that somebody hears of a webhook that is gone.

use crate::ages::encode_ages;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// The last delivery of each source.
#[derive(Debug, Clone, Default)]
pub(crate) struct Silence(Arc<Mutex<BTreeMap<String, Last>>>);

/// The last delivery of a source.
#[derive(Debug, Clone, Copy, Default)]
struct Last {
    /// The start, as long as there was none. `None` for a source that may never deliver, until it does: nobody shall be
    /// woken up because events come by another way.
    since: Option<Instant>,
    has_delivered: bool,
}

impl Silence {
    /// A source from which deliveries are expected from now on.
    pub(crate) fn expect(&self, source: &str) {
        self.at(|all| {
            let last = Last {
                since: Some(Instant::now()),
                has_delivered: false,
            };
            all.insert(source.to_owned(), last);
        });
    }

    /// A source that may deliver from now on, and need not. Its first delivery makes it one from which others are
    /// expected, also if it came before.
    pub(crate) fn allow(&self, source: &str) {
        self.at(|all| {
            let last = all.entry(source.to_owned()).or_default();
            if !last.has_delivered {
                last.since = None;
            }
        });
    }

    /// A verified delivery. What is not expected is no source of ours.
    pub(crate) fn broken(&self, source: &str) {
        self.at(|all| {
            if let Some(last) = all.get_mut(source) {
                *last = Last {
                    since: Some(Instant::now()),
                    has_delivered: true,
                };
            }
        });
    }

    fn at(&self, change: impl FnOnce(&mut BTreeMap<String, Last>)) {
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
        let ages = || {
            let known = |(source, last): (_, &Last)| Some((source, last.since?));
            all.iter().filter_map(known)
        };
        if ages().next().is_none() {
            return Ok(());
        }
        encode_ages(
            &mut encoder,
            "last_delivery_age_seconds",
            "Time since the last verified delivery of a source; since the start, as long as there was none. Absent for a source that pulls, until something was delivered",
            ages(),
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::Metrics;
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
        // Between the two, a busy machine may do something else for as long.
        let is_broken = (0..1000).any(|_| {
            metrics.request(&report("studio", Outcome::Filtered));
            age(&metrics) < before
        });
        assert!(is_broken);
        assert!(!metrics.encode().contains("age_seconds{source=\"other\"}"));
    }

    #[test]
    fn a_source_that_need_not_deliver_is_silent_only_after_it_did() {
        let metrics = Metrics::new();
        metrics.allow_deliveries("studio");
        metrics.request(&report("studio", Outcome::Unauthorized));
        assert!(!metrics.encode().contains("last_delivery"));
        metrics.request(&report("studio", Outcome::Accepted));
        let since_then = age(&metrics);
        assert!(since_then >= 0.0, "{since_then}");
        // A pull that begins beside a webhook that works does not hide its end.
        metrics.allow_deliveries("studio");
        assert!(age(&metrics) >= since_then);
    }
}
