//! Errors of a record's file.

use rusqlite::ErrorCode;
use std::path::PathBuf;

/// Why a record could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The file is something else.
    #[error("{} is not a record of labelrelay ({what}); it was left as it is: give `serve.record.file` another path", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is, as far as that can be told.
        what: String,
    },
    /// Another process records into it.
    #[error("another process records into {}; stop that one, or give each `serve` a `serve.record.file` of its own", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A newer program wrote it.
    #[error("{} has format {found}, this program knows formats up to {known}: read it with the newer program", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that this program knows.
        known: i64,
    },
    /// The file is damaged.
    #[error("{} is damaged, by its disk or by another program that wrote into it; `serve` puts it aside and begins a new one", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Error of `SQLite`.
        source: rusqlite::Error,
    },
    /// The disk is nearly full.
    #[error("the disk that {} is on has little room, and the last of it is left to the queue: make room on it, or give `serve.record.file` a path on another disk", path.display())]
    NoRoom {
        /// The file.
        path: PathBuf,
    },
    /// The system did not let it be made or looked at.
    #[error("{} cannot be made or looked at; see that its directory is there and may be written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Error of the system.
        source: std::io::Error,
    },
    /// Its journal could not be read or written.
    #[error("the journal of {} could not be read or written; see that its disk has room, and that this user may write into the directory `….journal` beside it", path.display())]
    Journal {
        /// The file of the record.
        path: PathBuf,
        /// Error of the system.
        source: std::io::Error,
    },
    /// The record that several relays share could not be read or written.
    #[error("{message}")]
    Shared {
        /// Its name, the problem and the cure.
        message: String,
        /// `true` if it takes other rows than those that were to be written.
        is_of_rows: bool,
    },
    /// It could not be read or written.
    #[error("{} could not be read or written; see that its disk has room, that this user may write it, and that no other program keeps it locked", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Error of `SQLite`.
        source: rusqlite::Error,
    },
}

impl RecordError {
    /// Tells whether only some of the rows are to blame that were to be written, and not the record.
    pub(crate) const fn is_of_rows(&self) -> bool {
        matches!(
            self,
            Self::Shared {
                is_of_rows: true,
                ..
            }
        )
    }
}

/// What went wrong, before it is said with which record.
#[derive(Debug)]
pub(crate) enum Failure {
    /// With its file.
    Sqlite(rusqlite::Error),
    /// With its journal.
    Journal(std::io::Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Journal(error)
    }
}

impl Failure {
    /// The error of the record in the file at `path`.
    pub(crate) fn of(self, path: &std::path::Path) -> RecordError {
        match self {
            Self::Sqlite(source) => RecordError::of(path, source),
            Self::Journal(source) => RecordError::Journal {
                path: path.to_owned(),
                source,
            },
        }
    }
}

impl RecordError {
    /// The error of `SQLite` for the file at `path`.
    pub(crate) fn of(path: &std::path::Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        if is_damage(&source) {
            Self::Damaged { path, source }
        } else {
            Self::Sqlite { path, source }
        }
    }
}

/// Tells whether the file is damaged: `SQLite` says so, or a column holds what none of ours ever did.
fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{
        FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, SqlInputError,
        SqliteFailure,
    };
    if let Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) = error.sqlite_error_code() {
        return true;
    }
    match error {
        FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) => true,
        // All statements are ours, and are tried: what they name was there.
        SqliteFailure(_, Some(text)) | SqlInputError { msg: text, .. } => {
            text.starts_with("no such table") || text.starts_with("no such column")
        }
        _ => false,
    }
}
