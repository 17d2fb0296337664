//! Takes one event in: what is newer than what is known.

use super::batch::Batch;
use super::read_ahead::ReadEvent;
use super::version::at_most;
use super::{annotation, project, removal, review, steps, task};
use labelrelay_event::Origin;
use labelrelay_event::changes::{Change, Changed, Kind, Record};

/// Takes an event in; `true` if it changed something.
pub(super) fn take_in(db: &Batch<'_>, read: &ReadEvent<'_>) -> rusqlite::Result<bool> {
    let event = &read.event;
    let mut has_changed = match &read.beside {
        Some(beside) => task::beside(db, event, beside, &read.receipt)?,
        None => false,
    };
    for change in &read.changes {
        has_changed |= match change {
            Change::Removed(removed) => removal::take_in(db, removed)?,
            Change::Changed(it) => take_in_changed(db, read, it)?,
            _ => false,
        };
    }
    Ok(has_changed)
}

fn take_in_changed(
    db: &Batch<'_>,
    read: &ReadEvent<'_>,
    changed: &Changed<'_>,
) -> rusqlite::Result<bool> {
    let (event, received) = (&read.event, &read.receipt.version);
    match (changed.key.kind, changed.record.as_deref()) {
        (Kind::Annotation | Kind::Label, Some(Record::Annotation(record))) => {
            if event.attributes().origin == Some(Origin::Reconcile) {
                removal::contradict(db, &changed.key, received)?;
            }
            annotation::take_in(db, event, changed, record)
        }
        (Kind::Task, Some(Record::Task(record))) => {
            let seen = at_most(received.clone(), record.updated.as_deref());
            task::take_in(db, &changed.key, record, &seen)
        }
        (Kind::Project, Some(Record::Project(record))) => project::take_in(
            db,
            &changed.key,
            record.title.as_deref(),
            record.label_config.as_deref(),
            &at_most(received.clone(), record.updated.as_deref()),
        ),
        (Kind::Review, Some(Record::Review(record))) => {
            review::take_in(db, event, received, changed, record)
        }
        (Kind::Completion, _) => steps::complete(db, event, received, changed),
        (Kind::Workflow, Some(Record::Workflow(record))) => {
            steps::move_in_workflow(db, changed, record)
        }
        _ => Ok(false),
    }
}
