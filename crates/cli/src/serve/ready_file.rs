//! The file that tells scripts where `serve` answers.

use crate::error::CliError;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Removed when dropped, unless somebody else's has replaced it since.
pub(super) struct ReadyFile {
    path: PathBuf,
    contents: String,
}

impl ReadyFile {
    /// Removes what a process that was killed left behind, so that nobody takes it for ours.
    pub(super) fn clear(path: &Path) -> Result<(), CliError> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(cannot_write(path, &error))
            }
            _ => Ok(()),
        }
    }

    /// Writes the address, so that a reader sees all of it or nothing.
    pub(super) fn write(path: &Path, address: SocketAddr) -> Result<Self, CliError> {
        let contents = format!("{address}\n");
        let mut temporary = path.to_owned().into_os_string();
        temporary.push(format!(".{}", std::process::id()));
        let temporary = PathBuf::from(temporary);
        // The name may be a link to somebody's file: the link goes, and the file is not touched.
        let _nothing_there = fs::remove_file(&temporary);
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)
            .and_then(|mut file| file.write_all(contents.as_bytes()))
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

fn cannot_write(path: &Path, error: &std::io::Error) -> CliError {
    CliError::failed(format_args!(
        "cannot write the ready file {}: {error}",
        path.display()
    ))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn no_link_is_followed() {
        let directory = tempfile::tempdir().unwrap();
        let (ready, victim) = (
            directory.path().join("ready"),
            directory.path().join("victim"),
        );
        fs::write(&victim, "of somebody else").unwrap();
        let temporary = directory
            .path()
            .join(format!("ready.{}", std::process::id()));
        for link in [&ready, &temporary] {
            std::os::unix::fs::symlink(&victim, link).unwrap();
        }
        let address = "127.0.0.1:7".parse().unwrap();
        let written = ReadyFile::write(&ready, address).unwrap();
        assert_eq!(fs::read_to_string(&ready).unwrap(), "127.0.0.1:7\n");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "of somebody else");
        drop(written);
        assert!(!ready.exists());
    }
}
