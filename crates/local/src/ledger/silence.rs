//! What was delivered, and what was not, between the ends of two runs.

use rusqlite::{Connection, OptionalExtension as _};
use std::collections::BTreeSet;

/// Notes that deliveries told of these projects. One that was never looked through has no changes to hear of.
pub(super) fn note_deliveries(
    db: &Connection,
    source: &str,
    projects: &BTreeSet<&str>,
) -> rusqlite::Result<()> {
    let mut note = db.prepare_cached(
        "UPDATE projects SET delivered = look WHERE source = ?1 AND project = ?2",
    )?;
    for project in projects {
        note.execute((source, project))?;
    }
    Ok(())
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

/// Of these projects, those with changes that no delivery brought, and without any delivery besides; and how many. All of
/// it begins anew. A delivery that was read after its project was looked through counts once more: the next run may find
/// what was changed before it.
pub(super) fn take(
    db: &Connection,
    source: &str,
    projects: &[&str],
) -> rusqlite::Result<Vec<(String, u64)>> {
    let mut select = db.prepare_cached(
        "SELECT undelivered FROM projects
         WHERE source = ?1 AND project = ?2 AND undelivered > 0 AND delivered < told",
    )?;
    let mut begin_anew = db.prepare_cached(
        "UPDATE projects SET undelivered = 0, told = look WHERE source = ?1 AND project = ?2",
    )?;
    let mut silent = Vec::new();
    for project in projects {
        let changes = select.query_row((source, project), |row| row.get::<_, i64>(0));
        if let Some(changes) = changes.optional()? {
            silent.push(((*project).to_owned(), changes.cast_unsigned()));
        }
        begin_anew.execute((source, project))?;
    }
    Ok(silent)
}
