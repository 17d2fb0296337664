//! Annotations that are there.

use super::tables::{COUNTS, GONE, THERE};
use super::task::Task;
use super::work::Work;
use labelrelay_core::told::{AnnotationThere, Beside};
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

impl Work<'_> {
    pub(super) fn annotation(&mut self, told: &AnnotationThere) -> rusqlite::Result<()> {
        let source = &self.cause.source;
        let known = self.known(told.id)?;
        if let Some(before) = &known {
            // A version that comes late, or again. What is gone comes back only where ids began anew.
            let is_old = match (&before.version, &told.version) {
                (Some(known), Some(new)) => known >= new,
                _ => before.state == GONE,
            };
            if before.seq >= self.seq || is_old {
                return Ok(());
            }
            if before.task != told.task {
                self.settle()?;
                forget(self.db, source, before.task, told.id)?;
            }
        } else if !self.takes_room() {
            return Ok(());
        }
        let mut task = self.known_task(told.task)?;
        if self.is_from_before(task.gone.as_deref(), told.version.clone()) {
            // It comes late, and went with its task. The platform tells nothing more of it.
            self.went_before_it_was_told(told, known.as_ref());
            return Ok(());
        }
        if !task.is_noted() && !self.takes_room() {
            return Ok(());
        }
        let (was_known, before) = (self.is_up_to_date(&task), task.clone());
        let state = if told.counts { COUNTS } else { THERE };
        let version = told.version.as_deref();
        self.note(told.task, told.id, state, version, known.as_ref());
        let listed = self.listed(told.task)?;
        let is_first = known.is_none_or(|known| known.state == GONE);
        let by_count = |task: &Task| listed.saturating_add(task.unlisted) >= task.needed();
        let is_labelled = match told.beside {
            // Deliveries overtake each other: only the newest one tells how it is.
            Beside::After(state) if told.version >= task.version => {
                task.version.clone_from(&told.version);
                task.overlap = state.overlap.or(task.overlap);
                if let Some(counted) = state.counted {
                    task.unlisted = counted.saturating_sub(listed).max(0);
                }
                if !was_known {
                    // It is open whether this change completed it: it may have been labelled before anything was known of it.
                    let mine = i64::from(told.counts && told.is_new);
                    let others = state
                        .counted
                        .map_or(0, |counted| counted.saturating_sub(mine));
                    task.is_labelled = others >= task.needed();
                }
                state.is_labelled.unwrap_or_else(|| by_count(&task))
            }
            Beside::Before(state) => {
                task.overlap = state.overlap.or(task.overlap);
                if !was_known {
                    task.is_labelled = state.is_labelled.unwrap_or(task.is_labelled);
                    let listed_before = listed - i64::from(told.counts && is_first);
                    task.unlisted = state.counted.map_or(task.unlisted, |counted| {
                        counted.saturating_sub(listed_before).max(0)
                    });
                }
                task.is_labelled || by_count(&task)
            }
            Beside::Nothing | Beside::After(_) => {
                // It was counted already beside what overtook it, or by the task that was fetched.
                let was_counted = self.cause.is_fetched || matches!(told.beside, Beside::After(_));
                if is_first && was_counted && told.counts && task.unlisted > 0 {
                    task.unlisted -= 1;
                }
                if !was_known && self.may_be_old() {
                    task.is_labelled |= by_count(&task);
                }
                task.is_labelled || by_count(&task)
            }
        };
        self.transition(&mut task, is_labelled, Some(told.id));
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
