//! Tasks, and when they are completed.

use super::tables::TASK_GONE;
use super::task_row::Task;
use super::work::Work;
use labelrelay_core::task_facts::TaskState;

impl Work<'_> {
    /// A task that was imported or fetched.
    pub(super) fn task(
        &mut self,
        id: i64,
        state: TaskState,
        made: Option<String>,
    ) -> rusqlite::Result<()> {
        let mut task = self.known_task(id)?;
        // A bulk import has no time of its own. Without any, it was made when its event came.
        let made = made.or_else(|| self.cause.time_version());
        let made = made.or_else(|| Some(self.cause.received_version()));
        // A delivery that tells of its creation tells what was before all that is known.
        if task.seq >= self.seq
            || (task.is_known && !self.cause.is_fetched)
            || self.is_from_before(task.gone.as_deref(), made)
            || !(task.is_noted() || self.takes_room())
        {
            return Ok(());
        }
        task.overlap = state.overlap.or(task.overlap);
        if let Some(counted) = state.counted {
            task.unlisted = counted.saturating_sub(self.listed(id)?).max(0);
        }
        let is_labelled = task.is_labelled || state.is_labelled == Some(true);
        if !self.is_up_to_date(&task) && self.may_be_old() {
            task.is_labelled = is_labelled;
        }
        self.transition(&mut task, is_labelled, None);
        // Even where nothing changes: read again later, it would count against what came meanwhile.
        self.note_task(task, self.cause.project.as_deref());
        Ok(())
    }

    /// Notes the state in which this event leaves a task that was looked up before.
    pub(super) fn note_task(&mut self, mut task: Task, project: Option<&str>) {
        if let Some(project) = project {
            task.project = Some(project.to_owned());
        }
        task.seq = task.seq.max(self.seq);
        (task.is_known, task.gone) = (true, None);
        self.recent.change_task(&self.cause.source, task);
    }

    /// Tells whether a task was gone already when what the event states was made, as far as is known. Ids begin anew
    /// only where a platform does. What was fetched was there at that time, whenever it was made.
    pub(super) fn is_from_before(&self, gone: Option<&str>, made: Option<String>) -> bool {
        let Some(gone) = gone else {
            return false;
        };
        let made = if self.cause.is_fetched {
            Some(self.cause.received_version())
        } else {
            made
        };
        made.is_none_or(|made| *made <= *gone)
    }

    /// The version up to which something counts as gone: the relay's time, or its own newest version where the
    /// platform's clock is ahead.
    pub(super) fn gone_since(&self, newest: Option<&str>) -> String {
        let received = self.cause.received_version();
        newest.map_or(received.clone(), |newest| received.max(newest.to_owned()))
    }

    /// Notes in the file that a task is gone. It is kept, so that what comes late or is read again does not bring it back.
    pub(super) fn bury(&self, id: i64, newest: Option<&str>) -> rusqlite::Result<()> {
        self.db
            .prepare_cached(
                "INSERT INTO ledger_things(source, task, annotation, state, version, seq)
                 VALUES(?1, ?2, 0, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET state = excluded.state, version = excluded.version, overlap = NULL,
                     unlisted = 0, seq = excluded.seq",
            )?
            .execute((
                &self.cause.source,
                id,
                TASK_GONE,
                self.gone_since(newest),
                self.seq,
            ))
            .map(|_| ())
    }

    /// Notes that the event's project is gone. What is known of its tasks goes later, with this.
    pub(super) fn project_gone(&mut self) -> rusqlite::Result<()> {
        let project = self.cause.project.as_deref();
        let Some(id) = project
            .and_then(|id| id.parse::<i64>().ok())
            .filter(|id| *id > 0)
        else {
            return Ok(());
        };
        if !self.takes_room_for_gone() {
            return Ok(());
        }
        let version = self.cause.received_version();
        self.settle()?;
        self.note_in_file(0, -id, &version)
    }

    /// The task is labelled now, or not; it may have been completed just now.
    pub(super) fn transition(
        &mut self,
        task: &mut Task,
        is_labelled: bool,
        annotation: Option<i64>,
    ) {
        if is_labelled && !task.is_labelled {
            let project = self.cause.project.as_deref().or(task.project.as_deref());
            let event = self
                .derivation
                .completion(self.cause, task.id, annotation, project);
            self.derive(event);
            task.is_assumed = false;
        }
        task.is_labelled = is_labelled;
        task.is_assumed &= is_labelled;
    }
}
