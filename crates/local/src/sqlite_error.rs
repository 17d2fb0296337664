//! Explanation of `SQLite`'s errors for a queue file, and their cures.

use labelrelay_core::{QueueError, QueueErrorKind};
use rusqlite::ErrorCode;

/// An error of `SQLite`, in the words of whoever runs a queue.
struct Explanation {
    kind: QueueErrorKind,
    problem: &'static str,
    cure: &'static str,
}

const DAMAGED: &str =
    "the queue file is damaged, by its disk or by another program that wrote into it";

/// Nothing is written into the damaged file, and all that it still holds is kept. `SQLite`'s own `.recover` is not
/// named: Debian's shell comes without it.
pub(crate) const REPAIR: &str = "stop `serve`, move the file away together with all that begins with its name, and start \
    `serve` again; then `labelrelay events replay --pending --dead --queue sqlite:MOVED --to sqlite:QUEUE` brings back \
    what can still be read (`labelrelay events export` writes it into files), and `labelrelay pull` fetches the rest \
    from the platform";

impl Explanation {
    const fn new(kind: QueueErrorKind, problem: &'static str, cure: &'static str) -> Self {
        Self {
            kind,
            problem,
            cure,
        }
    }
}

/// Tells whether the file is damaged: `SQLite` says so, or a column holds what none of ours
/// ever did.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
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

fn explain(error: &rusqlite::Error) -> Explanation {
    if is_damage(error) {
        return Explanation::new(QueueErrorKind::Misconfigured, DAMAGED, REPAIR);
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Explanation::new(
            QueueErrorKind::Unavailable,
            "the queue file is locked by another program",
            "try again, and end what keeps it locked (a backup, an SQLite shell)",
        ),
        Some(ErrorCode::DiskFull) => Explanation::new(
            QueueErrorKind::Full,
            "no room is left for the queue file",
            "let consumers take out what is there (`labelrelay queue receive`, `labelrelay queue ack`: a reserve is kept for them), then run `labelrelay queue prune`; or free space on its disk, or raise `queue_max_bytes` or `ulimit -f` where that is the limit",
        ),
        Some(ErrorCode::TooBig) => Explanation::new(
            QueueErrorKind::TooLarge,
            "the message is larger than SQLite takes",
            "configure a blob store for such bodies",
        ),
        Some(ErrorCode::OutOfMemory) => Explanation::new(
            QueueErrorKind::Unavailable,
            "the process got no memory for the message",
            "give it more, or configure a blob store for large bodies",
        ),
        Some(
            ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::AuthorizationForStatementDenied,
        ) => Explanation::new(
            QueueErrorKind::Denied,
            "the queue file may not be written",
            "let this user write the file and its directory",
        ),
        Some(ErrorCode::CannotOpen) => Explanation::new(
            QueueErrorKind::Unavailable,
            "the queue file, or its journal beside it, cannot be opened",
            "see that its directory is still there and may be written, and that the process may open more files",
        ),
        Some(ErrorCode::SystemIoFailure) => Explanation::new(
            QueueErrorKind::Unavailable,
            "the system failed to read or write the queue file",
            "look into the system's log for errors of its disk, and for a quota that is used up",
        ),
        _ => Explanation::new(
            QueueErrorKind::Unavailable,
            "the queue file could not be read or written",
            "try again; when it stays so, look whether another program changed the file",
        ),
    }
}

/// The problem and the cure, without the text of `SQLite`: that is the error's source.
pub(crate) fn advice(error: &rusqlite::Error) -> String {
    let Explanation { problem, cure, .. } = explain(error);
    format!("{problem}: {cure}")
}

/// The error that the sender of a message gets when `SQLite` failed.
pub(crate) fn queue_error(error: &rusqlite::Error) -> QueueError {
    let Explanation {
        kind,
        problem,
        cure,
    } = explain(error);
    // As text: a group's members each get their own copy, and SQLite's error cannot be cloned.
    QueueError::new(kind, format!("{problem} ({error}): {cure}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue_file_error::{FileError, OpenError};
    use rusqlite::ffi;

    #[test]
    fn a_file_that_lost_its_tables_is_damaged() {
        let db = rusqlite::Connection::open_in_memory().unwrap();
        let error = db.prepare("SELECT seq FROM events").unwrap_err();
        assert!(is_damage(&error), "{error:?}");
        let error = db.prepare("SELECT 1 FROM").unwrap_err();
        assert!(!is_damage(&error), "{error:?}");
    }

    /// The whole table: result code, what a sender is told, whether it is retried, what each text names.
    #[test]
    fn each_error_has_its_kind_and_its_cure() {
        use QueueErrorKind::{Denied, Full, Misconfigured, TooLarge, Unavailable};
        for (code, kind, retryable, cure) in [
            (
                ffi::SQLITE_BUSY,
                Unavailable,
                true,
                "end what keeps it locked",
            ),
            (
                ffi::SQLITE_LOCKED,
                Unavailable,
                true,
                "end what keeps it locked",
            ),
            (
                ffi::SQLITE_FULL,
                Full,
                false,
                "run `labelrelay queue prune`",
            ),
            (
                ffi::SQLITE_TOOBIG,
                TooLarge,
                false,
                "configure a blob store",
            ),
            (
                ffi::SQLITE_NOMEM,
                Unavailable,
                true,
                "configure a blob store",
            ),
            (ffi::SQLITE_READONLY, Denied, false, "let this user write"),
            (ffi::SQLITE_PERM, Denied, false, "let this user write"),
            (ffi::SQLITE_AUTH, Denied, false, "let this user write"),
            (
                ffi::SQLITE_NOTADB,
                Misconfigured,
                false,
                "`labelrelay events export`",
            ),
            (
                ffi::SQLITE_CORRUPT,
                Misconfigured,
                false,
                "`labelrelay events export`",
            ),
            (
                ffi::SQLITE_CANTOPEN,
                Unavailable,
                true,
                "may open more files",
            ),
            (
                ffi::SQLITE_IOERR_FSYNC,
                Unavailable,
                true,
                "the system's log",
            ),
            (
                ffi::SQLITE_CONSTRAINT,
                Unavailable,
                true,
                "changed the file",
            ),
        ] {
            let error = || rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            let told = queue_error(&error());
            assert_eq!((told.kind, told.retryable), (kind, retryable), "{code}");
            assert!(told.message.contains(cure), "{code}: {}", told.message);
            assert!(told.message.contains(&error().to_string()), "{code}");
            let open = OpenError::Database {
                path: "queue.db".into(),
                source: error(),
            };
            for text in [FileError::from(error()).to_string(), open.to_string()] {
                assert!(text.contains(cure), "{code}: {text}");
            }
        }
    }
}
