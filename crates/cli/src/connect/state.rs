//! A platform's webhooks as they are, for `labelrelay status`, and how the commands that mend them find both again.

use super::changes::Changes;
use super::rotation::Rotatable;
use labelrelay_core::config::{Config, SourceConfig};
use labelrelay_reconcile::PlatformError;
use std::future::Future;
use std::path::Path;
use std::time::Duration;

/// Time for all answers together.
const PATIENCE: Duration = Duration::from_secs(10);

/// State of a platform's webhooks for the deliveries of a source.
pub(crate) struct State {
    /// The platform, and who we are there.
    pub(crate) server: String,
    /// Number of projects that have a webhook which delivers here.
    pub(crate) webhooks: String,
    /// Reasons for which events stay away, each with its cure.
    pub(crate) warnings: Vec<String>,
    /// Changes there, compared with the events that the queue got; `None` if they cannot be compared.
    pub(crate) changes: Option<Changes>,
}

/// Result of `asking`, unless `server` keeps everybody waiting.
pub(super) async fn within_patience(
    server: &str,
    asking: impl Future<Output = Result<State, PlatformError>>,
) -> Result<State, String> {
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(asked) => asked.map_err(|error| error.to_string()),
        Err(_) => Err(format!(
            "{server} did not answer within {} s: see that it runs, and that this machine reaches it",
            PATIENCE.as_secs()
        )),
    }
}

/// Words about a secret that is nowhere yet.
pub(super) fn no_secret(rotatable: &Rotatable) -> String {
    format!(
        "there is no secret in {}: `labelrelay connect` makes one",
        rotatable.reference()
    )
}

/// Options with which a command finds `source` and its configuration again; a blank before each.
pub(super) fn options(config: &Config, source: &SourceConfig, file: Option<&Path>) -> String {
    let mut options = String::new();
    let same = |one: &&SourceConfig| one.provider == source.provider;
    if config.sources.iter().filter(same).count() > 1 {
        options.push_str(" --source ");
        options.push_str(&source.name);
    }
    if let Some(file) = file {
        options.push_str(" --config ");
        options.push_str(&as_word(&file.display().to_string()));
    }
    options
}

/// An option of a command that is printed, with its value as one word; a blank before it. Nothing without a value.
pub(crate) fn option(name: &str, value: Option<&str>) -> String {
    value.map_or_else(String::new, |value| format!(" {name} {}", as_word(value)))
}

/// Text as one word of a shell's command line.
pub(super) fn as_word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-:".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
