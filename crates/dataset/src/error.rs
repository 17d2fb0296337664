//! Errors: what is wrong, and how to put it right.

use labelrelay_event::EventError;
use std::io;
use std::path::Path;

/// Why a dataset cannot be read or written. The last snapshot stays as it was.
#[derive(Debug, thiserror::Error)]
#[error("{resource}: {problem}; {cure}")]
#[non_exhaustive]
pub struct DatasetError {
    /// A file or a directory.
    pub resource: String,
    /// The problem.
    pub problem: String,
    /// The cure.
    pub cure: String,
    /// `true` if the same may succeed if it is tried again.
    pub retryable: bool,
}

impl DatasetError {
    pub(crate) fn new(
        resource: &Path,
        problem: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            resource: resource.display().to_string(),
            problem: problem.into(),
            cure: cure.into(),
            retryable: false,
        }
    }

    pub(crate) fn io(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| {
            let cure = match error.kind() {
                io::ErrorKind::StorageFull => "make room on its disk, and run this again",
                io::ErrorKind::PermissionDenied => "let this user write there",
                io::ErrorKind::ReadOnlyFilesystem => "name a directory that can be written to",
                _ => "look at the disk, and run this again",
            };
            Self::new(&path, error.to_string(), cure)
        }
    }

    pub(crate) fn database(path: &Path) -> impl Fn(rusqlite::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| {
            use rusqlite::ErrorCode as Code;
            let cure = match error.sqlite_error_code() {
                Some(Code::DiskFull) => "make room on its disk, and run this again",
                Some(Code::DatabaseBusy | Code::DatabaseLocked) => {
                    "another `labelrelay dataset` works on it: wait for its end"
                }
                Some(Code::ReadOnly | Code::CannotOpen) => "let this user write there",
                Some(Code::DatabaseCorrupt | Code::NotADatabase) => {
                    "it is damaged: move it away, and make the dataset anew from the platform"
                }
                _ => "look at the disk, and run this again",
            };
            Self::new(&path, error.to_string(), cure)
        }
    }
}

/// Why an event changes nothing in a dataset: it cannot be read. It must not be acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub(crate) EventError);

impl Unreadable {
    /// The cause, which names the event.
    pub fn cause(&self) -> &EventError {
        &self.0
    }
}
