//! Removals: what is gone, and what says so.

use super::batch::Batch;
use super::changes::Table;
use super::version::Compared;
use labelrelay_event::changes::{By, Key, Kind, Removed};
use rusqlite::{OptionalExtension as _, Params};

/// Source of the news that a thing is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    No,
    /// A header that nobody signed, and nobody else: it is there until the platform says that it is gone.
    ByHeader,
    Yes,
}

/// Notes a removal, and lets go what it takes.
pub(super) fn take_in(db: &Batch<'_>, removed: &Removed<'_>) -> rusqlite::Result<bool> {
    let key = &removed.key;
    // A review is taken at its word only as long as nobody says that it is gone.
    let is_sure = removed.by != By::Header || key.kind == Kind::Review;
    let statement = if is_sure {
        "INSERT INTO removals(source, kind, id, until) VALUES(?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET until = excluded.until WHERE until IS NULL OR until < excluded.until"
    } else {
        "INSERT INTO removals(source, kind, id, header_until) VALUES(?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET header_until = excluded.header_until
         WHERE header_until IS NULL OR header_until < excluded.header_until"
    };
    let noted = db.prepare_cached(statement)?.execute((
        &*key.source,
        key.kind.as_str(),
        &*key.id,
        &*removed.until,
    ))?;
    if noted == 0 {
        return Ok(false);
    }
    db.note_removed(&key.source, key.kind);
    if is_sure {
        let by = removed.by.as_str();
        end(db, &key.source, key.kind, &key.id, &removed.until, by)?;
    } else {
        mark(db, removed)?;
    }
    Ok(true)
}

/// The rows that a removal of `kind` takes: its own, and those that it held.
const fn those_of(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Annotation | Kind::Label => Some("kind = ?4 AND annotation_id = ?2"),
        Kind::Task | Kind::DataRow => Some("task_id = ?2 AND ?4 = ?4"),
        Kind::Project => Some("project_id = ?2 AND ?4 = ?4"),
        _ => None,
    }
}

/// Lets go what a removal takes.
fn end(
    db: &Batch<'_>,
    source: &str,
    kind: Kind,
    id: &str,
    until: &str,
    by: &str,
) -> rusqlite::Result<()> {
    if kind == Kind::Review {
        let mut gone = db.prepare_cached(
            "DELETE FROM reviews WHERE source = ?1 AND review_id = ?2 AND coalesce(version, '') <= ?3
             RETURNING annotation_id",
        )?;
        let mut gone = gone.query((source, id, until))?;
        while let Some(review) = gone.next()? {
            let annotation: String = review.get(0)?;
            db.touch_reviewed(source, &annotation)?;
        }
        return Ok(());
    }
    let Some(those) = those_of(kind) else {
        return Ok(());
    };
    let which =
        format!("source = ?1 AND {those} AND state = 'present' AND coalesce(version, '') <= ?3");
    let values = (source, id, until, kind.as_str());
    for table in ["regions", "classifications"] {
        let statement = format!(
            "DELETE FROM {table} WHERE annotation IN (SELECT row FROM annotations WHERE {which})"
        );
        db.prepare_cached(&statement)?.execute(values)?;
    }
    let statement = format!(
        "UPDATE annotations SET state = 'removed', raw = NULL, deleted_by = '{by}' WHERE {which}
         RETURNING project_id, task_id"
    );
    change(db, Table::Annotations, &statement, source, values)?;
    let tasks = match kind {
        Kind::Task | Kind::DataRow => "task_id = ?2",
        Kind::Project => "project_id = ?2",
        _ => return Ok(()),
    };
    // What is still there of it is newer, and so is the task: its data need not have changed since.
    let statement = format!(
        "UPDATE tasks SET deleted = 1, data = NULL, media_url = NULL, completed_at = NULL, agreement = NULL
         WHERE source = ?1 AND {tasks} AND seen_at <= ?3 AND NOT EXISTS (SELECT 1 FROM annotations
             WHERE annotations.source = tasks.source AND annotations.task_id = tasks.task_id AND state = 'present')
         RETURNING project_id, task_id"
    );
    change(db, Table::Tasks, &statement, source, (source, id, until))
}

