//! Steps to change webhooks, one after the other: planned or done, said, and told to programs. The same for every
//! platform.

use super::facts::{Action, Id, Row};
use super::report::{Problem, Report};
use labelrelay_reconcile::PlatformError;
use std::future::Future;

/// One webhook, and what is to become of it.
pub(super) struct Step {
    pub(super) action: Action,
    /// Name of the webhook in messages about it.
    pub(super) name: String,
    pub(super) id: Option<Id>,
    pub(super) project: Option<Id>,
    /// Flaws that it has.
    pub(super) flaws: Vec<&'static str>,
}

impl Step {
    fn row(&self) -> Row {
        Row {
            id: self.id.clone(),
            project: self.project.clone(),
            action: self.action,
            flaws: self.flaws.clone(),
        }
    }

    /// The name, and in brackets what is wrong.
    fn told(&self) -> String {
        match self.flaws.as_slice() {
            [] => String::new(),
            flaws => format!(" ({})", flaws.join(", ")),
        }
    }

    fn planned(&self) -> String {
        match self.action {
            Action::Made => format!("{}: a webhook would be made", self.name),
            action => format!("{} would be {action}{}", self.name, self.told()),
        }
    }

    fn done(&self) -> String {
        match (self.action, &self.id) {
            (Action::Made, Some(id)) => format!("{}: webhook {id} made", self.name),
            (Action::Unchanged, _) => format!("{} is there already", self.name),
            (action, _) => format!("{} {action}{}", self.name, self.told()),
        }
    }
}

pub(super) struct Steps<'a> {
    /// `true` if the steps are only planned.
    pub(super) plan: bool,
    pub(super) report: &'a mut Report,
    pub(super) rows: &'a mut Vec<Row>,
}

impl Steps<'_> {
    /// A webhook that stays unchanged.
    pub(super) fn keep(&mut self, step: &Step) -> Result<(), Problem> {
        self.report.done(step.done())?;
        self.rows.push(step.row());
        Ok(())
    }

    /// A webhook that is not what it should be, and that nothing is done about.
    pub(super) fn give_up(&mut self, mut step: Step, why: &str) -> Result<(), Problem> {
        self.report.failed(format_args!("{}: {why}", step.name))?;
        step.action = Action::Failed;
        self.rows.push(step.row());
        Ok(())
    }

    /// Does it, unless all is planned only. `doing` gives the id of what it makes. `false` when the platform refuses
    /// it; what may pass by itself ends the walk.
    pub(super) async fn take(
        &mut self,
        mut step: Step,
        doing: impl Future<Output = Result<Option<Id>, PlatformError>>,
    ) -> Result<bool, Problem> {
        if self.plan {
            self.report.done(step.planned())?;
            self.rows.push(step.row());
            return Ok(true);
        }
        let is_good = match doing.await {
            Ok(made) => {
                step.id = made.or(step.id);
                self.report.done(step.done())?;
                true
            }
            Err(error) if error.is_retryable => return Err(error.into()),
            Err(error) => {
                let (name, told) = (&step.name, step.told());
                self.report.failed(format_args!("{name}{told}: {error}"))?;
                step.action = Action::Failed;
                false
            }
        };
        self.rows.push(step.row());
        Ok(is_good)
    }
}
