//! The ground truth of a task in Label Studio.
//!
//! Whoever sets a ground truth with Label Studio's API takes it from the task's other annotations
//! (`ensure_unique_groundtruth` in `tasks/models.py` of Label Studio 1.23.2). No event tells that, and not even the version of
//! the others changes. But an import takes it from nobody: its annotations are ground truths, several of one task too, and
//! each stays one when its result is changed. So an event that says "ground truth" proves nothing by itself. It was set by
//! somebody if the annotation was not one in an earlier version, if no import made it, or if another one of the task was set
//! before this version, when this annotation was there already. Events come in any order, so what proves it may come last,
//! after the annotation has changed again, or is gone.

use super::batch::Batch;
use super::changes::Table;
use labelrelay_core::time;
use labelrelay_event::Event;
use labelrelay_event::changes::{Annotation, Changed, Kind};
use rusqlite::OptionalExtension as _;

/// Tables: the ground truths that were set, by task; and what was told of annotations that have no row, since they were gone
/// before.
pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS ground_truths(
    source TEXT NOT NULL,
    task_id TEXT NOT NULL,
    version TEXT NOT NULL,              -- the last one that is known to have been set; those of earlier ones are none
    PRIMARY KEY(source, task_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ground_truths_gone(
    source TEXT NOT NULL,
    task_id TEXT NOT NULL,
    annotation_id TEXT NOT NULL,
    created_at TEXT,                    -- which annotation with this id
    told TEXT,                          -- the last version that was told to be a ground truth
    set_after TEXT,                     -- a ground truth of a later version than this was set, and not imported
    PRIMARY KEY(source, task_id, annotation_id)
) STRICT, WITHOUT ROWID;
";

/// What an event tells of an annotation.
struct Told<'a> {
    source: &'a str,
    id: &'a str,
    task: &'a str,
    version: &'a str,
    /// When the annotation was made, as the platform writes it.
    created: Option<&'a str>,
    is_ground_truth: bool,
}

impl<'a> Told<'a> {
    /// What this change tells; `None` if it is not of Label Studio, or does not say the task or the version.
    fn of(
        changed: &'a Changed<'_>,
        record: &'a Annotation<'_>,
        task: Option<&'a str>,
    ) -> Option<Self> {
        if changed.key.kind != Kind::Annotation {
            return None;
        }
        Some(Self {
            source: &changed.key.source,
            id: &changed.key.id,
            task: task?,
            version: changed.version.as_deref()?,
            created: record.created.as_deref(),
            is_ground_truth: record.ground_truth == Some(true),
        })
    }
}

/// Versions of an annotation that tell whether its ground truth was set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Past {
    /// The last one that was told to be a ground truth.
    pub(super) told: Option<String>,
    /// One after which a ground truth was set, and did not come from an import; empty if none of it did.
    pub(super) set_after: Option<String>,
    /// One that is none, whatever else is told of it: with the same version it can only be lost.
    pub(super) lost: Option<String>,
}

impl Past {
    /// What was told of an annotation that has no row.
    fn of_gone(db: &Batch<'_>, told: &Told<'_>) -> rusqlite::Result<Self> {
        let past = db
            .prepare_cached(
                "SELECT told, set_after FROM ground_truths_gone
                 WHERE source = ?1 AND task_id = ?2 AND annotation_id = ?3 AND created_at IS ?4",
            )?
            .query_row((told.source, told.task, told.id, told.created), |row| {
                Ok(Self {
                    told: row.get(0)?,
                    set_after: row.get(1)?,
                    lost: None,
                })
            })
            .optional()?;
        Ok(past.unwrap_or_default())
    }

    /// Keeps what was told of an annotation that has no row.
    fn keep_of_gone(&self, db: &Batch<'_>, told: &Told<'_>) -> rusqlite::Result<()> {
        db.prepare_cached(
            "INSERT OR REPLACE INTO ground_truths_gone VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            told.source,
            told.task,
            told.id,
            told.created,
            &self.told,
            &self.set_after,
        ))
        .map(drop)
    }

    fn add(&mut self, event: &Event<'_>, told: &Told<'_>) {
        let version = told.version;
        let is_earlier = |known: &str| known < version;
        if told.is_ground_truth && self.told.as_deref().is_none_or(is_earlier) {
            self.told = Some(version.to_owned());
        }
        if !told.is_ground_truth {
            self.lost = Some(version.to_owned());
        }
        let set_after = if is_creation(event) {
            ""
        } else if told.is_ground_truth {
            return;
        } else {
            version
        };
        let is_later = |known: &str| set_after < known;
        if self.set_after.as_deref().is_none_or(is_later) {
            self.set_after = Some(set_after.to_owned());
        }
    }

    /// The last version of which the ground truth is known to have been set.
    fn set(&self) -> Option<&str> {
        let (told, after) = (self.told.as_deref()?, self.set_after.as_deref()?);
        (after < told).then_some(told)
    }
}

/// `true` if the event tells that an annotation was created, by a person or from a prediction. No event tells that of an
/// import, and what a pull found may have been imported. From a prediction comes no ground truth.
fn is_creation(event: &Event<'_>) -> bool {
    let attributes = event.attributes();
    attributes.origin.is_none() && attributes.event_type == "io.labelstud.annotation.created"
}

/// What an event says of the ground truth of a task.
pub(super) struct Truth {
    /// The annotation is one.
    pub(super) is_one: bool,
    pub(super) past: Past,
    /// An annotation lost it.
    pub(super) has_changed: bool,
}