/// Runs a statement that changes rows of a table, and returns the project and the task of each.
fn change(
    db: &Batch<'_>,
    table: Table,
    statement: &str,
    source: &str,
    values: impl Params,
) -> rusqlite::Result<()> {
    let mut changed = db.prepare_cached(statement)?;
    let mut changed = changed.query(values)?;
    while let Some(row) = changed.next()? {
        let (project, task): (Option<String>, Option<String>) = (row.get(0)?, row.get(1)?);
        db.touch(table, source, project.as_deref(), task.as_deref())?;
    }
    Ok(())
}

/// Applies a removal of a project to what was not known to be in it.
pub(super) fn apply_late(db: &Batch<'_>, source: &str, project: &str) -> rusqlite::Result<()> {
    if !db.has_removed(source, Kind::Project)? {
        return Ok(());
    }
    let until: Option<Option<String>> = db
        .prepare_cached(
            "SELECT until FROM removals WHERE source = ?1 AND kind = 'project' AND id = ?2",
        )?
        .query_row((source, project), |row| row.get(0))
        .optional()?;
    match until.flatten() {
        Some(until) => end(
            db,
            source,
            Kind::Project,
            project,
            &until,
            By::Parent.as_str(),
        ),
        None => Ok(()),
    }
}

fn mark(db: &Batch<'_>, removed: &Removed<'_>) -> rusqlite::Result<()> {
    let Some(those) = those_of(removed.key.kind) else {
        return Ok(());
    };
    let statement = format!(
        "UPDATE annotations SET deleted_by = 'header'
         WHERE source = ?1 AND {those} AND state = 'present' AND coalesce(version, '') <= ?3
         RETURNING project_id, task_id"
    );
    let source = &*removed.key.source;
    let kind = removed.key.kind.as_str();
    let values = (source, &*removed.key.id, &*removed.until, kind);
    change(db, Table::Annotations, &statement, source, values)
}

/// Tells whether a thing in this version is gone: it, or one of those that hold it, was removed since.
pub(super) fn is_gone<'k>(
    db: &Batch<'_>,
    source: &str,
    holders: impl IntoIterator<Item = (Kind, &'k str)>,
    version: Option<&str>,
) -> rusqlite::Result<Gone> {
    let version = version.unwrap_or_default();
    let mut gone = Gone::No;
    for (kind, id) in holders {
        if !db.has_removed(source, kind)? {
            continue;
        }
        let removal: Option<(Option<String>, Option<String>)> = db
            .prepare_cached(
                "SELECT until, header_until FROM removals WHERE source = ?1 AND kind = ?2 AND id = ?3",
            )?
            .query_row((source, kind.as_str(), id), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let Some((until, header_until)) = removal else {
            continue;
        };
        if until.is_some_and(|until| version <= until.as_str()) {
            return Ok(Gone::Yes);
        }
        if header_until.is_some_and(|until| version <= until.as_str()) {
            gone = Gone::ByHeader;
        }
    }
    Ok(gone)
}

/// The platform's API has the thing: what a header said before is not so.
pub(super) fn contradict(db: &Batch<'_>, key: &Key<'_>, received: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE removals SET header_until = NULL
         WHERE source = ?1 AND kind = ?2 AND id = ?3 AND header_until < ?4",
    )?
    .execute((&*key.source, key.kind.as_str(), &*key.id, received))
    .map(drop)
}

impl Gone {
    /// Tells whether a change is taken in, given how its version compares.
    pub(super) fn lets_in(self, compared: Compared) -> bool {
        self != Self::Yes && matches!(compared, Compared::Newer | Compared::Unsettled)
    }
}
