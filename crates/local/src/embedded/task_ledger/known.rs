//! Knowledge of one annotation or task. A row that cannot be read is forgotten alone.

use super::annotation_row::{self, Known};
use super::damage::is_one_row;
use super::task_row::{self, Task};
use super::work::Work;

impl Work<'_> {
    /// Knowledge of an annotation. One that cannot be read is forgotten, and nothing else.
    pub(super) fn known(&mut self, annotation: i64) -> rusqlite::Result<Option<Known>> {
        let source = &self.cause.source;
        if let Some(known) = self.recent.annotation(source, annotation) {
            return Ok(Some(known.clone()));
        }
        match annotation_row::known(self.db, source, annotation) {
            Err(error) if is_one_row(&error) => {
                self.forgot += 1;
                self.gaps = self.gaps.max(1);
                self.settle()?;
                annotation_row::forget_all(self.db, source, annotation)?;
                Ok(None)
            }
            known => known,
        }
    }

    /// Knowledge of a task. One that cannot be read is forgotten, and nothing else.
    pub(super) fn known_task(&mut self, id: i64) -> rusqlite::Result<Task> {
        let source = &self.cause.source;
        if let Some(task) = self.recent.task(source, id) {
            return Ok(task.clone());
        }
        let task = self.task_in_file(id)?;
        let listed = task.listed(self.db, source)?;
        self.recent.learn_task(source, task.clone(), listed);
        Ok(task)
    }

    fn task_in_file(&mut self, id: i64) -> rusqlite::Result<Task> {
        let source = &self.cause.source;
        match Task::read(self.db, source, id) {
            Err(error) if is_one_row(&error) => {
                self.forgot += 1;
                self.gaps = self.gaps.max(1);
                annotation_row::forget(self.db, source, id, 0)?;
                Ok(Task::unknown(id))
            }
            Ok(task) if self.went_with_its_project(&task)? => {
                // Its ids began anew since: what is known is of another task.
                task_row::forget_with_annotations(self.db, source, id)?;
                Ok(Task::unknown(id))
            }
            task => task,
        }
    }

    /// Annotations of a task that count, as far as events told of them.
    pub(super) fn listed(&mut self, task: i64) -> rusqlite::Result<i64> {
        let source = &self.cause.source;
        match self.recent.listed(source, task) {
            Some(listed) => Ok(listed),
            None => Task::unknown(task).listed(self.db, source),
        }
    }

    /// Tells whether what is known of a task is up to date, as far as events told.
    pub(super) fn is_up_to_date(&self, task: &Task) -> bool {
        task.is_known && task.seq > self.gaps
    }

    /// Tells whether a task of which nothing is told for the first time may have been labelled long ago: it was forgotten,
    /// events of it were missed, or a first pull tells of years.
    pub(super) fn may_be_old(&self) -> bool {
        self.gaps > 0 || self.cause.is_fetched
    }

    /// Tells whether a task's project went after the last that was told of the task.
    fn went_with_its_project(&self, task: &Task) -> rusqlite::Result<bool> {
        let project = task
            .project
            .as_deref()
            .and_then(|id| id.parse::<i64>().ok());
        let Some(project) = project.filter(|id| task.is_known && *id > 0) else {
            return Ok(false);
        };
        let gone = Task::seq_of_gone_project(self.db, &self.cause.source, project)?;
        Ok(gone.is_some_and(|gone| gone > task.seq && gone < self.seq))
    }
}
