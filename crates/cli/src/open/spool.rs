//! Spool for large bodies while they arrive.

use super::setting;
use crate::failure::Failure;
use crate::places::{self, StorePlace};
use crate::world::World;
use labelrelay_core::Spool;
use labelrelay_core::config::Config;
use labelrelay_startup::{BLOB_STORE, SPOOL_DIR, spool};
use std::path::PathBuf;
use std::sync::Arc;

/// Opens the spool, and makes its directory where there is none. `None` where nobody named one and there is
/// none to write to: all bodies are in memory then.
pub(super) fn open(config: &Config, world: &World<'_>) -> Result<Option<Arc<dyn Spool>>, Failure> {
    let at = setting(SPOOL_DIR, config, world);
    Ok(spool(config, at, Some(&otherwise(config, world)?))?)
}

/// The same, but makes nothing: `None` when there is no directory yet.
pub(super) fn look(config: &Config, world: &World<'_>) -> Result<Option<Arc<dyn Spool>>, Failure> {
    let directory = match &config.spool.dir {
        Some(named) => setting(SPOOL_DIR, config, world).base_dir.join(named),
        None => otherwise(config, world)?,
    };
    if directory.exists() {
        open(config, world)
    } else {
        Ok(None)
    }
}

/// The directory for bodies when nobody names one: the blob store's directory, which can then take them over as they lie;
/// else the system's for temporary files.
fn otherwise(config: &Config, world: &World<'_>) -> Result<PathBuf, Failure> {
    if let Some(url) = &config.blob_store {
        let base = setting(BLOB_STORE, config, world).base_dir;
        if let Ok(StorePlace::Directory(directory)) = places::store(url, base) {
            return Ok(directory);
        }
    }
    for name in ["TMPDIR", "TEMP"] {
        if let Some(directory) = world.var(name)? {
            return Ok(directory.into());
        }
    }
    Ok("/tmp".into())
}
