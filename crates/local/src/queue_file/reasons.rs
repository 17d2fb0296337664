//! Why events were rejected, for whoever looks at dead letters. A dead letter that was received too often has no reason here.
//!
//! The table is made with the first reason: a file of an earlier version has none, and an earlier version passes it over.

use rusqlite::{Connection, OptionalExtension as _};

/// The longest reason that is kept, in characters.
const LONGEST: usize = 1000;

/// Keeps why the event with this number was rejected.
pub(super) fn keep(db: &Connection, seq: i64, reason: &str) -> rusqlite::Result<()> {
    db.execute_batch(
        "CREATE TABLE IF NOT EXISTS reasons(seq INTEGER PRIMARY KEY, reason TEXT NOT NULL) STRICT",
    )?;
    let reason: String = reason.chars().take(LONGEST).collect();
    db.prepare_cached("INSERT OR REPLACE INTO reasons VALUES(?1, ?2)")?
        .execute((seq, reason))
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
    if !are_there(db)? {
        return Ok(None);
    }
    db.prepare_cached(
        "SELECT reason FROM reasons WHERE seq = ?1
         AND EXISTS (SELECT 1 FROM deliveries WHERE deliveries.seq = ?1 AND state = 2)",
    )?
    .query_row([seq], |row| row.get(0))
    .optional()
}

fn are_there(db: &Connection) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM sqlite_schema WHERE name = 'reasons'")?
        .exists([])
}
