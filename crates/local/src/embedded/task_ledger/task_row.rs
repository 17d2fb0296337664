//! Rows of tasks.

use super::tables::{COUNTS, TASK_ASSUMED, TASK_GONE};
use rusqlite::{CachedStatement, Connection, OptionalExtension as _};

/// Knowledge of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) id: i64,
    pub(super) is_known: bool,
    /// When it was told that the task is gone, in the form of a version.
    pub(super) gone: Option<String>,
    pub(super) is_labelled: bool,
    /// It is labelled, and that was told by nothing but the state beside an annotation that came after.
    pub(super) is_assumed: bool,
    pub(super) overlap: Option<i64>,
    /// Annotations that count and that no event told of: an import brings them with the task.
    pub(super) unlisted: i64,
    pub(super) project: Option<String>,
    /// Version of the newest annotation beside which its state was told.
    pub(super) version: Option<String>,
    pub(super) seq: i64,
}

impl Task {
    pub(super) fn read(db: &Connection, source: &str, id: i64) -> rusqlite::Result<Self> {
        let known = db
            .prepare_cached(
                "SELECT state, overlap, unlisted, project, version, seq FROM ledger_things
                 WHERE source = ?1 AND task = ?2 AND annotation = 0",
            )?
            .query_row((source, id), |row| {
                let (state, version) = (row.get::<_, i64>(0)?, row.get(4)?);
                let seq = row.get(5)?;
                if state == TASK_GONE {
                    return Ok(Self {
                        gone: version,
                        seq,
                        ..Self::unknown(id)
                    });
                }
                Ok(Self {
                    id,
                    is_known: true,
                    gone: None,
                    is_labelled: state != 0,
                    is_assumed: state == TASK_ASSUMED,
                    overlap: row.get(1)?,
                    unlisted: row.get(2)?,
                    project: row.get(3)?,
                    version,
                    seq,
                })
            })
            .optional()?;
        Ok(known.unwrap_or_else(|| Self::unknown(id)))
    }

    /// The event that told that a project is gone.
    pub(super) fn seq_of_gone_project(
        db: &Connection,
        source: &str,
        project: i64,
    ) -> rusqlite::Result<Option<i64>> {
        db.prepare_cached(
            "SELECT seq FROM ledger_things WHERE source = ?1 AND task = 0 AND annotation = ?2",
        )?
        .query_row((source, -project), |row| row.get(0))
        .optional()
    }

    /// A task of which nothing is known.
    pub(super) fn unknown(id: i64) -> Self {
        Self {
            id,
            is_known: false,
            gone: None,
            is_labelled: false,
            is_assumed: false,
            overlap: None,
            unlisted: 0,
            project: None,
            version: None,
            seq: 0,
        }
    }

    /// Tells whether there is a row about it.
    pub(super) fn is_noted(&self) -> bool {
        self.is_known || self.gone.is_some()
    }

    /// State of a task that is there, in the file.
    fn state(&self) -> i64 {
        if self.is_labelled && self.is_assumed {
            TASK_ASSUMED
        } else {
            i64::from(self.is_labelled)
        }
    }

    /// Annotations that it needs to be labelled; Label Studio's default where nothing was said.
    pub(super) fn needed(&self) -> i64 {
        self.overlap.unwrap_or(1).max(1)
    }

    /// Its annotations that count, as far as the file knows of them.
    pub(super) fn listed(&self, db: &Connection, source: &str) -> rusqlite::Result<i64> {
        db.prepare_cached(
            "SELECT count(*) FROM ledger_things
             WHERE source = ?1 AND task = ?2 AND annotation > 0 AND state = ?3",
        )?
        .query_row((source, self.id, COUNTS), |row| row.get(0))
    }
}

/// The statement that [`write`] runs.
pub(super) fn writing(db: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
    db.prepare_cached(
        "INSERT INTO ledger_things(source, task, annotation, state, overlap, unlisted, project, version, seq)
         VALUES(?1, ?2, 0, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO UPDATE SET state = excluded.state, overlap = excluded.overlap,
             unlisted = excluded.unlisted, project = coalesce(excluded.project, project), version = excluded.version,
             seq = max(seq, excluded.seq)",
    )
}

/// Writes what is known of a task that is there into the file.
pub(super) fn write(
    statement: &mut CachedStatement<'_>,
    source: &str,
    task: &Task,
) -> rusqlite::Result<()> {
    statement
        .execute((
            source,
            task.id,
            task.state(),
            task.overlap,
            task.unlisted,
            &task.project,
            &task.version,
            task.seq,
        ))
        .map(|_| ())
}

/// Removes what is known of a task and its annotations.
pub(super) fn forget_with_annotations(
    db: &Connection,
    source: &str,
    task: i64,
) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM ledger_things WHERE source = ?1 AND task = ?2 AND task != 0")?
        .execute((source, task))
        .map(|_| ())
}
