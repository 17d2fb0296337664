//! Why events were rejected, for whoever looks at dead letters. The queue itself, which counts how often one was received,
//! keeps none.
//!
//! The table is made with the first reason: a file of an earlier version has none, and an earlier version passes it over. A
//! reason is a note: damage to it keeps no event from being rejected, or from coming back. After damage, `SQLite` writes nothing
//! more in the same transaction, so reasons are written in their own.

use super::behind_damage::unless_damaged;
use rusqlite::{Connection, OptionalExtension as _};

/// The longest reason that is kept, in characters.
const LONGEST: usize = 1000;

/// Keeps why the event in flight with this receipt becomes a dead letter at this time.
pub(super) fn keep(
    db: &Connection,
    (seq, receipt): (i64, [u8; 16]),
    died_ms: i64,
    reason: &str,
) -> rusqlite::Result<()> {
    db.execute_batch(
        "CREATE TABLE IF NOT EXISTS reasons(
             seq INTEGER PRIMARY KEY,
             died_ms INTEGER NOT NULL,   -- an earlier version may have brought it back, and it died again
             reason TEXT NOT NULL
         ) STRICT",
    )?;
    let reason: String = reason.chars().take(LONGEST).collect();
    db.prepare_cached(
        "INSERT OR REPLACE INTO reasons SELECT ?1, ?3, ?4
         WHERE EXISTS (SELECT 1 FROM deliveries WHERE seq = ?1 AND state = 0 AND receipt = ?2)",
    )?
    .execute((seq, receipt, died_ms, reason))
    .map(drop)
}

/// Forgets the reasons of all that is no dead letter any more.
pub(super) fn forget_old(db: &Connection) -> rusqlite::Result<()> {
    if !are_there(db)? {
        return Ok(());
    }
    db.prepare_cached(
        "DELETE FROM reasons WHERE seq NOT IN (SELECT seq FROM deliveries WHERE state = 2)",
    )?
    .execute([])
    .map(drop)
}

/// Why the dead letter with this number was rejected, if that is known.
pub(super) fn of(db: &Connection, seq: i64) -> rusqlite::Result<Option<String>> {
    let look = || {
        if !are_there(db)? {
            return Ok(None);
        }
        db.prepare_cached(
            "SELECT reason FROM reasons JOIN deliveries USING(seq)
             WHERE seq = ?1 AND state = 2 AND changed_ms = died_ms",
        )?
        .query_row([seq], |row| row.get(0))
        .optional()
    };
    unless_damaged(look()).map(Option::flatten)
}

fn are_there(db: &Connection) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM sqlite_schema WHERE name = 'reasons'")?
        .exists([])
}
