//! Errors of the ledger: which are about it alone, which pass, and which are about one row.

use rusqlite::{Error, ErrorCode};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Tells whether an error may be gone at the next attempt: want of room or memory, or an error of the disk.
fn is_retryable(error: &Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::OperationInterrupted
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::OutOfMemory
                | ErrorCode::ReadOnly
        )
    )
}

/// Tells whether an error of the ledger's statements is about the ledger, for good.
pub(in crate::embedded) fn is_its_own(error: &Error) -> bool {
    !is_retryable(error)
}

/// Reason why there is no ledger.
#[derive(Debug)]
pub(in crate::embedded) struct NotOpen {
    /// The reason, in words.
    pub(in crate::embedded) reason: String,
    /// It may be gone at the next attempt.
    pub(in crate::embedded) retryable: bool,
}

impl NotOpen {
    pub(super) fn for_good(reason: String) -> Self {
        Self {
            reason,
            retryable: false,
        }
    }
}

impl From<Error> for NotOpen {
    fn from(error: Error) -> Self {
        Self {
            reason: format!("the ledger in it cannot be read: {error}"),
            retryable: is_retryable(&error),
        }
    }
}

/// Tells whether another program writes.
pub(in crate::embedded) fn is_busy(error: &Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

/// Runs work of the ledger. A panic of it would end the writer's thread, and come again with the same event at each
/// start: it is an error of the ledger's own instead.
pub(in crate::embedded) fn unless_it_panics<T>(
    work: impl FnOnce() -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    // Nobody uses the ledger after such an error, and its transaction is rolled back.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        let text = format!("a fault of labelrelay's: {}", text.unwrap_or("a panic"));
        Err(Error::ToSqlConversionFailure(text.into()))
    })
}

/// Tells whether one row holds what was never written there. The rows beside it can be read.
pub(super) fn is_one_row(error: &Error) -> bool {
    matches!(
        error,
        Error::FromSqlConversionFailure(..)
            | Error::InvalidColumnType(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::Utf8Error(..)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    /// Red if a panic ends the thread, or counts as something that passes.
    #[test]
    fn a_panic_is_an_error_for_good() {
        let unlucky: i64 = "7".parse().unwrap();
        let error = unless_it_panics(|| {
            assert_eq!(unlucky, 8, "no such number");
            Ok(())
        })
        .unwrap_err();
        assert!(is_its_own(&error));
        assert!(error.to_string().contains("no such number"), "{error}");
    }

    #[test]
    fn want_of_room_and_errors_of_the_disk_pass_and_damage_stays() {
        let passes = |code| {
            let error = Error::SqliteFailure(ffi::Error::new(code), None);
            assert_ne!(is_retryable(&error), is_its_own(&error));
            is_retryable(&error)
        };
        for code in [
            ffi::SQLITE_FULL,
            ffi::SQLITE_IOERR_READ,
            ffi::SQLITE_IOERR_WRITE,
            ffi::SQLITE_IOERR_SHORT_READ,
            ffi::SQLITE_NOMEM,
            ffi::SQLITE_BUSY,
            ffi::SQLITE_INTERRUPT,
            ffi::SQLITE_READONLY,
        ] {
            assert!(passes(code), "{code}");
        }
        for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_ERROR, ffi::SQLITE_NOTADB] {
            assert!(!passes(code), "{code}");
        }
    }
}
