//! A transaction that changes the state, with what it has learned on its way: so nothing is asked twice, and each part of the
//! state that changes is noted once.

use super::changes::{Changes, Table};
use super::revision::{note_change, revision};
use labelrelay_event::changes::Kind;
use rusqlite::{Connection, OptionalExtension as _, Transaction};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ops::Deref;

/// A transaction that changes the state. Whoever changes a row of an annotation, a task or a review says so with
/// [`touch`](Self::touch): else the next snapshot takes the old row over.
pub(super) struct Batch<'c> {
    db: Transaction<'c>,
    changes: RefCell<Changes>,
    learned: RefCell<Learned>,
}

/// Answers that hold until the end of the batch.
#[derive(Default)]
struct Learned {
    /// Labels that have a number, and an id if there is one, by the kind of what they are on.
    labels: HashMap<&'static str, HashSet<String>>,
    /// By source and kind: whether one of these was ever removed. They are few.
    removed: Vec<(String, Kind, bool)>,
    has_forgotten: Option<bool>,
    /// Source and id of the last task of which the project is known.
    placed: (String, String),
    project: Option<LastProject>,
}

/// The project that stood beside the last thing. Nothing newer is known of it.
struct LastProject {
    source: String,
    raw: String,
    seen: String,
}

impl<'c> Batch<'c> {
    pub(super) fn begin(db: &'c mut Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            db: db.transaction()?,
            changes: RefCell::default(),
            learned: RefCell::default(),
        })
    }

    /// Says that a row of this table changed, came, or went. One that moves to another task or project is touched in both
    /// places.
    pub(super) fn touch(
        &self,
        table: Table,
        source: &str,
        project: Option<&str>,
        task: Option<&str>,
    ) -> rusqlite::Result<()> {
        let mut changes = self.changes.borrow_mut();
        if changes.add(table, source, project, task) {
            changes.note(&self.db)?;
        }
        Ok(())
    }

    /// Says that something changed which shows in the rows of all tasks of a project.
    pub(super) fn touch_tasks(&self, source: &str, project: &str) -> rusqlite::Result<()> {
        // Parts that are made later in this batch are new anyway.
        let next = revision(&self.db)? + 1;
        self.db
            .prepare_cached(
                "UPDATE main.parts SET tasks = max(tasks, ?3) WHERE source = ?1 AND project = ?2",
            )?
            .execute((source, project, next))
            .map(drop)
    }

    /// Says that something changed which shows in the row of an annotation or a label, if there is one.
    pub(super) fn touch_reviewed(&self, source: &str, annotation: &str) -> rusqlite::Result<()> {
        let place: Option<(Option<String>, Option<String>)> = self
            .prepare_cached(
                "SELECT project_id, task_id FROM main.annotations
                 WHERE source = ?1 AND kind IN ('annotation', 'label') AND annotation_id = ?2",
            )?
            .query_row((source, annotation), |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        match place {
            Some((project, task)) => {
                let (project, task) = (project.as_deref(), task.as_deref());
                self.touch(Table::Annotations, source, project, task)
            }
            None => Ok(()),
        }
    }

    /// Ends it: all that was done is on the disk after that. `has_changed`: the next snapshot may differ from the last one.
    pub(super) fn commit(self, has_changed: bool) -> rusqlite::Result<()> {
        self.changes.borrow_mut().note(&self.db)?;
        if has_changed {
            note_change(&self.db)?;
        }
        self.db.commit()
    }

    /// Tells whether a label on an annotation of this kind is new to this batch, so that something of it may be unknown.
    pub(super) fn is_new_label(&self, kind: Kind, label: &str) -> bool {
        let labels = &self.learned.borrow().labels;
        let labels = labels.get(kind.as_str());
        labels.is_none_or(|labels| !labels.contains(label))
    }

    /// Remembers that all is known of a label that annotations of this kind can say.
    pub(super) fn note_label(&self, kind: Kind, label: &str) {
        let labels = &mut self.learned.borrow_mut().labels;
        let labels = labels.entry(kind.as_str()).or_default();
        labels.insert(label.to_owned());
    }

    /// Tells whether a thing of this kind was ever removed. Mostly none was, and then nothing has to be looked up.
    pub(super) fn has_removed(&self, source: &str, kind: Kind) -> rusqlite::Result<bool> {
        let removed = &mut self.learned.borrow_mut().removed;
        let mut known = removed.iter();
        if let Some((_, _, is_there)) = known.find(|(of, it, _)| *it == kind && of == source) {
            return Ok(*is_there);
        }
        let is_there = self
            .prepare_cached("SELECT 1 FROM main.removals WHERE source = ?1 AND kind = ?2 LIMIT 1")?
            .exists((source, kind.as_str()))?;
        removed.push((source.to_owned(), kind, is_there));
        Ok(is_there)
    }

    /// Notes that a thing of this kind was removed.
    pub(super) fn note_removed(&self, source: &str, kind: Kind) {
        let removed = &mut self.learned.borrow_mut().removed;
        removed.retain(|(of, it, _)| *it != kind || of != source);
        removed.push((source.to_owned(), kind, true));
    }

    /// Tells whether there are authors who are to be forgotten.
    pub(super) fn has_forgotten(&self) -> rusqlite::Result<bool> {
        let known = &mut self.learned.borrow_mut().has_forgotten;
        if let Some(known) = known {
            return Ok(*known);
        }
        let are_there = self
            .prepare_cached("SELECT 1 FROM main.forgotten_authors LIMIT 1")?
            .exists([])?;
        *known = Some(are_there);
        Ok(are_there)
    }

    /// Tells whether the project of a task is known, as far as this batch remembers.
    pub(super) fn is_placed(&self, source: &str, task: &str) -> bool {
        let (of, last) = &self.learned.borrow().placed;
        of == source && last == task
    }

    /// Remembers that the project of a task is known. It does not become unknown again.
    pub(super) fn note_placed(&self, source: &str, task: &str) {
        let (of, last) = &mut self.learned.borrow_mut().placed;
        source.clone_into(of);
        task.clone_into(last);
    }

    /// Tells whether a project that was seen then is, byte for byte, what the batch knows as its newest version.
    pub(super) fn is_last_project(&self, source: &str, raw: &str, seen: &str) -> bool {
        let learned = self.learned.borrow();
        let last = learned.project.as_ref();
        last.is_some_and(|last| {
            last.raw == raw && last.source == source && last.seen.as_str() <= seen
        })
    }

    /// Remembers that this is the newest version of a project.
    pub(super) fn note_project(&self, source: &str, raw: &str, seen: &str) {
        self.learned.borrow_mut().project = Some(LastProject {
            source: source.to_owned(),
            raw: raw.to_owned(),
            seen: seen.to_owned(),
        });
    }

    /// Forgets the newest version of a project: there may be a newer one.
    pub(super) fn forget_project(&self) {
        self.learned.borrow_mut().project = None;
    }
}

impl<'c> Deref for Batch<'c> {
    type Target = Transaction<'c>;

    fn deref(&self) -> &Self::Target {
        &self.db
    }
}
