//! Changes of a batch, by parts: they are collected in memory, and noted once, in the transaction that makes them.

use super::parts::key_of;
use super::revision::revision;
use rusqlite::Transaction;
use std::collections::BTreeMap;

/// So many tasks are in memory at most: a removal may take a whole project.
const MOST: usize = 10_000;

/// A table whose rows are in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    Annotations,
    Tasks,
}

/// Tasks of which something changed, by source and project, in the order of the parts.
#[derive(Debug, Default)]
pub(super) struct Changes {
    tasks: BTreeMap<(String, String), BTreeMap<String, Touched>>,
    /// The source and project of the last one: mostly the next one is of the same.
    last: (String, String),
    count: usize,
}

/// Tables in which something of a task changed.
#[derive(Debug, Clone, Copy, Default)]
struct Touched {
    annotations: bool,
    tasks: bool,
}

impl Changes {
    /// Adds a row of a task, which is in this project now or was in it before; `true` if it is time to
    /// [note](Self::note) them.
    pub(super) fn add(
        &mut self,
        table: Table,
        source: &str,
        project: Option<&str>,
        task: Option<&str>,
    ) -> bool {
        let project = project.unwrap_or_default();
        if self.last.0 != source || self.last.1 != project {
            self.last = (source.to_owned(), project.to_owned());
        }
        let tasks = match self.tasks.get_mut(&self.last) {
            Some(tasks) => tasks,
            None => self.tasks.entry(self.last.clone()).or_default(),
        };
        let before = tasks.len();
        let touched = tasks.entry(key_of(task.unwrap_or_default())).or_default();
        match table {
            Table::Annotations => touched.annotations = true,
            Table::Tasks => touched.tasks = true,
        }
        self.count += tasks.len() - before;
        self.count >= MOST
    }

    /// Notes in the parts what changed in them, in the revision that the transaction makes, and forgets it here. If it makes
    /// none, they count as changed until there is one.
    pub(super) fn note(&mut self, db: &Transaction<'_>) -> rusqlite::Result<()> {
        if self.tasks.is_empty() {
            return Ok(());
        }
        self.count = 0;
        let next = revision(db)? + 1;
        for ((source, project), tasks) in std::mem::take(&mut self.tasks) {
            let mut part: Option<Part> = None;
            for (key, touched) in tasks {
                if part.as_ref().is_none_or(|part| !part.reaches(&key)) {
                    if let Some(done) = part.take() {
                        done.note(db, &source, &project, next)?;
                    }
                    part = Some(Part::around(db, &source, &project, &key)?);
                }
                if let Some(part) = &mut part {
                    part.touched.annotations |= touched.annotations;
                    part.touched.tasks |= touched.tasks;
                }
            }
            if let Some(last) = part {
                last.note(db, &source, &project, next)?;
            }
        }
        Ok(())
    }
}

/// A part in which something changed.
struct Part {
    low: String,
    /// Where the next one begins.
    next: Option<String>,
    touched: Touched,
}

impl Part {
    /// The part that a task is in; the first of its project, where there is none.
    fn around(
        db: &Transaction<'_>,
        source: &str,
        project: &str,
        key: &str,
    ) -> rusqlite::Result<Self> {
        db.prepare_cached(
            "SELECT (SELECT max(low) FROM parts WHERE source = ?1 AND project = ?2 AND low <= ?3),
                 (SELECT min(low) FROM parts WHERE source = ?1 AND project = ?2 AND low > ?3)",
        )?
        .query_row((source, project, key), |row| {
            Ok(Self {
                low: row.get::<_, Option<String>>(0)?.unwrap_or_default(),
                next: row.get(1)?,
                touched: Touched::default(),
            })
        })
    }

    fn reaches(&self, key: &str) -> bool {
        self.next.as_deref().is_none_or(|next| key < next)
    }

