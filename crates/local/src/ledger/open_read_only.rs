//! Reads a ledger that another process may have, and changes nothing in it.

use super::{LedgerFile, open};
use labelrelay_core::ledger::LedgerError;
use std::path::Path;

impl LedgerFile {
    /// The ledger of `source` in the file at `path`, for whoever only reads: also beside the process that records in it.
    /// Records that it writes meanwhile are read, too.
    ///
    /// # Errors
    /// [`LedgerError`] when there is none, when it cannot be read, or when the file is something else.
    pub fn open_read_only(path: &Path, source: &str) -> Result<Self, LedgerError> {
        Ok(Self {
            db: open::to_read(path)?,
            source: source.to_owned(),
            tracks: false,
            lock: None,
        })
    }
}
