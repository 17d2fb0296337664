//! Errors of a ledger's file.

use crate::sqlite_error::{advice, is_damage};
use labelrelay_core::ledger::LedgerError;

/// A ledger can be made again, other than a queue: the platform still has what it knows.
const DAMAGED: &str = "the ledger's file is damaged, by its disk or by another program that wrote into it: end what uses \
    it, and move it away together with all that begins with its name; the next run makes a new one, and looks at \
    everything again";

pub(super) fn failed(source: rusqlite::Error) -> LedgerError {
    let message = if is_damage(&source) {
        DAMAGED.to_owned()
    } else {
        advice(&source).replace("queue file", "ledger's file")
    };
    LedgerError::transient(message).caused_by(source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    #[test]
    fn a_damaged_ledger_has_a_cure_of_its_own() {
        for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB] {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            let text = failed(error).to_string();
            assert!(text.contains("the next run makes a new one"), "{text}");
            assert!(!text.contains("queue"), "{text}");
        }
    }
}
