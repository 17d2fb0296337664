//! Parts of the state: a range of a project's tasks, with their annotations. It is noted when something in a part changed
//! last, in the transaction of the change: see [`Changes`](super::changes::Changes). So a snapshot reads those parts alone
//! that changed.
//!
//! A part is divided once it has too many rows, at a task's id. Its place among the others never changes, so what is done
//! to neighbouring tasks, as people do, changes few parts.

use rusqlite::{Connection, Transaction};

/// Above all keys: each begins with a digit.
pub(crate) const END: &str = ":";

/// A part, and what is known of it.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) source: String,
    /// Empty if none is known.
    pub(crate) project: String,
    /// The least key of a task in it; empty for the first part of a project.
    pub(crate) low: String,
    /// The least key above it.
    pub(crate) high: String,
    /// Revision of the state in which an annotation in it changed last.
    pub(crate) annotations: i64,
    /// The same of its tasks.
    pub(crate) tasks: i64,
    counted: Option<Counted>,
}

/// Counts of what a snapshot has of a part.
#[derive(Debug)]
struct Counted {
    /// As JSON: the state does not know what a snapshot counts.
    counts: String,
    at: i64,
    /// Options of the snapshot.
    options: String,
}

/// The place of a task among the others, in SQL: numbers come in their order, and so does whatever has the same length.
pub(crate) fn key(task: &str) -> String {
    format!("printf('%03d', length(coalesce({task}, ''))) || coalesce({task}, '')")
}

/// The same as [`key`], of a task that is at hand. `SQLite` counts a text's characters up to the first zero.
pub(super) fn key_of(task: &str) -> String {
    let counted = task.split('\0').next().unwrap_or_default();
    format!("{:03}{task}", counted.chars().count())
}

/// The condition that a row is in a part, in SQL, with the values of [`Part::range`].
pub(crate) fn within() -> String {
    let key = key("task_id");
    format!("source = ?1 AND coalesce(project_id, '') = ?2 AND {key} >= ?3 AND {key} < ?4")
}

/// All parts, in their order.
pub(crate) fn all(db: &Connection) -> rusqlite::Result<Vec<Part>> {
    let statement = format!(
        "SELECT source, project, low, lead(low, 1, '{END}') OVER (PARTITION BY source, project ORDER BY low),
             annotations, tasks, counts, counted_at, counted_for FROM parts ORDER BY source, project, low"
    );
    db.prepare(&statement)?
        .query_map([], |row| {
            let counts: Option<String> = row.get(6)?;
            let counted = match counts {
                Some(counts) => Some(Counted {
                    counts,
                    at: row.get(7)?,
                    options: row.get(8)?,
                }),
                None => None,
            };
            Ok(Part {
                source: row.get(0)?,
                project: row.get(1)?,
                low: row.get(2)?,
                high: row.get(3)?,
                annotations: row.get(4)?,
                tasks: row.get(5)?,
                counted,
            })
        })?
        .collect()
}

/// Divides the parts that have more than `most` rows, and lets go those that have none. Parts that did not change since the
/// revision `since` stay as they are, and so does the first part of a project: after it was let go, it could come back
/// under the name that it has in the snapshot of `since`, and nobody would know what happened to it between.
pub(crate) fn divide(db: &mut Connection, since: i64, most: u32) -> rusqlite::Result<()> {
    let db = db.transaction()?;
    for part in all(&db)? {
        if part.changed() <= since {
            continue;
        }
        let annotations = part.count(&db, "annotations")?;
        let tasks = part.count(&db, "tasks")?;
        let (table, rows) = if annotations < tasks {
            ("tasks", tasks)
        } else {
            ("annotations", annotations)
        };
        if rows == 0 && !part.low.is_empty() {
            part.remove(&db)?;
        } else if rows > most {
            part.divide(&db, table, rows, (most / 2).max(1))?;
        }
    }
    db.commit()
}

impl Part {
    /// Values for [`within`].
    pub(crate) fn range(&self) -> [&str; 4] {
        [&self.source, &self.project, &self.low, &self.high]
    }

    fn changed(&self) -> i64 {
        self.annotations.max(self.tasks)
    }

    /// What was counted for a snapshot with these options, if nothing changed since.
    pub(crate) fn counts(&self, options: &str) -> Option<&str> {
        let counted = self.counted.as_ref()?;
        let is_of_now = counted.options == options && counted.at >= self.changed();
        is_of_now.then_some(&*counted.counts)
    }

    /// Keeps what was counted of the state as it is in this revision.
    pub(crate) fn keep_counts(
        &self,
        db: &Connection,
        counts: &str,
        revision: i64,
        options: &str,
    ) -> rusqlite::Result<()> {
        db.prepare_cached(
            "UPDATE parts SET counts = ?4, counted_at = ?5, counted_for = ?6
             WHERE source = ?1 AND project = ?2 AND low = ?3",
        )?
        .execute((
            &self.source,
            &self.project,
            &self.low,
            counts,
            revision,
            options,
        ))
        .map(drop)
    }

