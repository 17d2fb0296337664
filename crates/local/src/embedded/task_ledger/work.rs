//! Takes in what one event tells, within one transaction.

use super::annotation::{self, Known};
use super::budget::Budget;
use super::damage::is_one_row;
use super::task::{self, Task};
use labelrelay_core::derive::{Cause, Derivation};
use labelrelay_core::told::Statement;
use labelrelay_core::{OutboundMessage, QueueLimits};
use rusqlite::Connection;

/// A piece of work within one transaction.
pub(super) struct Work<'a> {
    pub(super) db: &'a Connection,
    pub(super) derivation: &'a Derivation,
    pub(super) limits: QueueLimits,
    pub(super) cause: &'a Cause,
    pub(super) seq: i64,
    pub(super) is_silent: bool,
    /// What is not known may have been known.
    pub(super) has_gaps: bool,
    pub(super) left: Budget,
    /// Tasks and annotations that were forgotten, because what is known of them cannot be read.
    pub(super) forgot: u64,
    pub(super) derived: Vec<OutboundMessage>,
}

impl Work<'_> {
    /// Takes the statements in as far as there is time; the rest.
    pub(super) fn all(&mut self, statements: &[Statement]) -> rusqlite::Result<Vec<Statement>> {
        let mut rest = Vec::new();
        for statement in statements {
            if self.left.is_spent() {
                rest.push(statement.clone());
                continue;
            }
            match statement {
                Statement::Annotation(annotation) => {
                    self.left.spend();
                    self.annotation(annotation)?;
                }
                Statement::Task { id, state, made } => {
                    self.left.spend();
                    self.task(*id, *state, made.clone())?;
                }
                Statement::AnnotationsGone { ids, are_several } => {
                    rest.extend(self.annotations_gone(ids, *are_several)?);
                }
                Statement::TasksGone(ids) => rest.extend(self.tasks_gone(ids)?),
                Statement::ProjectGone => {
                    self.left.spend();
                    self.project_gone()?;
                }
            }
        }
        Ok(rest)
    }

    /// Knowledge of an annotation. One that cannot be read is forgotten, and nothing else.
    pub(super) fn known(&mut self, annotation: i64) -> rusqlite::Result<Option<Known>> {
        let source = &self.cause.source;
        match annotation::known(self.db, source, annotation) {
            Err(error) if is_one_row(&error) => {
                self.forgot += 1;
                self.has_gaps = true;
                annotation::forget_all(self.db, source, annotation)?;
                Ok(None)
            }
            known => known,
        }
    }

    /// Knowledge of a task. One that cannot be read is forgotten, and nothing else.
    pub(super) fn known_task(&mut self, id: i64) -> rusqlite::Result<Task> {
        let source = &self.cause.source;
        match Task::read(self.db, source, id) {
            Err(error) if is_one_row(&error) => {
                self.forgot += 1;
                self.has_gaps = true;
                annotation::forget(self.db, source, id, 0)?;
                Ok(Task::unknown(id))
            }
            Ok(task) if self.went_with_its_project(&task)? => {
                // Its ids began anew since: what is known is of another task.
                task::forget_with_annotations(self.db, source, id)?;
                Ok(Task::unknown(id))
            }
            task => task,
        }
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

    /// Adds an event that follows.
    pub(super) fn derive(&mut self, message: Option<OutboundMessage>) {
        self.left.spend();
        if !self.is_silent {
            self.derived.extend(message);
        }
    }
}
