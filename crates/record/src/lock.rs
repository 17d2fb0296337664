//! One process writes a record: its journal gives the numbers, and two of them would give the same ones.

use crate::error::RecordError;
use labelrelay_files::{OwnFileError, own_file};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// Locks the record at `path`, by a file beside it, until what it returns is dropped. That file stays: removing it could
/// part two owners that hold "it".
pub(crate) fn take(path: &Path) -> Result<File, RecordError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let beside = PathBuf::from(name);
    let cannot = |source| RecordError::File {
        path: beside.clone(),
        source,
    };
    let file = match own_file(&beside, path) {
        Ok(file) => file,
        Err(OwnFileError::ForeignFile(foreign)) => {
            return Err(RecordError::Foreign {
                path: path.to_owned(),
                what: foreign.to_string(),
            });
        }
        Err(OwnFileError::Io(source)) => return Err(cannot(source)),
    };
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(RecordError::InUse {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(cannot(source)),
    }
}
