//! Random changes of a real platform: as many as a test makes, or as a campaign asks for and has time for.

use std::time::{Duration, Instant};

/// So many changes instead of the test's own.
const CHANGES: &str = "LABELRELAY_TEST_CHANGES";

/// Seconds that are left to the campaign, if it has a limit.
const SECONDS: &str = "LABELRELAY_TEST_SECONDS";

/// Numbers of the changes to make, from 1. They end early where the rest of the time is needed to check what was made.
#[derive(Debug)]
pub struct Changes {
    wanted: usize,
    made: usize,
    begun: Instant,
    time: Option<Duration>,
}

impl Changes {
    /// As many as the campaign says; `sample` in a test.
    pub fn or(sample: usize) -> Self {
        let number = |name: &str| {
            let value = std::env::var(name).ok()?;
            Some(
                value
                    .parse()
                    .unwrap_or_else(|_| panic!("{name} is no number")),
            )
        };
        let time = number(SECONDS).map(|seconds: u64| Duration::from_secs(seconds / 4 * 3));
        Self {
            wanted: number(CHANGES).map_or(sample, |wanted: u64| usize::try_from(wanted).unwrap()),
            made: 0,
            begun: Instant::now(),
            time,
        }
    }

    /// Says how many were made, of how many, and in which time.
    pub fn summary(&self) -> String {
        let Self { wanted, made, .. } = self;
        format!("{made} of {wanted} changes, {:.0?}", self.begun.elapsed())
    }
}

impl Iterator for Changes {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let is_over = self.time.is_some_and(|time| self.begun.elapsed() >= time);
        if is_over || self.made == self.wanted {
            return None;
        }
        self.made += 1;
        Some(self.made)
    }
}
