//! Latencies, kept in buckets whose width is under 2 % of their value.

use std::time::Duration;

/// Buckets for each doubling.
const STEPS: u64 = 64;

#[derive(Clone)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        // Up to 2^40 µs: no latency is cut off.
        Self {
            counts: vec![0; 35 * 64],
            total: 0,
        }
    }
}

impl Histogram {
    pub(crate) fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        let last = self.counts.len() - 1;
        if let Some(count) = self.counts.get_mut(bucket(micros).min(last)) {
            *count += 1;
            self.total += 1;
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
    }

    pub(crate) fn count(&self) -> u64 {
        self.total
    }

    /// The latency, in milliseconds, that `percent` of all are not above.
    #[expect(
        clippy::cast_precision_loss,
        reason = "microseconds of a benchmark are far below 2^52"
    )]
    pub(crate) fn percentile(&self, percent: u64) -> f64 {
        let rank = (self.total * percent).div_ceil(100).max(1);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return upper(index as u64) as f64 / 1000.0;
            }
        }
        0.0
    }
}

/// Values below 64 have a bucket each; above, each doubling has 64.
fn bucket(micros: u64) -> usize {
    let doubling = u64::from((micros | 1).ilog2()).saturating_sub(6);
    let index = if micros < STEPS {
        micros
    } else {
        doubling * STEPS + (micros >> doubling)
    };
    usize::try_from(index).unwrap_or(usize::MAX)
}

/// The largest value of a bucket.
fn upper(index: u64) -> u64 {
    if index < 2 * STEPS {
        return index;
    }
    let doubling = index / STEPS - 1;
    ((index - doubling * STEPS + 1) << doubling) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lies_in_a_bucket_that_ends_at_most_two_percent_above_it() {
        for micros in (0..2000).chain((11..30).map(|shift| (1 << shift) + 12345)) {
            let end = upper(bucket(micros) as u64);
            assert!(
                end >= micros && (end - micros) * 50 <= micros.max(1),
                "{micros} in a bucket up to {end}"
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
}
