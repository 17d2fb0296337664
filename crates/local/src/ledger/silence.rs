//! What was delivered, and what was not, between the ends of two runs.

use rusqlite::{Connection, OptionalExtension as _};

/// Notes that a delivery told of the project. One that was never looked through has no changes to hear of.
pub(super) fn note_delivery(db: &Connection, source: &str, project: &str) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE projects SET delivered = look WHERE source = ?1 AND project = ?2")?
        .execute((source, project))
        .map(|_| ())
}

/// Adds changes that no delivery brought.
pub(super) fn note_undelivered(
    db: &Connection,
    source: &str,
    project: &str,
    changes: u64,
) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE projects SET undelivered = undelivered + ?3 WHERE source = ?1 AND project = ?2",
        (source, project, i64::try_from(changes).unwrap_or(i64::MAX)),
    )
    .map(|_| ())
}

/// Changes in the project that no delivery brought, if there was no delivery besides; 0 if there was. Both begin anew. A
/// delivery that was read after the project was looked through counts once more: the next run may find what was changed
/// before it.
pub(super) fn take(db: &Connection, source: &str, project: &str) -> rusqlite::Result<u64> {
    let changes: Option<i64> = db
        .query_row(
            "SELECT undelivered FROM projects WHERE source = ?1 AND project = ?2 AND delivered < told",
            (source, project),
            |row| row.get(0),
        )
        .optional()?;
    db.execute(
        "UPDATE projects SET undelivered = 0, told = look WHERE source = ?1 AND project = ?2",
        (source, project),
    )?;
    Ok(changes.unwrap_or(0).cast_unsigned())
}
