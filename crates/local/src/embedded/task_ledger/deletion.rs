//! Annotations that are gone, by themselves or with their task.

use super::annotation_row::{self, Known};
use super::damage::is_one_row;
use super::recent::Recent;
use super::tables::GONE;
use super::task_row::Task;
use super::work::Work;
use labelrelay_core::task_facts::{AnnotationThere, TaskFact};
use rusqlite::Connection;
use std::time::{Duration, Instant};

/// A deletion waits no longer for the name of its task.
const PATIENCE: Duration = Duration::from_millis(5);

/// The task that all these annotations belong to, if each is known to be there and the look does not take too long.
pub(super) fn only_task(
    db: &Connection,
    recent: &Recent,
    source: &str,
    annotations: &[i64],
) -> rusqlite::Result<Option<i64>> {
    let begun = Instant::now();
    let mut only = None;
    for (looked, id) in annotations.iter().enumerate() {
        if looked % 64 == 63 && begun.elapsed() > PATIENCE {
            return Ok(None);
        }
        let known = match recent.annotation(source, *id) {
            Some(known) => Some(known.clone()),
            None => match annotation_row::known(db, source, *id) {
                Err(error) if is_one_row(&error) => return Ok(None),
                known => known?,
            },
        };
        let there = known.filter(|known| known.state != GONE && known.task > 0);
        match (there.map(|known| known.task), only) {
            (Some(task), None) => only = Some(task),
            (Some(task), Some(same)) if task == same => {}
            _ => return Ok(None),
        }
    }
    Ok(only)
}

impl Work<'_> {
    /// One that went alone has the platform's own event; of several, each gets one. The ids that are left.
    pub(super) fn annotations_gone(
        &mut self,
        ids: &[i64],
        are_several: bool,
    ) -> rusqlite::Result<Option<TaskFact>> {
        for (done, id) in ids.iter().enumerate() {
            if self.left.is_spent() {
                let left = ids.get(done..).unwrap_or_default().to_vec();
                return Ok(Some(TaskFact::AnnotationsGone {
                    ids: left,
                    are_several,
                }));
            }
            self.left.spend();
            self.annotation_gone(*id, are_several)?;
        }
        Ok(None)
    }

    fn annotation_gone(&mut self, id: i64, is_derived: bool) -> rusqlite::Result<()> {
        let known = self.known(id)?;
        if known
            .as_ref()
            .is_some_and(|known| known.state == GONE || known.seq >= self.seq)
        {
            return Ok(());
        }
        let may_note = known.is_some() || self.takes_room_for_gone();
        let of = known.as_ref().map_or(0, |known| known.task);
        let task = if of > 0 {
            self.known_task(of)?
        } else {
            Task::unknown(of)
        };
        let newest = known.as_ref().and_then(|known| known.version.clone());
        if may_note {
            self.mark_gone(of, id, newest.as_deref(), known.as_ref());
        }
        if of > 0 && task.is_labelled {
            let left = self.listed(of)?.saturating_add(task.unlisted);
            if left < task.needed() {
                let reopened = Task {
                    is_labelled: false,
                    is_assumed: false,
                    ..task.clone()
                };
                self.note_task(reopened, None);
            }
        }
        if is_derived {
            let of = Some(of).filter(|of| *of > 0);
            self.derive_deletion(id, newest.as_deref(), of, task.project.as_deref());
        }
        Ok(())
    }

    /// An annotation whose event comes after its task is gone.
    pub(super) fn went_before_its_event(&mut self, there: &AnnotationThere, known: Option<&Known>) {
        self.mark_gone(there.task, there.id, there.version.as_deref(), known);
        self.derive_deletion(there.id, there.version.as_deref(), Some(there.task), None);
    }

    /// Everything that belonged to these tasks is gone. The tasks that are left.
    pub(super) fn tasks_gone(&mut self, ids: &[i64]) -> rusqlite::Result<Option<TaskFact>> {
        // There may be many of them: they are read and noted where they lie.
        self.settle()?;
        let rest = self.tasks_gone_from_file(ids);
        self.recent.forget();
        rest
    }

    fn tasks_gone_from_file(&mut self, ids: &[i64]) -> rusqlite::Result<Option<TaskFact>> {
        for (done, id) in ids.iter().enumerate() {
            let task = self.known_task(*id)?;
            let source = &self.cause.source;
            loop {
                if self.left.is_spent() {
                    let left = ids.get(done..).unwrap_or_default().to_vec();
                    return Ok(Some(TaskFact::TasksGone(left)));
                }
                self.left.spend();
                let some: Vec<(i64, Option<String>)> = self
                    .db
                    .prepare_cached(
                        "SELECT annotation, version FROM ledger_things
                         WHERE source = ?1 AND task = ?2 AND annotation > 0 AND state != ?3 AND seq < ?4
                         ORDER BY annotation LIMIT ?5",
                    )?
                    .query_map(
                        (
                            source,
                            *id,
                            GONE,
                            self.seq,
                            i64::try_from(self.left.next()).unwrap_or(i64::MAX),
                        ),
                        |row| Ok((row.get(0)?, row.get(1)?)),
                    )?
                    .collect::<rusqlite::Result<_>>()?;
                if some.is_empty() && self.left.next() > 0 {
                    break;
                }
                for (annotation, newest) in some {
                    let version = self.gone_since(newest.as_deref());
                    self.note_in_file(*id, annotation, &version)?;
                    let project = task.project.as_deref();
                    self.derive_deletion(annotation, newest.as_deref(), Some(*id), project);
                }
            }
            // One that was not known too: what comes late must not bring it back.
            if task.seq < self.seq && (task.is_noted() || self.takes_room_for_gone()) {
                self.bury(*id, task.version.as_deref())?;
            }
        }
        Ok(None)
    }

    fn derive_deletion(
        &mut self,
        annotation: i64,
        newest: Option<&str>,
        task: Option<i64>,
        project: Option<&str>,
    ) {
        let project = self.cause.project.as_deref().or(project);
        let (cause, limits) = (self.cause, self.limits);
        let event = self
            .derivation
            .deletion(cause, annotation, newest, task, project, limits);
        self.derive(event);
    }

    fn mark_gone(
        &mut self,
        task: i64,
        annotation: i64,
        newest: Option<&str>,
        known: Option<&Known>,
    ) {
        let version = self.gone_since(newest);
        self.note(task, annotation, GONE, Some(&version), known);
    }
}
