//! Parts of the state: a range of a project's tasks, with their annotations. The state itself notes when something in a part
//! changed last, in the transaction of the change, whoever made it. So a snapshot reads those parts alone that changed.
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

/// Makes the table of parts, and has the state note changes in it. What is there already is in one part a project.
///
/// No statement may use `INSERT OR REPLACE` on these tables: it removes a row, and no trigger learns of that.
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
        let (key, new, old) = (key("task_id"), note("NEW", table), note("OLD", table));
        db.execute_batch(&format!(
            "CREATE INDEX {table}_of_part ON {table}(source, coalesce(project_id, ''), {key});
             INSERT OR IGNORE INTO parts(source, project, low)
                 SELECT DISTINCT source, coalesce(project_id, ''), '' FROM {table};
             CREATE TRIGGER {table}_made AFTER INSERT ON {table} BEGIN {new} END;
             CREATE TRIGGER {table}_changed AFTER UPDATE ON {table} BEGIN {new} END;
             CREATE TRIGGER {table}_moved AFTER UPDATE OF project_id, task_id ON {table}
                 WHEN OLD.project_id IS NOT NEW.project_id OR OLD.task_id IS NOT NEW.task_id BEGIN {old} END;
             CREATE TRIGGER {table}_gone AFTER DELETE ON {table} BEGIN {old} END;"
        ))?;
    }
    // A label counts by the step of its data row. That is noted where the row is; but it may be in other projects too.
    db.execute_batch(
        "CREATE TRIGGER tasks_stepped AFTER UPDATE OF workflow_state, workflow_at ON tasks
             WHEN OLD.workflow_state IS NOT NEW.workflow_state OR OLD.workflow_at IS NOT NEW.workflow_at BEGIN
             UPDATE annotations SET skipped = skipped
             WHERE source = NEW.source AND task_id = NEW.task_id AND project_id IS NOT NEW.project_id;
         END;",
    )?;
    // A review says something of its annotation, in whose row it shows.
    let touch = |row: &str| {
        format!(
            "UPDATE annotations SET skipped = skipped
             WHERE source = {row}.source AND kind = 'annotation' AND annotation_id = {row}.annotation_id;"
        )
    };
    let (new, old) = (touch("NEW"), touch("OLD"));
    db.execute_batch(&format!(
        "CREATE TRIGGER reviews_made AFTER INSERT ON reviews BEGIN {new} END;
         CREATE TRIGGER reviews_changed AFTER UPDATE ON reviews BEGIN {old} {new} END;
         CREATE TRIGGER reviews_gone AFTER DELETE ON reviews BEGIN {old} END;"
    ))
}

/// The statement that notes in a row's part that `table` changes: in the revision that the transaction makes. If it makes
/// none, the part counts as changed until there is one. Mostly it is noted already, and then nothing is written.
fn note(row: &str, table: &str) -> String {
    let project = format!("coalesce({row}.project_id, '')");
    let key = key(&format!("{row}.task_id"));
    format!(
        "INSERT INTO parts(source, project, low, {table}) VALUES({row}.source, {project}, coalesce((
             SELECT low FROM parts WHERE source = {row}.source AND project = {project} AND low <= {key}
             ORDER BY low DESC LIMIT 1), ''), coalesce((SELECT value FROM state WHERE name = 'revision'), 0) + 1)
         ON CONFLICT DO UPDATE SET {table} = excluded.{table} WHERE {table} < excluded.{table};"
    )
}
