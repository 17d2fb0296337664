//! Tasks, and when they are completed.

use super::tables::{COUNTS, TASK_GONE};
use super::work::Work;
use labelrelay_core::told::TaskState;
use rusqlite::{CachedStatement, Connection, OptionalExtension as _};

/// Knowledge of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) id: i64,
    pub(super) is_known: bool,
    /// When it was told that the task is gone, in the form of a version.
    pub(super) gone: Option<String>,
    pub(super) is_labelled: bool,
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
            i64::from(task.is_labelled),
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

impl Work<'_> {
    /// A task that was imported or fetched.
    pub(super) fn task(
        &mut self,
        id: i64,
        state: TaskState,
        made: Option<String>,
    ) -> rusqlite::Result<()> {
        let mut task = self.known_task(id)?;
        // A bulk import has no time of its own. Without any, it was made when it was told.
        let made = made.or_else(|| self.cause.time_version());
        let made = made.or_else(|| Some(self.cause.received_version()));
        // A delivery that tells of its creation tells what was before all that is known.
        if task.seq >= self.seq
            || (task.is_known && !self.cause.is_fetched)
            || self.is_from_before(task.gone.as_deref(), made)
            || !(task.is_noted() || self.takes_room())
        {
            return Ok(());
        }
        task.overlap = state.overlap.or(task.overlap);
        if let Some(counted) = state.counted {
            task.unlisted = counted.saturating_sub(self.listed(id)?).max(0);
        }
        let is_labelled = task.is_labelled || state.is_labelled == Some(true);
        if !self.is_up_to_date(&task) && self.may_be_old() {
            task.is_labelled = is_labelled;
        }
        self.transition(&mut task, is_labelled, None);
        // Even where nothing changes: read again later, it would count against what came meanwhile.
        self.note_task(task, self.cause.project.as_deref());
        Ok(())
    }

    /// Notes the state in which this event leaves a task that was looked up before.
    pub(super) fn note_task(&mut self, mut task: Task, project: Option<&str>) {
        if let Some(project) = project {
            task.project = Some(project.to_owned());
        }
        task.seq = task.seq.max(self.seq);
        (task.is_known, task.gone) = (true, None);
        self.recent.change_task(&self.cause.source, task);
    }

    /// Tells whether a task was gone already when what is told was made, as far as is known. Ids begin anew only where
    /// a platform does. What was fetched was there at that time, whenever it was made.
    pub(super) fn is_from_before(&self, gone: Option<&str>, made: Option<String>) -> bool {
        let Some(gone) = gone else {
            return false;
        };
        let made = if self.cause.is_fetched {
            Some(self.cause.received_version())
        } else {
            made
        };
        made.is_none_or(|made| *made <= *gone)
    }

    /// The version up to which something counts as gone: the relay's time, or its own newest version where the
    /// platform's clock is ahead.
    pub(super) fn gone_since(&self, newest: Option<&str>) -> String {
        let received = self.cause.received_version();
        newest.map_or(received.clone(), |newest| received.max(newest.to_owned()))
    }

    /// Notes in the file that a task is gone. It is kept, so that what comes late or is read again does not bring it back.
    pub(super) fn bury(&self, id: i64, newest: Option<&str>) -> rusqlite::Result<()> {
        self.db
            .prepare_cached(
                "INSERT INTO ledger_things(source, task, annotation, state, version, seq)
                 VALUES(?1, ?2, 0, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET state = excluded.state, version = excluded.version, overlap = NULL,
                     unlisted = 0, seq = excluded.seq",
            )?
            .execute((
                &self.cause.source,
                id,
                TASK_GONE,
                self.gone_since(newest),
                self.seq,
            ))
            .map(|_| ())
    }

    /// Notes that the event's project is gone. What is known of its tasks goes later, with this.
    pub(super) fn project_gone(&mut self) -> rusqlite::Result<()> {
        let project = self.cause.project.as_deref();
        let Some(id) = project
            .and_then(|id| id.parse::<i64>().ok())
            .filter(|id| *id > 0)
        else {
            return Ok(());
        };
        if !self.takes_room() {
            return Ok(());
        }
        let version = self.cause.received_version();
        self.settle()?;
        self.note_in_file(0, -id, &version)
    }

    /// The task is labelled now, or not; it may have been completed just now.
    pub(super) fn transition(
        &mut self,
        task: &mut Task,
        is_labelled: bool,
        annotation: Option<i64>,
    ) {
        if is_labelled && !task.is_labelled {
            let project = self.cause.project.as_deref().or(task.project.as_deref());
            let event = self
                .derivation
                .completion(self.cause, task.id, annotation, project);
            self.derive(event);
        }
        task.is_labelled = is_labelled;
    }
}
