//! The file that tells scripts where `serve` answers.

use crate::failure::Failure;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Removed when dropped, unless somebody else's has replaced it since.
pub(super) struct ReadyFile {
    path: PathBuf,
    contents: String,
}

impl ReadyFile {
    /// Removes what a process that was killed left behind, so that nobody takes it for ours.
    pub(super) fn clear(path: &Path) -> Result<(), Failure> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(cannot_write(path, &error))
            }
            _ => Ok(()),
        }
    }

    /// Writes the address, so that a reader sees all of it or nothing.
    pub(super) fn write(path: &Path, address: SocketAddr) -> Result<Self, Failure> {
        let contents = format!("{address}\n");
        let mut temporary = path.to_owned().into_os_string();
        temporary.push(format!(".{}", std::process::id()));
        let temporary = PathBuf::from(temporary);
        fs::write(&temporary, &contents)
            .and_then(|()| fs::rename(&temporary, path))
            .map_err(|error| {
                let _ = fs::remove_file(&temporary);
                cannot_write(path, &error)
            })?;
        Ok(Self {
            path: path.to_owned(),
            contents,
        })
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        if fs::read_to_string(&self.path).is_ok_and(|contents| contents == self.contents) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format_args!(
        "cannot write the ready file {}: {error}",
        path.display()
    ))
}
