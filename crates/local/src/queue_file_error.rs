//! Errors of a queue file.

use crate::sqlite_error::{REPAIR, advice, is_damage};
use labelrelay_files::ForeignFile;
use rusqlite::ErrorCode;
use std::path::{Path, PathBuf};

/// Why a queue file could not be opened. Nothing was overwritten.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process owns it.
    #[error("{} is in use by {}: one `serve` writes a queue file; stop that one, or give this one a file of its own", path.display(), owner(*pid))]
    Owned {
        /// The queue file.
        path: PathBuf,
        /// Process id of the owner, as it wrote it down.
        pid: Option<u32>,
    },
    /// There is none, or an empty file that is about to become one.
    #[error("there is no queue at {} yet: `serve` makes it", path.display())]
    Missing {
        /// The path that was tried.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not a queue file of labelrelay ({what}); it was left as it is: choose another path, or, if it was a queue, its beginning is damaged: {}", path.display(), REPAIR)]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The file's likely kind.
        what: String,
    },
    /// The file has several names (hard links).
    #[error("{} has {names} names (hard links), and each would get a lock and a journal of its own, which damages the file; it was left as it is: remove the other names (`find -samefile` shows them), or give a copy (`cp`) to this program", path.display())]
    Linked {
        /// The queue file.
        path: PathBuf,
        /// Number of its names.
        names: u64,
    },
    /// Something beside it has the name of a file that labelrelay keeps there, and is none of its own.
    #[error("{0}")]
    ForeignFile(ForeignFile),
    /// A journal beside it names another file, which `SQLite` would remove.
    #[error("{} is a journal that names another file, and `SQLite` would remove that one; labelrelay writes no such journal: remove it, or give the queue to the program that wrote it", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
    },
    /// A newer program wrote it.
    #[error("{} has format {found}, this program knows formats up to {known}: use the newer program; the file was left as it is", path.display())]
    Newer {
        /// The queue file.
        path: PathBuf,
        /// Format.
        found: i64,
        /// The newest format that this program knows.
        known: i64,
    },
    /// The file, or its directory, cannot be read or written.
    #[error("{}: {what}; the directory must exist, and the file and the directory must be writable", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The step that failed.
        what: &'static str,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// `SQLite` refused it.
    #[error("{}: cannot be opened as a queue: {}", path.display(), advice(source))]
    Database {
        /// The queue file.
        path: PathBuf,
        /// The error of `SQLite`.
        #[source]
        source: rusqlite::Error,
    },
}

impl OpenError {
    /// Tells whether the same file may open later though nobody changes what names it: somebody else has to let go of
    /// it, or room has to be made.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Owned { .. } => true,
            Self::Database { source, .. } => matches!(
                source.sqlite_error_code(),
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::DiskFull)
            ),
            Self::Io { source, .. } => matches!(
                source.kind(),
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
            ),
            _ => false,
        }
    }
}

fn owner(pid: Option<u32>) -> String {
    pid.map_or_else(
        || "another process".to_owned(),
        |pid| format!("process {pid}"),
    )
}

/// Why a reader's action on a queue file failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Somebody else was writing all the while; try again.
    #[error("{}", advice(.0))]
    Locked(#[source] rusqlite::Error),
    /// No room left.
    #[error("{}", advice(.0))]
    Full(#[source] rusqlite::Error),
    /// The queue's files were removed, moved or replaced while they were in use.
    #[error("{0}")]
    Displaced(String),
    /// The file does not hold what was written into it.
    #[error("{}: {}", path.display(), advice(source))]
    Damaged {
        /// The queue file.
        path: PathBuf,
        /// The error of `SQLite`.
        #[source]
        source: rusqlite::Error,
    },
    /// Anything else that `SQLite` said.
    #[error("{}", advice(.0))]
    Database(#[source] rusqlite::Error),
    /// The system gave no random bytes, which receipts are made of.
    #[error(
        "the system gave no random bytes for a receipt, so nothing was received: try again, and see that the process may call `getrandom`"
    )]
    System(#[source] std::io::Error),
}

impl FileError {
    /// The same error; where it tells of damage, with the file that is damaged.
    pub(crate) fn of(self, file: &Path) -> Self {
        match self {
            Self::Database(source) if is_damage(&source) => Self::Damaged {
                path: file.to_owned(),
                source,
            },
            other => other,
        }
    }
}

impl OpenError {
    /// Tells whether the file is damaged.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Database { source, .. } if is_damage(source))
    }
}

impl From<rusqlite::Error> for FileError {
    fn from(source: rusqlite::Error) -> Self {
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked(source),
            Some(ErrorCode::DiskFull) => Self::Full(source),
            _ => Self::Database(source),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    #[test]
    fn contention_is_retryable_and_errors_are_not() {
        for (code, passes) in [
            (ffi::SQLITE_BUSY, true),
            (ffi::SQLITE_LOCKED, true),
            (ffi::SQLITE_FULL, true),
            (ffi::SQLITE_NOTADB, false),
            (ffi::SQLITE_READONLY, false),
        ] {
            let error = OpenError::Database {
                path: PathBuf::from("queue.db"),
                source: rusqlite::Error::SqliteFailure(ffi::Error::new(code), None),
            };
            assert_eq!(error.is_retryable(), passes, "{error}");
        }
    }
}
