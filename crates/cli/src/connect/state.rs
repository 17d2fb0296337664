//! A platform's webhooks as they are, for `labelrelay status`, and the command that mends them.

use super::changes::Changes;
use labelrelay_core::config::{Config, SourceConfig};
use labelrelay_reconcile::PlatformError;
use std::future::Future;
use std::path::Path;
use std::time::Duration;

/// Time for all answers together.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a platform sees to the deliveries of a source.
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

/// The command that mends what is wrong on the platform of `source`, with what it needs to find both again.
pub(super) fn repair(config: &Config, source: &SourceConfig, file: Option<&Path>) -> String {
    let platform = source.provider;
    let mut command = format!("labelrelay connect {} --repair", platform.as_str());
    let same = |one: &&SourceConfig| one.provider == platform;
    if config.sources.iter().filter(same).count() > 1 {
        command.push_str(" --source ");
        command.push_str(&source.name);
    }
    if let Some(file) = file {
        let file = file.display().to_string();
        let is_plain = |c: char| c.is_alphanumeric() || "/._-".contains(c);
        command.push_str(" --config ");
        if file.chars().all(is_plain) {
            command.push_str(&file);
        } else {
            command.push('\'');
            command.push_str(&file.replace('\'', "'\\''"));
            command.push('\'');
        }
    }
    command
}
