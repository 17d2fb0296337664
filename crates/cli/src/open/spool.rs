//! Spool for large bodies while they arrive.

use super::missing_directory::MissingDirectory;
use super::setting;
use crate::env::Env;
use crate::error::CliError;
use crate::locations::{self, StoreLocation};
use labelrelay_core::Spool;
use labelrelay_core::config::Config;
use labelrelay_startup::{BLOB_STORE, SPOOL_DIR, spool};
use std::path::PathBuf;
use std::sync::Arc;

/// Opens the spool, and makes its directory where there is none. `None` where nobody named one and there is
/// none to write to: all bodies are in memory then.
pub(super) fn open(config: &Config, env: &Env<'_>) -> Result<Option<Arc<dyn Spool>>, CliError> {
    let at = setting(SPOOL_DIR, config, env);
    Ok(spool(config, at, Some(&default_directory(config, env)?))?)
}

/// The same, but makes nothing: a directory that the next start makes counts as there.
pub(super) fn open_existing(
    config: &Config,
    env: &Env<'_>,
) -> Result<Option<Arc<dyn Spool>>, CliError> {
    let directory = match &config.spool.dir {
        Some(named) => setting(SPOOL_DIR, config, env).base_dir.join(named),
        None => default_directory(config, env)?,
    };
    if directory.exists() {
        return open(config, env);
    }
    Ok(Some(Arc::new(MissingDirectory)))
}

/// The directory for bodies when nobody names one: the blob store's directory, which can then link them without a copy;
/// else the system's for temporary files.
fn default_directory(config: &Config, env: &Env<'_>) -> Result<PathBuf, CliError> {
    if let Some(url) = &config.blob_store {
        let base = setting(BLOB_STORE, config, env).base_dir;
        if let Ok(StoreLocation::Directory(directory)) = locations::store(url, base) {
            return Ok(directory);
        }
    }
    for name in ["TMPDIR", "TEMP"] {
        if let Some(directory) = env.var(name)? {
            return Ok(directory.into());
        }
    }
    Ok("/tmp".into())
}
