//! Latencies of a benchmark, in microseconds with two digits that count.

use std::time::Duration;

#[derive(Clone)]
pub(crate) struct Histogram(hdrhistogram::Histogram<u64>);

impl Default for Histogram {
    fn default() -> Self {
        let histogram = hdrhistogram::Histogram::new(2);
        Self(histogram.unwrap_or_else(|_| unreachable!("two digits are within the bounds")))
    }
}

impl Histogram {
    pub(crate) fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        // It grows with what it is given: no latency is cut off.
        let _always_fits = self.0.record(micros);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        // It grows as well, so the sum always fits.
        let _always_fits = self.0.add(&other.0);
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// The latency, in milliseconds, that `percent` of all are not above.
    #[expect(
        clippy::cast_precision_loss,
        reason = "microseconds of a benchmark are far below 2^52"
    )]
    pub(crate) fn percentile(&self, percent: u64) -> f64 {
        let quantile = percent as f64 / 100.0;
        self.0.value_at_quantile(quantile) as f64 / 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_at_most_two_percent_above_what_was_recorded() {
        for micros in (0_u32..2000).chain((11..30).map(|shift| (1 << shift) + 12345)) {
            let mut histogram = Histogram::default();
            histogram.record(Duration::from_micros(micros.into()));
            let ms = histogram.percentile(100);
            let recorded = f64::from(micros) / 1000.0;
            assert!(
                (recorded..=recorded * 1.02).contains(&ms),
                "{micros} us are {ms} ms"
            );
        }
    }

    #[test]
    fn percentiles_of_a_known_set() {
        let mut histogram = Histogram::default();
        (1..=100).for_each(|ms| histogram.record(Duration::from_millis(ms)));
        assert!((49.9..51.1).contains(&histogram.percentile(50)));
        assert!((98.9..101.0).contains(&histogram.percentile(99)));
        assert!((99.9..102.1).contains(&histogram.percentile(100)));
    }

    #[test]
    fn merged_counts_add_up() {
        let (mut one, mut other) = (Histogram::default(), Histogram::default());
        one.record(Duration::from_millis(1));
        other.record(Duration::from_secs(100));
        one.merge(&other);
        assert_eq!(one.count(), 2);
        assert!(one.percentile(100) >= 100_000.0);
    }
}
