//! The number up to which the record has the deliveries of its journal. It is the one that `SQLite` keeps for the table:
//! so it changes with the rows that it counts, or not at all.

use rusqlite::{Connection, OptionalExtension as _};

/// Number of the last delivery that was moved; 0 when there was none.
pub(crate) fn read(db: &Connection) -> rusqlite::Result<i64> {
    let number = db
        .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'deliveries'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(number.unwrap_or(0))
}

/// The same, where the last ones that were moved are not kept.
pub(crate) fn write(db: &Connection, number: i64) -> rusqlite::Result<()> {
    let changed = db
        .prepare_cached("UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'deliveries'")?
        .execute([number])?;
    if changed == 0 {
        db.prepare_cached("INSERT INTO sqlite_sequence(name, seq) VALUES ('deliveries', ?1)")?
            .execute([number])?;
    }
    Ok(())
}
