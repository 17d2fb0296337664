//! Annotations that are there.

use super::annotation_row::{Known, forget, write, writing};
use super::tables::{COUNTS, GONE, THERE};
use super::task_row::Task;
use super::work::Work;
use labelrelay_core::task_facts::{AnnotationThere, Beside, TaskState};

impl Work<'_> {
    pub(super) fn annotation(&mut self, there: &AnnotationThere) -> rusqlite::Result<()> {
        let source = &self.cause.source;
        let known = self.known(there.id)?;
        if let Some(before) = &known {
            // A version that comes late, or again. What is gone comes back only where ids began anew.
            let is_old = match (&before.version, &there.version) {
                (Some(known), Some(new)) => known >= new,
                _ => before.state == GONE,
            };
            if before.seq >= self.seq || is_old {
                return Ok(());
            }
            if before.task != there.task {
                self.settle()?;
                forget(self.db, source, before.task, there.id)?;
            }
        } else if !self.takes_room() {
            return Ok(());
        }
        let mut task = self.known_task(there.task)?;
        if self.is_from_before(task.gone.as_deref(), there.version.clone()) {
            // It comes late, and went with its task. The platform tells nothing more of it.
            self.went_before_its_event(there, known.as_ref());
            return Ok(());
        }
        if !task.is_noted() && !self.takes_room() {
            return Ok(());
        }
        let (was_known, before) = (self.is_up_to_date(&task), task.clone());
        let state = if there.counts { COUNTS } else { THERE };
        let version = there.version.as_deref();
        self.note(there.task, there.id, state, version, known.as_ref());
        let listed = self.listed(there.task)?;
        let is_first = known.is_none_or(|known| known.state == GONE);
        let by_count = |task: &Task| listed.saturating_add(task.unlisted) >= task.needed();
        let is_labelled = match there.beside {
            // Deliveries overtake each other: only the newest one tells how it is.
            Beside::After(state) if there.version >= task.version => {
                task.version.clone_from(&there.version);
                task.overlap = state.overlap.or(task.overlap);
                if let Some(counted) = state.counted {
                    task.unlisted = counted.saturating_sub(listed).max(0);
                }
                if !was_known {
                    // It is open whether this change completed it: it may have been labelled before anything was known of it.
                    let mine = i64::from(there.counts && there.is_new);
                    let others = state
                        .counted
                        .map_or(0, |counted| counted.saturating_sub(mine));
                    task.is_labelled = others >= task.needed();
                    task.is_assumed = task.is_labelled;
                }
                state.is_labelled.unwrap_or_else(|| by_count(&task))
            }
            Beside::Before(state) => {
                task.overlap = state.overlap.or(task.overlap);
                if !was_known {
                    task.is_labelled = state.is_labelled.unwrap_or(task.is_labelled);
                    let listed_before = listed - i64::from(there.counts && is_first);
                    task.unlisted = state.counted.map_or(task.unlisted, |counted| {
                        counted.saturating_sub(listed_before).max(0)
                    });
                }
                task.is_labelled || by_count(&task)
            }
            Beside::Nothing | Beside::After(_) => {
                // It was counted already beside what overtook it, or by the task that was fetched.
                let was_counted = self.cause.is_fetched || matches!(there.beside, Beside::After(_));
                if is_first && was_counted && there.counts && task.unlisted > 0 {
                    task.unlisted -= 1;
                }
                if !was_known && self.may_be_old() {
                    task.is_labelled |= by_count(&task);
                }
                let completed_it = task.is_assumed
                    && !self.may_be_old()
                    && says_that_it_completed(there, task.needed());
                if completed_it {
                    task.is_labelled = false;
                }
                completed_it || task.is_labelled || by_count(&task)
            }
        };
        self.transition(&mut task, is_labelled, Some(there.id));
        if task != before {
            self.note_task(task, self.cause.project.as_deref());
        }
        Ok(())
    }

    /// Notes the state in which this event leaves an annotation of a task that was looked up before; `before`: what was
    /// known of it.
    pub(super) fn note(
        &mut self,
        task: i64,
        annotation: i64,
        state: i64,
        version: Option<&str>,
        before: Option<&Known>,
    ) {
        let before = before.filter(|before| before.task == task);
        let version = version.or(before.and_then(|before| before.version.as_deref()));
        let counted = |state: i64| i64::from(state == COUNTS);
        let more = counted(state) - before.map_or(0, |before| counted(before.state));
        let known = Known {
            task,
            state,
            version: version.map(str::to_owned),
            seq: self.seq,
        };
        self.recent
            .change_annotation(&self.cause.source, annotation, known, more);
    }

    /// The same in the file alone, which knows all that was told before.
    pub(super) fn note_in_file(
        &self,
        task: i64,
        annotation: i64,
        version: &str,
    ) -> rusqlite::Result<()> {
        let gone = Known {
            task,
            state: GONE,
            version: Some(version.to_owned()),
            seq: self.seq,
        };
        let source = &self.cause.source;
        write(&mut writing(self.db)?, source, annotation, &gone)
    }
}

/// Tells whether a new annotation says that with it, its task had all that it needs, and not before.
fn says_that_it_completed(there: &AnnotationThere, needed: i64) -> bool {
    let Beside::After(TaskState {
        is_labelled,
        overlap,
        counted,
    }) = there.beside
    else {
        return false;
    };
    let needed = overlap.map_or(needed, |overlap| overlap.max(1));
    there.is_new && there.counts && counted == Some(needed) && is_labelled != Some(false)
}
