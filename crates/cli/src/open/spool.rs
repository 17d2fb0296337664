//! Spool for large bodies while they arrive.

use super::setting;
use crate::failure::Failure;
use crate::places::{self, StorePlace};
use crate::world::World;
use labelrelay_core::Spool;
use labelrelay_core::config::Config;
use labelrelay_files::FileSpool;
use std::path::PathBuf;
use std::sync::Arc;

/// Opens the spool, and makes its directory where there is none. `None` where nobody named one and there is
/// none to write to: all bodies are in memory then.
pub(super) fn open(config: &Config, world: &World<'_>) -> Result<Option<Arc<dyn Spool>>, Failure> {
    let (directory, named) = place(config, world)?;
    match (FileSpool::open(&directory, config.spool.max_bytes()), named) {
        (Ok(spool), _) => Ok(Some(Arc::new(spool))),
        (Err(error), Some(at)) => Err(Failure::config(format_args!("{at}: {error}"))),
        (Err(error), None) => {
            tracing::warn!(name: "no_spool", reason = %error, "large bodies are held in memory; name a directory for them (spool.dir)");
            Ok(None)
        }
    }
}

/// The same, but makes nothing: `None` when there is no directory yet.
pub(super) fn look(config: &Config, world: &World<'_>) -> Result<Option<Arc<dyn Spool>>, Failure> {
    if place(config, world)?.0.exists() {
        open(config, world)
    } else {
        Ok(None)
    }
}

/// The directory that is configured, and where; else that of the blob store, which can then take bodies over
/// as they lie; else the system's for temporary files.
fn place(config: &Config, world: &World<'_>) -> Result<(PathBuf, Option<String>), Failure> {
    let (base, at) = setting("spool.dir", "LABELRELAY_SPOOL_DIR", config, world);
    if let Some(dir) = &config.spool.dir {
        return Ok((base.join(dir), Some(at)));
    }
    if let Some(url) = &config.blob_store {
        let (base, at) = setting("blob_store", "LABELRELAY_BLOB_STORE", config, world);
        if url.starts_with("file:")
            && let Ok(StorePlace::Directory(directory)) = places::store(url, base, &at)
        {
            return Ok((directory, Some(at)));
        }
    }
    for name in ["TMPDIR", "TEMP"] {
        if let Some(directory) = world.var(name)? {
            return Ok((directory.into(), None));
        }
    }
    Ok(("/tmp".into(), None))
}
