//! Samples of one duration: their median and their spread.

use crate::bench::report::median;
use std::time::Duration;

#[derive(Default, Clone)]
pub(super) struct Samples(Vec<f64>);

impl Samples {
    pub(super) fn add(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64() * 1000.0);
    }

    /// Adds milliseconds.
    pub(super) fn add_ms(&mut self, ms: f64) {
        self.0.push(ms);
    }

    /// Median, in ms.
    pub(super) fn median(&self) -> f64 {
        median(self.0.clone())
    }

    /// 10th and 90th percentile, in ms.
    pub(super) fn tenths(&self) -> (f64, f64) {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        let last = sorted.len().saturating_sub(1);
        (at(last / 10), at(last - last / 10))
    }

    /// Slowest, in ms.
    pub(super) fn max(&self) -> f64 {
        self.0.iter().copied().fold(f64::NAN, f64::max)
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_deciles_of_a_known_set() {
        let mut samples = Samples::default();
        (0..=100).rev().for_each(|ms| samples.add_ms(f64::from(ms)));
        assert!((samples.median() - 50.0).abs() < 1e-9);
        assert_eq!(samples.tenths(), (10.0, 90.0));
        assert_eq!(samples.count(), 101);
    }
}
