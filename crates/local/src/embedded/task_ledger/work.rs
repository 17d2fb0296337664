//! Takes in what one event tells, within one transaction.

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
    pub(super) left: usize,
    pub(super) derived: Vec<OutboundMessage>,
}

impl Work<'_> {
    /// Takes the statements in as far as there is time; the rest.
    pub(super) fn all(&mut self, statements: &[Statement]) -> rusqlite::Result<Vec<Statement>> {
        let mut rest = Vec::new();
        for statement in statements {
            if self.left == 0 {
                rest.push(statement.clone());
                continue;
            }
            match statement {
                Statement::Annotation(annotation) => {
                    self.left -= 1;
                    self.annotation(annotation)?;
                }
                Statement::Task { id, state } => {
                    self.left -= 1;
                    self.task(*id, *state)?;
                }
                Statement::AnnotationsGone { ids, are_several } => {
                    rest.extend(self.annotations_gone(ids, *are_several)?);
                }
                Statement::TasksGone(ids) => rest.extend(self.tasks_gone(ids)?),
            }
        }
        Ok(rest)
    }

    /// Adds an event that follows.
    pub(super) fn derive(&mut self, message: Option<OutboundMessage>) {
        self.left = self.left.saturating_sub(1);
        if !self.is_silent {
            self.derived.extend(message);
        }
    }
}
