//! The spool's directory, and errors that name it.

use super::unnamed_file::Unnamed;
use crate::private_files::private_dir;
use labelrelay_core::SpoolError;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The spool's directory, shared by those who make files and those who report errors.
#[derive(Debug)]
pub(super) struct SpoolDir {
    dir: PathBuf,
}

impl SpoolDir {
    pub(super) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.dir
    }

    /// A file in it. Where somebody has removed the directory meanwhile, it is made again.
    pub(super) fn file(&self) -> Result<Unnamed, SpoolError> {
        let made = match Unnamed::make(&self.dir) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                private_dir(&self.dir).and_then(|()| Unnamed::make(&self.dir))
            }
            made => made,
        };
        made.map_err(|source| self.failed("making a file", source))
    }

    pub(super) fn failed(&self, what: &str, source: std::io::Error) -> SpoolError {
        let cure = match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                "; free space there, or name a directory with more of it (spool.dir)"
            }
            _ => "; let this user write there, or name another directory (spool.dir)",
        };
        let dir = self.dir.display();
        SpoolError::new(format!("{what} in {dir}: {source}{cure}")).caused_by(source)
    }

    pub(super) fn is_full(&self, max_bytes: u64) -> SpoolError {
        let dir = self.dir.display();
        SpoolError::new(format!(
            "the bodies that are arriving fill the {max_bytes} bytes that they may have in {dir} (spool.max_bytes)"
        ))
    }
}

pub(super) fn ended() -> SpoolError {
    SpoolError::new("the thread that writes ended without an answer; what it printed says why")
}
