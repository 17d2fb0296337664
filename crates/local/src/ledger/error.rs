//! Errors of a ledger's file.

use crate::sqlite_error::advice;
use labelrelay_core::ledger::LedgerError;

pub(super) fn failed(source: rusqlite::Error) -> LedgerError {
    let message = advice(&source).replace("queue file", "ledger's file");
    LedgerError::transient(message).caused_by(source)
}
