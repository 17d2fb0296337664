//! The stores, as `status` looks at them: whether the next start could make what is not there, and whether pulls could
//! save their ledgers beside the queue.

use crate::clouds::Cloud;
use crate::env::Env;
use crate::error::CliError;
use crate::locations::{self, QueueLocation, StoreLocation};
use crate::open;
use labelrelay_core::Clock;
use labelrelay_core::config::{Config, SourceConfig};
use labelrelay_startup::{Name, QUEUE, Setting, SystemClock};
use std::path::Path;
use std::sync::Arc;

/// A store's URL, without a query: that may be a signature.
pub(super) fn checked(
    url: Option<&String>,
    name: Name,
    config: &Config,
    env: &Env<'_>,
) -> Result<Option<String>, CliError> {
    let Some(url) = url else {
        return Ok(None);
    };
    let at = open::setting(name, config, env);
    let location =
        locations::store(url, at.base_dir).map_err(|error| error.at(at.origin, at.key))?;
    check_directory(&location, at)?;
    Ok(Some(location.to_string()))
}

/// Why `serve` could not save the ledgers of its pulls in the queue's database, if it pulls and has them there.
pub(super) async fn ledger_fault(
    config: &Config,
    queue: &QueueLocation,
    env: &Env<'_>,
) -> Result<Option<String>, CliError> {
    let QueueLocation::Cloud(Cloud::Postgres, url) = queue else {
        return Ok(None);
    };
    let is_there = |source: &SourceConfig| {
        let pull = source.pull.as_ref();
        pull.is_some_and(|pull| pull.ledger.is_none())
    };
    if !config.sources.iter().any(is_there) {
        return Ok(None);
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let at = open::setting(QUEUE, config, env);
    let location = locations::ledger_in_postgres(url);
    let Some(store) = open::objects(&location, at, env, &clock, false).await? else {
        return Ok(None);
    };
    let checked = store.check().await;
    Ok(checked.err().map(|error| {
        format!(
            "`serve` cannot save the ledgers of its pulls: {}",
            error.message
        )
    }))
}

/// Refuses a directory that is not there and that the next start could not make.
pub(super) fn check_directory(location: &StoreLocation, at: Setting<'_>) -> Result<(), CliError> {
    let StoreLocation::Directory(directory) = location else {
        return Ok(());
    };
    directory_can_be_made(directory).map_err(|error| {
        CliError::config(format_args!(
            "{}: `{}`: {}: is not there and cannot be made ({error}); make it for the user of `serve`, or name another directory",
            at.origin,
            at.key,
            directory.display()
        ))
    })
}

/// Checks that the next start could make a directory that is not there: tried with a file that has no name, in what is
/// there of its path.
fn directory_can_be_made(directory: &Path) -> std::io::Result<()> {
    if directory.exists() {
        return Ok(());
    }
    match directory.ancestors().find(|parent| parent.exists()) {
        Some(parent) => tempfile::tempfile_in(parent).map(drop),
        None => Ok(()),
    }
}
