//! A directory for large bodies.

use crate::error::StartError;
use crate::setting::{SPOOL_DIR, Setting};
use labelrelay_core::Spool;
use labelrelay_core::config::{Config, ConfigError};
use labelrelay_files::FileSpool;
use std::path::Path;
use std::sync::Arc;

/// The spool in the directory that `config` names (`at` says where), else in `otherwise`, where there is one to
/// write to. `None`: all bodies are in memory.
///
/// # Errors
/// [`StartError`] when the directory that somebody named cannot be used.
pub fn spool(
    config: &Config,
    at: Setting<'_>,
    otherwise: Option<&Path>,
) -> Result<Option<Arc<dyn Spool>>, StartError> {
    let max_bytes = config.spool.max_bytes();
    if let Some(named) = &config.spool.dir {
        let spool = FileSpool::open(at.base_dir.join(named), max_bytes).map_err(|error| {
            let cure = "name a directory that this program may write to";
            ConfigError::new(at.origin, at.key, &error.to_string(), cure)
        })?;
        return Ok(Some(Arc::new(spool)));
    }
    let Some(directory) = otherwise else {
        return Ok(None);
    };
    match FileSpool::open(directory, max_bytes) {
        Ok(spool) => Ok(Some(Arc::new(spool))),
        Err(error) => {
            tracing::warn!(name: "no_spool", reason = %error, "large bodies are held in memory; name a directory for them ({})", SPOOL_DIR.key);
            Ok(None)
        }
    }
}