/// Takes in what an event says of the ground truth of its task, also if it is not let in: then what is `known` of the
/// annotation, its row and its past, is newer, and may say less of how the task came by its ground truth.
pub(super) fn weigh(
    db: &Batch<'_>,
    event: &Event<'_>,
    changed: &Changed<'_>,
    record: &Annotation<'_>,
    task: Option<&str>,
    known: Option<(i64, &Past)>,
    is_let_in: bool,
) -> rusqlite::Result<Truth> {
    let mut past = known.map(|(_, past)| past.clone()).unwrap_or_default();
    let Some(told) = Told::of(changed, record, task) else {
        return Ok(Truth {
            is_one: record.ground_truth == Some(true),
            past,
            has_changed: false,
        });
    };
    if known.is_none() && !is_let_in {
        past = Past::of_gone(db, &told)?;
    }
    let mut has_changed = take_in(db, event, &told, &mut past)?;
    let is_one = is_one(db, &told, &past)?;
    if !is_let_in {
        match known {
            Some((row, before)) if *before != past => has_changed |= keep(db, row, &past)?,
            Some(_) => {}
            None => past.keep_of_gone(db, &told)?,
        }
    }
    Ok(Truth {
        is_one,
        past,
        has_changed,
    })
}

/// Adds to the `past` of an annotation what is told of it, be it late, and takes their ground truth from those of the task
/// that lost it; `true` if there were some.
fn take_in(
    db: &Batch<'_>,
    event: &Event<'_>,
    told: &Told<'_>,
    past: &mut Past,
) -> rusqlite::Result<bool> {
    past.add(event, told);
    let (source, task) = (told.source, told.task);
    let mut has_changed = match past.set() {
        Some(version) => note_set(db, source, task, version)?,
        None => false,
    };
    if told.is_ground_truth
        && let Some(set) = last_set(db, source, task)?
        && set.as_str() < told.version
        && was_there(told.created, &set)
    {
        has_changed |= note_set(db, source, task, told.version)?;
    }
    Ok(has_changed)
}

/// Keeps the past of an annotation of which the version does not change; `true` if it is no ground truth any more.
fn keep(db: &Batch<'_>, row: i64, past: &Past) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "UPDATE annotations SET ground_truth_told = ?2, ground_truth_set_after = ?3 WHERE row = ?1",
    )?
    .execute((row, &past.told, &past.set_after))?;
    let place: Option<(String, Option<String>, Option<String>)> = db
        .prepare_cached(
            "UPDATE annotations SET ground_truth = 0 WHERE row = ?1 AND ground_truth = 1 AND version = ?2
             RETURNING source, project_id, task_id",
        )?
        .query_row((row, &past.lost), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let Some((source, project, task)) = place else {
        return Ok(false);
    };
    let (project, task) = (project.as_deref(), task.as_deref());
    db.touch(Table::Annotations, &source, project, task)?;
    Ok(true)
}

/// Tells whether an annotation is a ground truth in the version that is told: it may have lost that to another one since.
fn is_one(db: &Batch<'_>, told: &Told<'_>, past: &Past) -> rusqlite::Result<bool> {
    if !told.is_ground_truth || past.lost.as_deref() == Some(told.version) {
        return Ok(false);
    }
    let set = last_set(db, told.source, told.task)?;
    Ok(set.is_none_or(|set| set.as_str() <= told.version))
}

fn last_set(db: &Batch<'_>, source: &str, task: &str) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT version FROM ground_truths WHERE source = ?1 AND task_id = ?2")?
        .query_row((source, task), |row| row.get(0))
        .optional()
}

/// Tells whether what was made at this time was there when an annotation got this version.
fn was_there(created: Option<&str>, version: &str) -> bool {
    let created = created.and_then(time::parse).map(time::sequence);
    created.is_some_and(|created| created.as_str() < version)
}

/// Notes that an annotation of the task was made the ground truth, at this version or before it, and takes that from the
/// others of earlier versions; `true` if there were some.
fn note_set(db: &Batch<'_>, source: &str, task: &str, version: &str) -> rusqlite::Result<bool> {
    if last_set(db, source, task)?.is_some_and(|known| version <= known.as_str()) {
        return Ok(false);
    }
    let mut last = version.to_owned();
    while let Some(later) = set_since(db, source, task, &last)? {
        last = later;
    }
    db.prepare_cached(
        "INSERT INTO ground_truths VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET version = excluded.version",
    )?
    .execute((source, task, &last))?;
    let mut others = db.prepare_cached(
        "UPDATE annotations SET ground_truth = 0
         WHERE source = ?1 AND task_id = ?2 AND kind = 'annotation' AND ground_truth = 1 AND coalesce(version, '') < ?3
         RETURNING project_id",
    )?;
    let mut others = others.query((source, task, &last))?;
    let mut has_changed = false;
    while let Some(other) = others.next()? {
        let project: Option<String> = other.get(0)?;
        db.touch(Table::Annotations, source, project.as_deref(), Some(task))?;
        has_changed = true;
    }
    Ok(has_changed)
}

/// The last version of a ground truth of the task that was set after another one was, at this `version`: then it had lost
/// that.
fn set_since(
    db: &Batch<'_>,
    source: &str,
    task: &str,
    version: &str,
) -> rusqlite::Result<Option<String>> {
    let mut later = db.prepare_cached(
        "SELECT coalesce(ground_truth_told, version) AS told, created_at FROM annotations
         WHERE source = ?1 AND task_id = ?2 AND kind = 'annotation' AND told > ?3
             AND (ground_truth_told IS NOT NULL OR ground_truth = 1)
         UNION ALL
         SELECT told, created_at FROM ground_truths_gone WHERE source = ?1 AND task_id = ?2 AND told > ?3
         ORDER BY told DESC",
    )?;
    let mut later = later.query((source, task, version))?;
    while let Some(row) = later.next()? {
        let created: Option<String> = row.get(1)?;
        if was_there(created.as_deref(), version) {
            return row.get(0).map(Some);
        }
    }
    Ok(None)
}
