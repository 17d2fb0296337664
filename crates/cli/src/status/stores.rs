//! The stores, as `status` looks at them: whether the next start could make what is not there.

use crate::env::Env;
use crate::error::CliError;
use crate::locations::{self, StoreLocation};
use crate::open;
use labelrelay_core::config::Config;
use labelrelay_startup::{Name, Setting};
use std::path::Path;

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