    fn note(
        &self,
        db: &Transaction<'_>,
        source: &str,
        project: &str,
        revision: i64,
    ) -> rusqlite::Result<()> {
        let in_annotations = if self.touched.annotations {
            revision
        } else {
            0
        };
        let in_tasks = if self.touched.tasks { revision } else { 0 };
        db.prepare_cached(
            "INSERT INTO parts(source, project, low, annotations, tasks) VALUES(?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET annotations = max(annotations, excluded.annotations),
                 tasks = max(tasks, excluded.tasks)
             WHERE annotations < excluded.annotations OR tasks < excluded.tasks",
        )?
        .execute((source, project, &self.low, in_annotations, in_tasks))
        .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::batch::Batch;
    use crate::store::parts;
    use rusqlite::Connection;

    /// A state without rows, in its fourth revision.
    fn in_revision_4() -> Connection {
        let mut db = Connection::open_in_memory().unwrap();
        let made = db.transaction().unwrap();
        made.execute_batch(
            "CREATE TABLE state(name TEXT PRIMARY KEY, value INTEGER NOT NULL);
             CREATE TABLE annotations(source, project_id, task_id); CREATE TABLE tasks(source, project_id, task_id);
             INSERT INTO state VALUES('revision', 4);",
        )
        .unwrap();
        parts::make(&made).unwrap();
        made.commit().unwrap();
        db
    }

    fn noted(db: &Connection) -> Vec<(String, String, i64, i64)> {
        let statement =
            "SELECT project, low, annotations, tasks FROM parts ORDER BY source, project, low";
        let mut statement = db.prepare(statement).unwrap();
        let rows = statement.query_map([], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// Red if a change is noted in a part beside its own, or if a part of which nothing changed is noted.
    #[test]
    fn each_part_is_noted_once_and_no_other() {
        let mut db = in_revision_4();
        let db = db.transaction().unwrap();
        db.execute_batch(
            "INSERT INTO parts(source, project, low, annotations)
             VALUES('/ls', '1', '', 2), ('/ls', '1', '0015', 2), ('/ls', '1', '00210', 2);",
        )
        .unwrap();
        let mut changes = Changes::default();
        for (table, project, task) in [
            (Table::Tasks, "1", "9"),
            (Table::Annotations, "1", "5"),
            (Table::Annotations, "1", "10"),
            (Table::Annotations, "2", "700"),
        ] {
            assert!(!changes.add(table, "/ls", Some(project), Some(task)));
        }
        changes.note(&db).unwrap();
        let row = |project: &str, low: &str, annotations: i64, tasks: i64| {
            (project.to_owned(), low.to_owned(), annotations, tasks)
        };
        let expected = [
            row("1", "", 2, 0),
            row("1", "0015", 5, 5),
            row("1", "00210", 5, 0),
            row("2", "", 5, 0),
        ];
        assert_eq!(noted(&db), expected);
        // They are noted now.
        db.execute("UPDATE state SET value = 5", []).unwrap();
        changes.note(&db).unwrap();
        assert_eq!(noted(&db), expected);
        assert!(!changes.add(Table::Tasks, "/ls", None, None));
        changes.note(&db).unwrap();
        assert_eq!(noted(&db)[0], row("", "", 0, 6));
    }

    /// Red if a removal of a large project fills the memory.
    #[test]
    fn many_changes_are_noted_in_between() {
        let mut changes = Changes::default();
        let mut is_time = false;
        for task in 0..MOST {
            assert!(!is_time, "{task}");
            is_time = changes.add(Table::Tasks, "/ls", Some("1"), Some(&task.to_string()));
        }
        assert!(is_time);
    }

    /// Red if a batch that notes its changes in between forgets some, or notes them in another revision than it makes.
    #[test]
    fn a_batch_of_more_tasks_than_are_in_memory_notes_all() {
        let mut db = in_revision_4();
        let part = "INSERT INTO parts(source, project, low) VALUES('/ls', '1', '00520000')";
        db.execute(part, []).unwrap();
        let batch = Batch::begin(&mut db).unwrap();
        for task in 1..=MOST {
            let task = task.to_string();
            batch
                .touch(Table::Tasks, "/ls", Some("1"), Some(&task))
                .unwrap();
        }
        assert_eq!(noted(&batch).len(), 2, "nothing was noted in between");
        batch
            .touch(Table::Annotations, "/ls", Some("1"), Some("50001"))
            .unwrap();
        batch.commit(true).unwrap();
        let expected = [("", 0, 5), ("00520000", 5, 0)]
            .map(|(low, annotations, tasks)| ("1".to_owned(), low.to_owned(), annotations, tasks));
        assert_eq!(noted(&db), expected);
        assert_eq!(revision(&db).unwrap(), 5);
        // One that breaks off notes nothing.
        let batch = Batch::begin(&mut db).unwrap();
        for task in 1..=MOST {
            let task = task.to_string();
            batch
                .touch(Table::Annotations, "/ls", Some("1"), Some(&task))
                .unwrap();
        }
        drop(batch);
        assert_eq!(noted(&db), expected);
    }
}
