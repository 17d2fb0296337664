//! Knowledge that is ahead of the file: the tasks and annotations of which was told lately.
//!
//! One event changes the rows of an annotation and of its task. Written with each event, they would cost a delivery more
//! than the event itself does. So they stay in memory, and many go into the file at once: in the transaction that moves
//! the mark of what was read. A crash takes what is only here, and the events after the mark are read again.

use super::annotation_row::{self, Known};
use super::task_row::{self, Task};
use rusqlite::Connection;
use std::collections::HashMap;

/// So many changed rows are worth a write. A few milliseconds, for which one delivery in hundreds waits. The more they are,
/// the more of them changed twice meanwhile.
const WRITE_AT: usize = 1024;

/// Tasks and annotations that are kept at most once they are in the file; some 300 bytes each.
const KEPT: usize = 8192;

/// Number of a source, and id of an annotation or a task.
type Key = (usize, i64);

#[derive(Default)]
pub(super) struct Recent {
    sources: Vec<String>,
    annotations: HashMap<Key, Annotation>,
    tasks: HashMap<Key, Noted>,
    changed: Vec<Changed>,
}

/// A row that is not in the file as it is here, in the order of the file: source, task, and annotation or 0.
type Changed = (usize, i64, i64);

struct Annotation {
    known: Known,
    is_changed: bool,
}

struct Noted {
    task: Task,
    /// Its annotations that count, those included that are not in the file.
    listed: i64,
    is_changed: bool,
}

impl Recent {
    /// Knowledge of an annotation. `None` says nothing: the file may know it.
    pub(super) fn annotation(&self, source: &str, id: i64) -> Option<&Known> {
        let key = (self.number(source)?, id);
        self.annotations.get(&key).map(|noted| &noted.known)
    }

    /// Knowledge of a task. `None` says nothing: the file may know it.
    pub(super) fn task(&self, source: &str, id: i64) -> Option<&Task> {
        let key = (self.number(source)?, id);
        self.tasks.get(&key).map(|noted| &noted.task)
    }

    /// Annotations of a task that count, if the task is known here.
    pub(super) fn listed(&self, source: &str, task: i64) -> Option<i64> {
        let key = (self.number(source)?, task);
        self.tasks.get(&key).map(|noted| noted.listed)
    }

    /// Notes what the file knows of a task.
    pub(super) fn learn_task(&mut self, source: &str, task: Task, listed: i64) {
        let key = (self.number_of(source), task.id);
        let noted = Noted {
            task,
            listed,
            is_changed: false,
        };
        self.tasks.insert(key, noted);
    }

    /// Notes news of a task, which is known here already.
    pub(super) fn change_task(&mut self, source: &str, task: Task) {
        let key = (self.number_of(source), task.id);
        let row = (key.0, task.id, 0);
        let Some(noted) = self.tasks.get_mut(&key) else {
            return;
        };
        noted.task = task;
        if !std::mem::replace(&mut noted.is_changed, true) {
            self.changed.push(row);
        }
    }

    /// Notes news of an annotation. `counted` is what it changes in the number of those that count of its task, which is
    /// known here already if it is known at all.
    pub(super) fn change_annotation(&mut self, source: &str, id: i64, known: Known, counted: i64) {
        let number = self.number_of(source);
        if let Some(noted) = self.tasks.get_mut(&(number, known.task)) {
            noted.listed = noted.listed.saturating_add(counted);
        }
        let row = (number, known.task, id);
        let new = Annotation {
            known,
            is_changed: true,
        };
        let before = self.annotations.insert((number, id), new);
        if !before.is_some_and(|before| before.is_changed) {
            self.changed.push(row);
        }
    }

    /// Tells whether something is here that is not in the file.
    pub(super) fn is_ahead(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Tells whether so much of it is not in the file that it should be written.
    pub(super) fn is_worth_a_write(&self) -> bool {
        self.changed.len() >= WRITE_AT
    }

    /// Writes what is not in the file. It counts as written when [`written`](Self::written) says so.
    pub(super) fn write(&self, db: &Connection) -> rusqlite::Result<()> {
        if self.changed.is_empty() {
            return Ok(());
        }
        let mut rows = self.changed.clone();
        // Neighbours in the file are written one after the other.
        rows.sort_unstable();
        let mut annotations = annotation_row::writing(db)?;
        let mut tasks = task_row::writing(db)?;
        for (number, task, annotation) in rows {
            let source = self.sources.get(number).map_or("", String::as_str);
            if annotation == 0 {
                if let Some(noted) = self.tasks.get(&(number, task)) {
                    task_row::write(&mut tasks, source, &noted.task)?;
                }
            } else if let Some(noted) = self.annotations.get(&(number, annotation)) {
                annotation_row::write(&mut annotations, source, annotation, &noted.known)?;
            }
        }
        Ok(())
    }

    /// All of it is in the file, for good.
    pub(super) fn written(&mut self) {
        if self.annotations.len() + self.tasks.len() > KEPT {
            self.forget();
            return;
        }
        for (number, task, annotation) in self.changed.drain(..) {
            if annotation == 0 {
                if let Some(noted) = self.tasks.get_mut(&(number, task)) {
                    noted.is_changed = false;
                }
            } else if let Some(noted) = self.annotations.get_mut(&(number, annotation)) {
                noted.is_changed = false;
            }
        }
    }

    /// Forgets all of it: only the file knows.
    pub(super) fn forget(&mut self) {
        self.annotations.clear();
        self.tasks.clear();
        self.changed.clear();
    }

    fn number(&self, source: &str) -> Option<usize> {
        self.sources.iter().position(|known| known == source)
    }

    fn number_of(&mut self, source: &str) -> usize {
        self.number(source).unwrap_or_else(|| {
            self.sources.push(source.to_owned());
            self.sources.len() - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::task_ledger::tables::{self, COUNTS};
    use crate::schema;

    fn known(task: i64, version: &str) -> Known {
        Known {
            task,
            state: COUNTS,
            version: Some(version.to_owned()),
            seq: 3,
        }
    }

    /// Red if a row is written twice or never, or if what was written counts as new.
    #[test]
    fn what_changed_is_written_once() {
        let dir = tempfile::TempDir::new().unwrap();
        let db = schema::new_in(&dir);
        tables::make(&db, 0).unwrap();
        let mut recent = Recent::default();
        recent.learn_task("a", Task::unknown(7), 0);
        assert!(!recent.is_ahead());
        recent.change_annotation("a", 5, known(7, "1"), 1);
        recent.change_annotation("a", 5, known(7, "2"), 0);
        let task = Task {
            is_known: true,
            is_labelled: true,
            ..Task::unknown(7)
        };
        recent.change_task("a", task);
        assert_eq!(recent.listed("a", 7), Some(1));
        assert_eq!(recent.changed.len(), 2);
        recent.write(&db).unwrap();
        recent.written();
        assert!(!recent.is_ahead());
        let rows: Vec<(i64, i64, Option<String>)> = db
            .prepare("SELECT task, annotation, version FROM ledger_things ORDER BY annotation")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(rows, [(7, 0, None), (7, 5, Some("2".to_owned()))]);
        assert_eq!(
            recent.annotation("a", 5).unwrap().version.as_deref(),
            Some("2")
        );
        assert!(recent.annotation("b", 5).is_none());
    }
}
