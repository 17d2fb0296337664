//! The section `[archive]`: where `serve` archives what the embedded queue takes.

use super::duration::parse_duration;
use super::error::ConfigError;
use super::value_checks::not_empty;
use serde::Deserialize;
use std::time::Duration;

const DEFAULT_EVERY: Duration = Duration::from_secs(60);

/// Each round makes a file for each source. More of them make no archive better, and cost a request each.
const LEAST_EVERY: Duration = Duration::from_secs(1);

/// Long enough for somebody to come back from a holiday, and to mend a bucket's permissions.
const DEFAULT_HOLD: Duration = Duration::from_secs(7 * 24 * 3600);

/// Settings of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArchiveConfig {
    /// URL of the store. Relative to the configuration.
    pub url: String,
    /// Pause between two rounds.
    pub every: Duration,
    /// Time for which an event that is not archived yet is kept longer than others.
    pub hold: Duration,
}

/// The section in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Archive {
    url: String,
    every: Option<String>,
    hold: Option<String>,
}

impl Archive {
    pub(super) fn checked(self, origin: &str) -> Result<ArchiveConfig, ConfigError> {
        let duration =
            |key: &str, text: Option<String>, default: Duration| -> Result<_, ConfigError> {
                let key = format!("archive.{key}");
                let Some(text) = text else {
                    return Ok(default);
                };
                let wrong = |cure| ConfigError::new(origin, &key, "is not a length of time", cure);
                let length = parse_duration(&text).map_err(wrong)?;
                if length >= LEAST_EVERY {
                    return Ok(length);
                }
                let cure = "write 1s or more, or remove it";
                Err(ConfigError::new(
                    origin,
                    &key,
                    "is less than a second",
                    cure,
                ))
            };
        Ok(ArchiveConfig {
            every: duration("every", self.every, DEFAULT_EVERY)?,
            hold: duration("hold", self.hold, DEFAULT_HOLD)?,
            url: not_empty(origin, "archive.url", self.url)?,
        })
    }
}
