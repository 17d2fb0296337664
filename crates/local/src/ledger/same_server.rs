//! The server that a ledger is about: another one's things have the same ids.

use super::error::failed;
use super::{LedgerFile, open};
use labelrelay_core::ledger::LedgerError;
use std::path::Path;

impl LedgerFile {
    /// Takes the ledger of `source` for one about `server`: the platform has moved to another address.
    ///
    /// # Errors
    /// [`LedgerError`] when the file cannot be written.
    pub fn moved(path: &Path, source: &str, server: &str) -> Result<(), LedgerError> {
        let _lock = open::lock(path)?;
        let db = open::file(path)?;
        db.execute(
            "UPDATE sources SET server = ?2 WHERE source = ?1",
            (source, server),
        )
        .map_err(failed)?;
        Ok(())
    }

    /// Whose things these are is decided by the first of them: a mistyped address decides nothing.
    pub(super) fn is_about(&self, server: &str, path: &Path) -> Result<(), LedgerError> {
        let of = || -> rusqlite::Result<String> {
            self.db.execute(
                "INSERT INTO sources(source, server) VALUES(?1, ?2)
                 ON CONFLICT(source) DO UPDATE SET server = excluded.server
                 WHERE NOT EXISTS (SELECT 1 FROM things WHERE things.source = excluded.source)",
                (&self.source, server),
            )?;
            self.db.query_row(
                "SELECT server FROM sources WHERE source = ?1",
                [&self.source],
                |row| row.get(0),
            )
        };
        let of = of().map_err(failed)?;
        if of == server {
            return Ok(());
        }
        Err(LedgerError::permanent(format!(
            "{}: what source `{}` knows is about {of}, and this is {server}; if it is the same installation at another address, add --moved; if it is another one, give it a source of its own",
            path.display(),
            self.source
        )))
    }
}
