//! Rows of annotations.

use rusqlite::{CachedStatement, Connection, OptionalExtension as _};

/// Knowledge of an annotation.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) task: i64,
    pub(super) state: i64,
    pub(super) version: Option<String>,
    pub(super) seq: i64,
}

/// The index is named, because `SQLite` would rather look through all of the source.
const KNOWN: &str =
    "SELECT task, state, version, seq FROM ledger_things INDEXED BY ledger_annotations
    WHERE source = ?1 AND annotation = ?2 AND annotation != 0 ORDER BY seq DESC LIMIT 1";

pub(super) fn known(
    db: &Connection,
    source: &str,
    annotation: i64,
) -> rusqlite::Result<Option<Known>> {
    db.prepare_cached(KNOWN)?
        .query_row((source, annotation), |row| {
            Ok(Known {
                task: row.get(0)?,
                state: row.get(1)?,
                version: row.get(2)?,
                seq: row.get(3)?,
            })
        })
        .optional()
}

/// The statement that [`write`] runs.
pub(super) fn writing(db: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
    db.prepare_cached(
        "INSERT INTO ledger_things(source, task, annotation, state, version, seq)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET state = excluded.state, version = coalesce(excluded.version, version),
             seq = excluded.seq",
    )
}

/// Writes what is known of an annotation into the file.
pub(super) fn write(
    statement: &mut CachedStatement<'_>,
    source: &str,
    annotation: i64,
    known: &Known,
) -> rusqlite::Result<()> {
    let Known {
        task,
        state,
        version,
        seq,
    } = known;
    statement
        .execute((source, task, annotation, state, version, seq))
        .map(|_| ())
}

/// Removes what is known of an annotation.
pub(super) fn forget(
    db: &Connection,
    source: &str,
    task: i64,
    annotation: i64,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "DELETE FROM ledger_things WHERE source = ?1 AND task = ?2 AND annotation = ?3",
    )?
    .execute((source, task, annotation))
    .map(|_| ())
}

/// Removes all rows of an annotation, of whatever task.
pub(super) fn forget_all(db: &Connection, source: &str, annotation: i64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "DELETE FROM ledger_things INDEXED BY ledger_annotations
         WHERE source = ?1 AND annotation = ?2 AND annotation != 0",
    )?
    .execute((source, annotation))
    .map(|_| ())
}

#[cfg(test)]
mod tests {
    use crate::embedded::task_ledger::tables;
    use crate::schema;

    /// A look at an annotation that went through all of a source would cost each delivery more, the more there is.
    #[test]
    fn an_annotation_is_found_by_the_index() {
        let dir = tempfile::TempDir::new().unwrap();
        let db = schema::new_in(&dir);
        tables::make(&db, 0).unwrap();
        let mut plan = db
            .prepare(&format!("EXPLAIN QUERY PLAN {}", super::KNOWN))
            .unwrap();
        let steps = plan.query_map(("a", 1), |row| row.get(3)).unwrap();
        let steps: Vec<String> = steps.map(Result::unwrap).collect();
        assert!(
            steps
                .iter()
                .any(|step| step.contains("ledger_annotations (source=? AND annotation=?)")),
            "{steps:?}"
        );
    }
}
