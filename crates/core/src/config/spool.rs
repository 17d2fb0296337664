//! The section `[spool]`: what becomes of bodies that are too large for the memory.

use super::error::ConfigError;
use super::value_checks::{not_empty, number, positive};
use super::variables::Lookup;
use serde::Deserialize;
use std::time::Duration;

/// Larger bodies are spooled when nothing is configured.
pub const DEFAULT_SPOOL_THRESHOLD: u64 = 1024 * 1024;

/// Bytes that all spooled bodies together may occupy when nothing is configured.
pub const DEFAULT_SPOOL_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// In a spooled body the next byte comes within this. Shorter than a body in memory may take as a whole:
/// a sender that has begun to send a large one has it at hand.
const DEFAULT_IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// A sender of a large body that is slower for long holds what others could use: 8 Mbit/s.
const DEFAULT_MIN_BYTES_PER_SECOND: u64 = 1024 * 1024;

/// Settings of the spool, as configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolConfig {
    /// Directory.
    pub dir: Option<String>,
    pub(super) threshold_bytes: Option<u64>,
    pub(super) max_bytes: Option<u64>,
    pub(super) idle_timeout: Option<Duration>,
    pub(super) min_bytes_per_second: Option<u64>,
}

impl SpoolConfig {
    /// Larger bodies are spooled.
    pub fn threshold_bytes(&self) -> u64 {
        self.threshold_bytes.unwrap_or(DEFAULT_SPOOL_THRESHOLD)
    }

    /// Bytes that all spooled bodies together may occupy.
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes.unwrap_or(DEFAULT_SPOOL_BYTES)
    }

    pub(crate) fn idle_timeout(&self) -> Duration {
        self.idle_timeout.unwrap_or(DEFAULT_IDLE_TIMEOUT)
    }

    pub(crate) fn min_bytes_per_second(&self) -> u64 {
        let least = self.min_bytes_per_second;
        least.unwrap_or(DEFAULT_MIN_BYTES_PER_SECOND).max(1)
    }

    /// Settings of the environment win over the file's.
    pub(super) fn apply(&mut self, lookup: Lookup<'_>) -> Result<(), ConfigError> {
        if let Some(dir) = lookup.text("LABELRELAY_SPOOL_DIR")? {
            self.dir = Some(dir);
        }
        if let Some(bytes) = number(lookup, "LABELRELAY_SPOOL_THRESHOLD_BYTES")? {
            self.threshold_bytes = Some(bytes);
        }
        if let Some(bytes) = number(lookup, "LABELRELAY_SPOOL_MAX_BYTES")? {
            self.max_bytes = Some(bytes);
        }
        Ok(())
    }
}

/// The section in the file.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Spool {
    dir: Option<String>,
    threshold_bytes: Option<u64>,
    max_bytes: Option<u64>,
    idle_timeout_ms: Option<u64>,
    min_bytes_per_s: Option<u64>,
}

impl Spool {
    pub(super) fn checked(self, origin: &str) -> Result<SpoolConfig, ConfigError> {
        let number = |key: &str, number: Option<u64>| {
            let key = format!("spool.{key}");
            number
                .map(|number| positive(origin, &key, number))
                .transpose()
        };
        let dir = self.dir.map(|dir| not_empty(origin, "spool.dir", dir));
        Ok(SpoolConfig {
            dir: dir.transpose()?,
            threshold_bytes: number("threshold_bytes", self.threshold_bytes)?,
            max_bytes: number("max_bytes", self.max_bytes)?,
            idle_timeout: number("idle_timeout_ms", self.idle_timeout_ms)?
                .map(Duration::from_millis),
            min_bytes_per_second: number("min_bytes_per_s", self.min_bytes_per_s)?,
        })
    }
}
