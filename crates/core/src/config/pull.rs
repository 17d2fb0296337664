//! The section `[source.pull]`: how `serve` fetches by itself what happened on the platform.

use super::duration::parse_duration;
use super::error::ConfigError;
use super::secret_reference::SecretRef;
use super::value_checks::{not_empty, parse_time};
use jiff::Timestamp;
use serde::Deserialize;
use std::path::Path;
use std::time::Duration;

/// Each run asks the platform for its changes and its counts: more often than this serves nobody.
const LEAST_EVERY: Duration = Duration::from_secs(1);

/// Time before the end of the last run at which a run begins when nothing is configured: for what is committed later
/// than its time says.
pub const DEFAULT_OVERLAP: Duration = Duration::from_secs(10 * 60);

/// Settings by which `serve` fetches by itself what happened on a source's platform.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PullConfig {
    /// Pause between two runs.
    pub every: Duration,
    /// URL of the platform; `None` is the public one of Labelbox, and for Label Studio not known.
    pub url: Option<String>,
    /// Reference to the token; `None` is the platform's usual variable.
    pub token: Option<SecretRef>,
    /// Projects to look through; empty: all that the token sees.
    pub projects: Vec<String>,
    /// Projects that were deleted, as the operator says.
    pub deleted_projects: Vec<String>,
    /// Changes before this are recorded, and not sent.
    pub since: Option<Timestamp>,
    /// Time before the end of the last run at which a run begins.
    pub overlap: Duration,
    /// Requests a second, at most.
    pub rate: Option<f64>,
    /// URL of the store that keeps the ledger, where the queue is no file; `None`: a file of this machine.
    pub ledger: Option<String>,
}

impl PullConfig {
    /// Settings of a pull of which only the pause is given.
    pub(super) fn new(every: Duration) -> Self {
        Self {
            every,
            url: None,
            token: None,
            projects: Vec::new(),
            deleted_projects: Vec::new(),
            since: None,
            overlap: DEFAULT_OVERLAP,
            rate: None,
            ledger: None,
        }
    }
}

/// The section in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PullTable {
    every: String,
    url: Option<String>,
    token: Option<String>,
    #[serde(default)]
    projects: Vec<ProjectId>,
    #[serde(default)]
    deleted_projects: Vec<ProjectId>,
    since: Option<String>,
    overlap: Option<String>,
    rate: Option<f64>,
    ledger: Option<String>,
}

/// A project's id, in quotes or, where it is a number, without.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum ProjectId {
    Text(String),
    Number(u64),
}

impl PullTable {
    /// `name` is the source's.
    pub(super) fn checked(
        self,
        origin: &str,
        name: &str,
        base_dir: &Path,
    ) -> Result<PullConfig, ConfigError> {
        let key = |key: &str| format!("source.{name}.pull.{key}");
        let duration = |name: &str, text: &str| {
            parse_duration(text).map_err(|cure| {
                ConfigError::new(origin, &key(name), "is not a length of time", cure)
            })
        };
        let token = self
            .token
            .map(|text| SecretRef::parse(&text, base_dir, origin, &key("token")));
        let since = self
            .since
            .map(|text| parse_time(origin, &key("since"), &text));
        let overlap = self.overlap.map(|text| duration("overlap", &text));
        let ledger = self
            .ledger
            .map(|url| not_empty(origin, &key("ledger"), url));
        let url = self.url.map(|url| url_of(origin, &key("url"), &url));
        if self
            .rate
            .is_some_and(|rate| !(rate.is_finite() && rate > 0.0))
        {
            let cure = "write a number, such as 5 or 0.5, or remove it";
            return Err(ConfigError::new(
                origin,
                &key("rate"),
                "must be more than 0",
                cure,
            ));
        }
        Ok(PullConfig {
            every: at_least(origin, &key("every"), duration("every", &self.every)?)?,
            url: url.transpose()?,
            token: token.transpose()?,
            projects: ids(origin, &key("projects"), self.projects)?,
            deleted_projects: ids(origin, &key("deleted_projects"), self.deleted_projects)?,
            since: since.transpose()?,
            overlap: overlap.transpose()?.unwrap_or(DEFAULT_OVERLAP),
            rate: self.rate,
            ledger: ledger.transpose()?,
        })
    }
}

pub(super) fn at_least(origin: &str, key: &str, every: Duration) -> Result<Duration, ConfigError> {
    if every >= LEAST_EVERY {
        return Ok(every);
    }
    let cure = "write 1s or more: each run asks the platform";
    Err(ConfigError::new(origin, key, "is too short", cure))
}

pub(super) fn ids(
    origin: &str,
    key: &str,
    ids: Vec<ProjectId>,
) -> Result<Vec<String>, ConfigError> {
    let id = |id| match id {
        ProjectId::Text(text) => not_empty(origin, key, text),
        ProjectId::Number(number) => Ok(number.to_string()),
    };
    ids.into_iter().map(id).collect()
}

/// A server's URL, without a slash at its end. The error does not repeat it: somebody may have written a password.
pub(super) fn url_of(origin: &str, key: &str, text: &str) -> Result<String, ConfigError> {
    let wrong = |problem: &str, cure: &str| Err(ConfigError::new(origin, key, problem, cure));
    let url = text.trim().trim_end_matches('/');
    if !(url.starts_with("http://") || url.starts_with("https://")) {
        return wrong("is not a URL", "write http://HOST:PORT or https://HOST");
    }
    if url.contains('@') {
        return wrong(
            "has a user or a password in it",
            "write http://HOST:PORT, and where the token is in `token`",
        );
    }
    if url.contains(['?', '#']) {
        return wrong("has a query or a fragment", "end it before any `?` or `#`");
    }
    Ok(url.to_owned())
}
