//! The number of the state, which grows with each transaction that changes something.

use rusqlite::{Connection, OptionalExtension as _, Transaction};

/// Grows with each transaction that changes something.
pub(crate) fn revision(db: &Connection) -> rusqlite::Result<i64> {
    number(db, "revision").map(Option::unwrap_or_default)
}

/// A number that the state keeps under a name.
pub(super) fn number(db: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT value FROM state WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// Notes that the next snapshot may differ from the last one.
pub(super) fn note_change(db: &Transaction<'_>) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO main.state VALUES('revision', 1) ON CONFLICT DO UPDATE SET value = value + 1",
        [],
    )
    .map(drop)
}
