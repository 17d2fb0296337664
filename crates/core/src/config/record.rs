//! The section `[serve.record]`: how much `serve` keeps of each delivery.

use super::error::ConfigError;
use super::value_checks::{not_empty, percent, positive};
use serde::Deserialize;
use std::time::Duration;

/// Whether deliveries are recorded where the configuration does not say.
const IS_ON_BY_DEFAULT: bool = true;

/// Settings of the record of deliveries, as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordConfig {
    /// `true` if deliveries are recorded.
    pub enabled: bool,
    /// `true` if that is the default, and nobody asked for it: where a record has no place, there is none then.
    pub is_default: bool,
    /// `true` if a page shows it.
    pub page: Option<bool>,
    /// Directory of a dataset whose state the page shows.
    pub dataset: Option<String>,
    /// File of the record; beside the embedded queue where none is named.
    pub file: Option<String>,
    /// Deliveries that a secret has vouched for.
    pub max_deliveries: Option<u64>,
    /// Bytes of these, without bodies.
    pub max_bytes: Option<u64>,
    /// Deliveries that no secret has vouched for.
    pub max_refused: Option<u64>,
    /// Bytes of these, without bodies.
    pub max_refused_bytes: Option<u64>,
    /// Bytes of bodies: of either kind of deliveries.
    pub max_bodies_bytes: Option<u64>,
    /// Most of its disk that the record takes, with its journal, in percent.
    pub max_disk_percent: Option<u64>,
    /// Deliveries are kept this long.
    pub max_age: Option<Duration>,
    /// Bytes of acknowledged events that the embedded queue keeps for longer, since deliveries refer to them; 0: none.
    pub keep_events_bytes: Option<u64>,
    /// `true` if the beginning of a body is kept that became no event.
    pub bodies: Option<bool>,
    /// `true` if secrets, addresses and query strings are blotted out of heads.
    pub blot_out: Option<bool>,
}

impl Default for RecordConfig {
    fn default() -> Self {
        Self {
            enabled: IS_ON_BY_DEFAULT,
            is_default: true,
            page: None,
            dataset: None,
            file: None,
            max_deliveries: None,
            max_bytes: None,
            max_refused: None,
            max_refused_bytes: None,
            max_bodies_bytes: None,
            max_disk_percent: None,
            max_age: None,
            keep_events_bytes: None,
            bodies: None,
            blot_out: None,
        }
    }
}

/// The section in the file.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    enabled: Option<bool>,
    page: Option<bool>,
    dataset: Option<String>,
    file: Option<String>,
    max_deliveries: Option<u64>,
    max_bytes: Option<u64>,
    max_refused: Option<u64>,
    max_refused_bytes: Option<u64>,
    max_bodies_bytes: Option<u64>,
    max_disk_percent: Option<u64>,
    max_age_s: Option<u64>,
    keep_events_bytes: Option<u64>,
    bodies: Option<bool>,
    blot_out: Option<bool>,
}

impl Record {
    pub(super) fn checked(self, origin: &str) -> Result<RecordConfig, ConfigError> {
        let number = |key: &str, number: Option<u64>| {
            let key = format!("serve.record.{key}");
            number
                .map(|number| positive(origin, &key, number))
                .transpose()
        };
        let text = |key: &str, text: Option<String>| {
            let key = format!("serve.record.{key}");
            text.map(|text| not_empty(origin, &key, text)).transpose()
        };
        Ok(RecordConfig {
            enabled: self.enabled.unwrap_or(IS_ON_BY_DEFAULT),
            is_default: self.enabled.is_none(),
            page: self.page,
            dataset: text("dataset", self.dataset)?,
            file: text("file", self.file)?,
            max_deliveries: number("max_deliveries", self.max_deliveries)?,
            max_bytes: number("max_bytes", self.max_bytes)?,
            max_refused: number("max_refused", self.max_refused)?,
            max_refused_bytes: number("max_refused_bytes", self.max_refused_bytes)?,
            max_bodies_bytes: number("max_bodies_bytes", self.max_bodies_bytes)?,
            max_disk_percent: self
                .max_disk_percent
                .map(|said| percent(origin, "serve.record.max_disk_percent", said))
                .transpose()?,
            max_age: number("max_age_s", self.max_age_s)?.map(Duration::from_secs),
            keep_events_bytes: self.keep_events_bytes,
            bodies: self.bodies,
            blot_out: self.blot_out,
        })
    }
}
