//! The folder of a benchmark's files.

use crate::Outcome;
use crate::paths::target;
use std::path::PathBuf;

/// A folder on the disk of the build (a temporary folder may be memory), removed afterwards.
pub(super) struct BenchFolder(pub(super) PathBuf);

impl BenchFolder {
    pub(super) fn new() -> Outcome<Self> {
        let folder = target()?.join(format!("bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for BenchFolder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("cannot remove {}: {error}", self.0.display());
        }
    }
}
