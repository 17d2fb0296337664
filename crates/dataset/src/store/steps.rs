//! How far a task is: its step in Labelbox's workflow, and whether it has all the annotations that it needs.

use super::batch::Batch;
use super::changes::Table;
use super::removal::{self, Gone};
use super::task::{self, change};
use labelrelay_event::Event;
use labelrelay_event::changes::{Changed, Kind, Workflow};
use rusqlite::Connection;

/// The table of steps in Labelbox's workflow: the last one of a data row in each project, which has its own workflow.
pub(super) const TABLE: &str = "
CREATE TABLE IF NOT EXISTS steps(
    source TEXT NOT NULL,
    task_id TEXT NOT NULL,              -- the data row
    project_id TEXT NOT NULL,           -- empty if nobody told it: the step counts in each
    state TEXT,
    at TEXT NOT NULL,
    PRIMARY KEY(source, task_id, project_id)
) STRICT, WITHOUT ROWID;
";

/// Takes over the steps of earlier versions, which did not know of which project they were.
pub(super) fn of_before(db: &Connection) -> rusqlite::Result<()> {
    db.execute(
        "INSERT OR IGNORE INTO steps SELECT source, task_id, '', workflow_state, workflow_at FROM tasks
         WHERE workflow_at IS NOT NULL",
        [],
    )
    .map(drop)
}

/// Notes that a task has all the annotations that it needs, unless it was gone by then.
pub(super) fn complete(
    db: &Batch<'_>,
    event: &Event<'_>,
    received: &str,
    changed: &Changed<'_>,
) -> rusqlite::Result<bool> {
    let key = &changed.key;
    let holders = changed.parents.iter().map(|it| (it.kind, &*it.id));
    if removal::is_gone(db, &key.source, holders, Some(received))? == Gone::Yes {
        return Ok(false);
    }
    let at = &event.attributes().receivedtime;
    let statement =
        "INSERT INTO tasks(source, task_id, completed_at, seen_at) VALUES(?1, ?2, ?3, '')
         ON CONFLICT DO UPDATE SET completed_at = excluded.completed_at
         WHERE completed_at IS NULL OR completed_at < excluded.completed_at RETURNING project_id";
    let (source, id) = (&*key.source, &*key.id);
    change(db, statement, (source, id, at), source, id).map(|changed| changed.is_some())
}

/// The newest step of a data row in the workflow of its project.
pub(super) fn move_in_workflow(
    db: &Batch<'_>,
    changed: &Changed<'_>,
    step: &Workflow<'_>,
) -> rusqlite::Result<bool> {
    let at = changed.version.as_deref().unwrap_or_default();
    let (source, row) = (&*changed.key.source, &*changed.key.id);
    let step = step.destination.as_deref().or(step.action.as_deref());
    let project = changed.parents.iter().find(|it| it.kind == Kind::Project);
    let project = project.map_or("", |project| &*project.id);
    let noted = db
        .prepare_cached(
            "INSERT INTO steps VALUES(?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET state = excluded.state, at = excluded.at
             WHERE at < excluded.at OR (at = excluded.at AND state IS NOT excluded.state)",
        )?
        .execute((source, row, project, step, at))?;
    if noted == 0 {
        return Ok(false);
    }
    // The last one in any project stands beside the task.
    let statement = "INSERT INTO tasks(source, task_id, workflow_state, workflow_at, seen_at) VALUES(?1, ?2, ?3, ?4, '')
         ON CONFLICT DO UPDATE SET workflow_state = excluded.workflow_state, workflow_at = excluded.workflow_at
         WHERE workflow_at IS NULL OR workflow_at <= excluded.workflow_at RETURNING project_id";
    change(db, statement, (source, row, step, at), source, row)?;
    let place = task::place(db, source, row)?;
    let own = place.and_then(|place| place.project);
    // Also if the task has a later step of another project: the counts of the part are others now.
    db.touch(Table::Tasks, source, own.as_deref(), Some(row))?;
    // A data row may be in other projects too, and its labels with it.
    let mut others = db.prepare_cached(
        "SELECT DISTINCT project_id FROM annotations WHERE source = ?1 AND task_id = ?2 AND project_id IS NOT ?3",
    )?;
    let mut others = others.query((source, row, own))?;
    while let Some(other) = others.next()? {
        let other: Option<String> = other.get(0)?;
        db.touch(Table::Annotations, source, other.as_deref(), Some(row))?;
    }
    Ok(true)
}
