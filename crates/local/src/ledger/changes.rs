//! Changes of a ledger since a store got it, so that the store gets no more than those.
//!
//! A *segment* is a small ledger with the things that changed, and the watermarks. It merges with what it was taken
//! from like any other.

use super::error::failed;
use super::sync::text;
use super::unsaved::LedgerChanges;
use super::{LedgerFile, open};
use crate::sqlite::begin;
use labelrelay_core::ledger::LedgerError;
use std::path::Path;

const SEGMENT: &str = "
INSERT INTO segment.sources SELECT * FROM main.sources;
INSERT INTO segment.projects SELECT * FROM main.projects;
INSERT INTO segment.things SELECT things.* FROM main.unsaved JOIN main.things USING(source, kind, id);
DELETE FROM main.unsaved;
";

const PUT_BACK: &str = "
INSERT OR IGNORE INTO main.unsaved SELECT source, kind, id FROM segment.things;
";

impl LedgerFile {
    /// Notes from now on what changes, for a store that has everything that is in the file now.
    ///
    /// # Errors
    /// [`LedgerError`] when the file cannot be written.
    pub fn track(&mut self) -> Result<(), LedgerError> {
        self.db.execute("DELETE FROM unsaved", []).map_err(failed)?;
        self.tracks = true;
        Ok(())
    }

    /// Changes of the ledger at `path` since they were last taken.
    ///
    /// # Errors
    /// [`LedgerError`] when it cannot be read.
    pub fn changes(path: &Path) -> Result<LedgerChanges, LedgerError> {
        let db = open::existing(path)?;
        let count = |condition: &str| {
            let select = format!("SELECT count(*) FROM unsaved WHERE source {condition} ''");
            db.query_row(&select, [], |row| row.get::<_, i64>(0))
        };
        let (things, forgotten) = (count("!=").map_err(failed)?, count("=").map_err(failed)?);
        Ok(LedgerChanges {
            things: things.cast_unsigned(),
            forgot: forgotten > 0,
        })
    }

    /// Takes what changed in the ledger at `path` into the new file `to`, also while somebody records.
    ///
    /// # Errors
    /// [`LedgerError`] when it cannot be read, or `to` cannot be written.
    pub fn take_changes(path: &Path, to: &Path) -> Result<(), LedgerError> {
        drop(open::file(to)?);
        both(path, to, SEGMENT)
    }

    /// Puts back what was taken into the file `segment`: no store has it.
    ///
    /// # Errors
    /// [`LedgerError`] when either cannot be read or written.
    pub fn put_back(path: &Path, segment: &Path) -> Result<(), LedgerError> {
        both(path, segment, PUT_BACK)
    }

    /// Takes everything in the ledger at `path` for kept by a store that is about to get all of it.
    ///
    /// # Errors
    /// [`LedgerError`] when it cannot be written.
    pub fn forget_changes(path: &Path) -> Result<(), LedgerError> {
        let db = open::existing(path)?;
        db.execute("DELETE FROM unsaved", []).map_err(failed)?;
        Ok(())
    }
}

/// Does `work` with the ledger at `path`, beside which the one at `other` is called `segment`.
fn both(path: &Path, other: &Path, work: &str) -> Result<(), LedgerError> {
    let db = open::existing(path)?;
    db.execute("ATTACH ?1 AS segment", [text(other)?])
        .map_err(failed)?;
    let done = || {
        let transaction = begin(&db)?;
        transaction.execute_batch(work)?;
        transaction.commit()
    };
    done().map_err(failed)
}
