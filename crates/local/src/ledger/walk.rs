//! Progress of a look at everything in a project.

use jiff::Timestamp;
use labelrelay_core::ledger::Walk;
use rusqlite::{Connection, OptionalExtension as _};

pub(super) fn read(db: &Connection, source: &str, project: &str) -> rusqlite::Result<Option<Walk>> {
    db.query_row(
        "SELECT walk, walk_began, walk_after FROM projects
         WHERE source = ?1 AND project = ?2 AND walk IS NOT NULL",
        (source, project),
        |row| {
            let began: Option<i64> = row.get(1)?;
            Ok(Walk {
                pass: row.get::<_, i64>(0)?.cast_unsigned(),
                began: began.and_then(|micros| Timestamp::from_microsecond(micros).ok()),
                after: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
            })
        },
    )
    .optional()
}

pub(super) fn write(
    db: &Connection,
    source: &str,
    project: &str,
    walk: Option<&Walk>,
) -> rusqlite::Result<()> {
    let began = walk.and_then(|walk| walk.began);
    db.execute(
        "UPDATE projects SET walk = ?3, walk_began = ?4, walk_after = ?5 WHERE source = ?1 AND project = ?2",
        (
            source,
            project,
            walk.map(|walk| walk.pass.cast_signed()),
            began.map(Timestamp::as_microsecond),
            walk.map(|walk| &walk.after),
        ),
    )
    .map(|_| ())
}
