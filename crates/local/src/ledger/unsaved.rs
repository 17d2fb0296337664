//! Notes what no store has yet.

use rusqlite::Connection;

/// Stands among the things that changed where a project was forgotten: no segment can say that.
const FORGOTTEN: (&str, &str, &str) = ("", "", "");

/// Changes that no store has yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerChanges {
    /// Things that are new, or known in another version, or were seen again.
    pub things: u64,
    /// `true` if a project was forgotten: only the whole ledger says so.
    pub forgot: bool,
}

/// Adds a thing to those that changed.
pub(super) const NOTE: &str = "INSERT OR IGNORE INTO unsaved(source, kind, id) VALUES(?1, ?2, ?3)";

/// Notes that a project was forgotten.
pub(super) fn note_forgotten(db: &Connection) -> rusqlite::Result<()> {
    db.execute(NOTE, FORGOTTEN).map(|_| ())
}
