//! The proof's secret, in a file for as long as somebody has to copy it. It goes with whoever holds it.

use crate::connect::kept_secret::put_file;
use std::io;
use std::path::{Path, PathBuf};

pub(super) struct SecretFile {
    path: Option<PathBuf>,
}

impl SecretFile {
    /// Makes the file, for this user alone; one that is there stays as it is.
    pub(super) fn make(path: &Path, secret: &str) -> io::Result<Self> {
        put_file(path, secret)?;
        let path = Some(path.to_owned());
        Ok(Self { path })
    }

    /// Removes it, and says so if that fails.
    pub(super) fn remove(mut self) -> io::Result<()> {
        self.path.take().map_or(Ok(()), std::fs::remove_file)
    }
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        if let Some(path) = self.path.take() {
            let _gone = std::fs::remove_file(path);
        }
    }
}
