//! The ground truth of a task in Label Studio.
//!
//! Whoever sets a ground truth with Label Studio's API takes it from the task's other annotations (`ensure_unique_groundtruth` in
//! `tasks/models.py` of Label Studio 1.23.2). No event tells that, and not even the version of the others changes. But an
//! import takes it from nobody: its annotations are ground truths, several of one task too, and each stays one when its
//! result is changed. So an event that says "ground truth" proves nothing by itself. Two things prove that it was set: the
//! event that one annotation was created, and a version that is a ground truth after one that was not.

use super::batch::Batch;
use super::changes::Table;
use labelrelay_event::Event;

/// `true` if the event tells that one annotation was created with the API. Several at once come from predictions, and what a
/// pull found may have been imported.
pub(super) fn is_created_alone(event: &Event<'_>) -> bool {
    let attributes = event.attributes();
    attributes.origin.is_none() && attributes.event_type == "io.labelstud.annotation.created"
}

/// Notes that the annotation was made the ground truth, at this version or before it, and takes that from the task's others of
/// earlier versions.
pub(super) fn note_set(
    db: &Batch<'_>,
    row: i64,
    source: &str,
    task: &str,
    version: &str,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE annotations SET ground_truth_set = max(coalesce(ground_truth_set, ''), ?2) WHERE row = ?1",
    )?
    .execute((row, version))?;
    let mut others = db.prepare_cached(
        "UPDATE annotations SET ground_truth = 0
         WHERE source = ?1 AND task_id = ?2 AND row != ?3 AND ground_truth = 1 AND coalesce(version, '') < ?4
         RETURNING project_id",
    )?;
    let mut others = others.query((source, task, row, version))?;
    while let Some(other) = others.next()? {
        let project: Option<String> = other.get(0)?;
        db.touch(Table::Annotations, source, project.as_deref(), Some(task))?;
    }
    Ok(())
}

/// Takes the ground truth from the annotation if another one of the task was made it after this version: this one came late.
pub(super) fn take_if_late(
    db: &Batch<'_>,
    row: i64,
    source: &str,
    task: &str,
    version: &str,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE annotations SET ground_truth = 0
         WHERE row = ?3 AND EXISTS (SELECT 1 FROM annotations AS others
             WHERE others.source = ?1 AND others.task_id = ?2 AND others.row != ?3 AND others.ground_truth_set > ?4)",
    )?
    .execute((source, task, row, version))
    .map(drop)
}