    fn count(&self, db: &Transaction<'_>, table: &str) -> rusqlite::Result<u32> {
        let statement = format!("SELECT count(*) FROM {table} WHERE {}", within());
        db.prepare_cached(&statement)?
            .query_row(self.range(), |row| row.get(0))
    }

    /// What comes here later belongs to the part before. That one has another range now, which an earlier snapshot may have
    /// had before this part was made: so both of its tables count as changed.
    fn remove(&self, db: &Transaction<'_>) -> rusqlite::Result<()> {
        db.prepare_cached(
            "UPDATE parts SET annotations = max(annotations, ?4), tasks = max(tasks, ?4)
             WHERE source = ?1 AND project = ?2 AND low = (
                 SELECT max(low) FROM parts WHERE source = ?1 AND project = ?2 AND low < ?3)",
        )?
        .execute((&self.source, &self.project, &self.low, self.changed()))?;
        db.prepare_cached("DELETE FROM parts WHERE source = ?1 AND project = ?2 AND low = ?3")?
            .execute((&self.source, &self.project, &self.low))
            .map(drop)
    }

    /// Makes parts of `rows` rows, each of `each` or more.
    fn divide(
        &self,
        db: &Transaction<'_>,
        table: &str,
        rows: u32,
        each: u32,
    ) -> rusqlite::Result<()> {
        let key = key("task_id");
        let statement = format!(
            "SELECT {key} FROM {table} WHERE {} ORDER BY {key}",
            within()
        );
        let mut lows: Vec<String> = Vec::new();
        {
            let mut statement = db.prepare(&statement)?;
            let mut keys = statement.query(self.range())?;
            let mut place: u32 = 0;
            while let Some(row) = keys.next()? {
                let is_first = place > 0 && place.is_multiple_of(each);
                // The last one has the rest too.
                if is_first && rows - place >= each {
                    lows.push(row.get(0)?);
                }
                place += 1;
            }
        }
        for low in lows {
            // All rows of one task are in one part, however many there are.
            db.prepare_cached(
                "INSERT OR IGNORE INTO parts(source, project, low, annotations, tasks) VALUES(?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((&self.source, &self.project, low, self.annotations, self.tasks))?;
        }
        db.prepare_cached(
            "UPDATE parts SET counts = NULL WHERE source = ?1 AND project = ?2 AND low = ?3",
        )?
        .execute((&self.source, &self.project, &self.low))
        .map(drop)
    }
}

/// Makes the table of parts. What is there already is in one part a project.
pub(super) fn make(db: &Transaction<'_>) -> rusqlite::Result<()> {
    db.execute_batch(
        "CREATE TABLE parts(
             source TEXT NOT NULL,
             project TEXT NOT NULL,
             low TEXT NOT NULL,
             annotations INTEGER NOT NULL DEFAULT 0,
             tasks INTEGER NOT NULL DEFAULT 0,
             counts TEXT, counted_at INTEGER, counted_for TEXT,
             PRIMARY KEY(source, project, low)
         ) STRICT, WITHOUT ROWID;",
    )?;
    for table in ["annotations", "tasks"] {
        let key = key("task_id");
        db.execute_batch(&format!(
            "CREATE INDEX {table}_of_part ON {table}(source, coalesce(project_id, ''), {key});
             INSERT OR IGNORE INTO parts(source, project, low)
                 SELECT DISTINCT source, coalesce(project_id, ''), '' FROM {table};"
        ))?;
    }
    Ok(())
}

/// Removes the triggers by which a state of format 3 noted its changes: a [`Batch`](super::batch::Batch) does it now.
pub(super) fn remove_triggers(db: &Transaction<'_>) -> rusqlite::Result<()> {
    for table in ["annotations", "tasks"] {
        for what in ["made", "changed", "moved", "gone"] {
            db.execute_batch(&format!("DROP TRIGGER IF EXISTS {table}_{what}"))?;
        }
    }
    db.execute_batch(
        "DROP TRIGGER IF EXISTS tasks_stepped;
         DROP TRIGGER IF EXISTS reviews_made;
         DROP TRIGGER IF EXISTS reviews_changed;
         DROP TRIGGER IF EXISTS reviews_gone;",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red if a change is noted in another part than the one in which a snapshot looks for it.
    #[test]
    fn the_place_of_a_task_is_the_same_in_both_languages() {
        let db = Connection::open_in_memory().unwrap();
        let statement = format!("SELECT {}", key("?1"));
        let long = "x".repeat(1200);
        for task in ["", "7", "1234", "cl9x-ö✓", "a\0b", &long] {
            let in_sql: String = db
                .query_row(
                    &statement,
                    [Some(task).filter(|it| !it.is_empty())],
                    |row| row.get(0),
                )
                .unwrap();
            assert_eq!(key_of(task), in_sql, "{task:?}");
        }
    }
}
