//! One owner a file: a lock on a file beside it.
//!
//! The lock belongs to the open file, so it ends with its process however that ends, and there is no
//! stale lock to judge. The lock file itself stays: removing it could part two owners that hold "it".

use crate::canonical_path::beside;
use labelrelay_files::{ForeignFile, OwnFileError, own_file};
use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// Held as long as the file is owned.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

/// Why there is no lock.
#[derive(Debug)]
pub(crate) enum LockError {
    /// Another process has it.
    Held {
        /// Id, as it wrote it down.
        pid: Option<u32>,
    },
    /// Something else has the name of the lock file.
    ForeignFile(ForeignFile),
    /// The lock file cannot be made or locked.
    Io {
        /// The lock file.
        path: PathBuf,
        /// The step that failed.
        what: &'static str,
        /// The system's error.
        source: std::io::Error,
    },
}

impl Lock {
    /// Locks the file at `owned`, by the one beside it.
    pub(crate) fn take(owned: &Path) -> Result<Self, LockError> {
        let path = beside(owned, ".lock");
        let mut file = match own_file(&path, owned) {
            Ok(file) => file,
            Err(OwnFileError::ForeignFile(foreign)) => return Err(LockError::ForeignFile(foreign)),
            Err(OwnFileError::Io(source)) => {
                let what = "opening the lock file";
                return Err(LockError::Io { path, what, source });
            }
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held {
                    pid: read_pid(&mut file),
                });
            }
            Err(TryLockError::Error(source)) => {
                let what = "locking the lock file";
                return Err(LockError::Io { path, what, source });
            }
        }
        // For the message that a second owner shows; the lock holds without it, on a full disk too.
        let _for_people = file
            .set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self { file })
    }
}

impl Lock {
    /// The file that is locked, whatever has its name by now.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind()
        .and_then(|()| file.take(16).read_to_string(&mut text))
        .ok()?;
    text.trim().parse().ok()
}
