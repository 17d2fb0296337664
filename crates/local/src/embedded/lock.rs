//! One owner a queue file: a lock on a file beside it.
//!
//! The lock belongs to the open file, so it ends with its process however that ends, and there is no
//! stale lock to judge. The lock file itself stays: removing it could part two owners that hold "it".

use crate::error::OpenError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// Held as long as the queue file is owned.
#[derive(Debug)]
pub(super) struct OwnerLock {
    _file: File,
}

impl OwnerLock {
    pub(super) fn take(queue: &Path) -> Result<Self, OpenError> {
        let path = beside(queue);
        let io = |source| OpenError::Io {
            path: path.clone(),
            what: "opening the lock file",
            source,
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::Owned {
                    path: queue.to_owned(),
                    pid: read_pid(&mut file),
                });
            }
            Err(TryLockError::Error(source)) => {
                return Err(OpenError::Io {
                    path,
                    what: "locking the lock file",
                    source,
                });
            }
        }
        // For the message that a second owner shows; the lock holds without it, on a full disk too.
        let _for_people = file
            .set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self { _file: file })
    }
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind()
        .and_then(|()| file.take(16).read_to_string(&mut text))
        .ok()?;
    text.trim().parse().ok()
}

fn beside(queue: &Path) -> PathBuf {
    let mut name = queue.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}
