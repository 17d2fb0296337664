//! How far a task is: its step in Labelbox's workflow, and whether it has all the annotations that it needs.

use super::batch::Batch;
use super::changes::Table;
use super::removal::{self, Gone};
use super::task::change;
use super::version::received;
use labelrelay_event::Event;
use labelrelay_event::changes::{Changed, Workflow};

/// Notes that a task has all the annotations that it needs, unless it was gone by then.
pub(super) fn complete(
    db: &Batch<'_>,
    event: &Event<'_>,
    changed: &Changed<'_>,
) -> rusqlite::Result<bool> {
    let key = &changed.key;
    let holders = changed.parents.iter().map(|it| (it.kind, &*it.id));
    if removal::is_gone(db, &key.source, holders, Some(&received(event)))? == Gone::Yes {
        return Ok(false);
    }
    let received = &event.attributes().receivedtime;
    let statement =
        "INSERT INTO tasks(source, task_id, completed_at, seen_at) VALUES(?1, ?2, ?3, '')
         ON CONFLICT DO UPDATE SET completed_at = excluded.completed_at
         WHERE completed_at IS NULL OR completed_at < excluded.completed_at RETURNING project_id";
    let (source, id) = (&*key.source, &*key.id);
    change(db, statement, (source, id, received), source, id).map(|changed| changed.is_some())
}

/// The newest step of a data row in Labelbox's workflow.
pub(super) fn move_in_workflow(
    db: &Batch<'_>,
    changed: &Changed<'_>,
    step: &Workflow<'_>,
) -> rusqlite::Result<bool> {
    let at = changed.version.as_deref().unwrap_or_default();
    let statement = "INSERT INTO tasks(source, task_id, workflow_state, workflow_at, seen_at) VALUES(?1, ?2, ?3, ?4, '')
         ON CONFLICT DO UPDATE SET workflow_state = excluded.workflow_state, workflow_at = excluded.workflow_at
         WHERE workflow_at IS NULL OR workflow_at <= excluded.workflow_at RETURNING project_id";
    let (source, row) = (&*changed.key.source, &*changed.key.id);
    let step = step.destination.as_deref().or(step.action.as_deref());
    let Some(place) = change(db, statement, (source, row, step, at), source, row)? else {
        return Ok(false);
    };
    // A label counts by the step of its data row, which may be in other projects too.
    let mut others = db.prepare_cached(
        "SELECT DISTINCT project_id FROM annotations WHERE source = ?1 AND task_id = ?2 AND project_id IS NOT ?3",
    )?;
    let mut others = others.query((source, row, place.project))?;
    while let Some(other) = others.next()? {
        let other: Option<String> = other.get(0)?;
        db.touch(Table::Annotations, source, other.as_deref(), Some(row))?;
    }
    Ok(true)
}
