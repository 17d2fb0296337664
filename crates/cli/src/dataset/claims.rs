//! Bodies that are in the blob store. They are fetched from the configured one and from nowhere else, whatever an event
//! says.

use crate::env::Env;
use crate::error::CliError;
use crate::find_configuration::{self, Missing};
use crate::locations::{self, StoreLocation};
use crate::open;
use labelrelay_local::file_of;
use labelrelay_startup::BLOB_STORE;
use std::path::{Path, PathBuf};

/// The configured blob store, if it is a directory of this machine.
pub(super) struct Claims(Option<PathBuf>);

impl Claims {
    pub(super) fn configured(config: Option<&Path>, env: &Env<'_>) -> Result<Self, CliError> {
        let Ok(found) = find_configuration::find(env, config, Missing::Refuse) else {
            return Ok(Self(None));
        };
        let Some(url) = &found.config.blob_store else {
            return Ok(Self(None));
        };
        let at = open::setting(BLOB_STORE, &found.config, env);
        match locations::store(url, at.base_dir).map_err(|error| error.at(at.origin, at.key))? {
            StoreLocation::Directory(dir) => Ok(Self(dir.canonicalize().ok())),
            StoreLocation::Cloud(..) => Ok(Self(None)),
        }
    }

    /// The body that `dataref` names, or why there is none.
    pub(super) fn fetch(&self, dataref: &str) -> Result<Vec<u8>, String> {
        let Some(store) = &self.0 else {
            return Err(
                "its body is in a blob store, and no directory is configured as `blob_store`"
                    .to_owned(),
            );
        };
        let file = file_of(dataref)
            .ok_or_else(|| format!("its body is at {dataref}, which is no file of this machine"))?;
        let file = file
            .canonicalize()
            .map_err(|error| format!("its body, {}: {error}", file.display()))?;
        if !file.starts_with(store) {
            return Err(format!(
                "its body, {}, is not in the configured blob store {}",
                file.display(),
                store.display()
            ));
        }
        std::fs::read(&file).map_err(|error| format!("its body, {}: {error}", file.display()))
    }
}
