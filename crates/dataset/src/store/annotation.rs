//! Annotations and labels, as rows.

use super::batch::Batch;
use super::changes::Table;
use super::ground_truth::{self, Past};
use super::region::{schema_id, write_classifications, write_regions};
use super::removal::{self, Gone};
use super::scores::Scores;
use super::version::{Compared, compare};
use crate::class_list;
use labelrelay_event::Event;
use labelrelay_event::changes::{Annotation, Changed, Key, Kind, Order, Region};
use rusqlite::{OptionalExtension as _, Transaction};
use serde::Serialize;
use std::borrow::Cow;

struct Known {
    row: i64,
    version: Option<String>,
    deleted_by: Option<String>,
    task: Option<String>,
    project: Option<String>,
    created: Option<String>,
    past: Past,
}

impl Known {
    /// Its row and its past, if it is the annotation that was made then. An id may be given again, and the other annotation
    /// with it has a past of its own.
    fn of_same(&self, created: Option<&str>) -> Option<(i64, &Past)> {
        (self.created.as_deref() == created).then_some((self.row, &self.past))
    }

    /// Removes what it held. The annotation is in this project and this task now.
    fn leave(
        &self,
        db: &Batch<'_>,
        source: &str,
        now: (Option<&str>, Option<&str>),
    ) -> rusqlite::Result<()> {
        empty(db, self.row)?;
        let (project, task) = (self.project.as_deref(), self.task.as_deref());
        if (project, task) == now {
            return Ok(());
        }
        db.touch(Table::Annotations, source, project, task)
    }
}

/// Takes in an annotation, if it is newer than what is known; `true` if it is.
pub(super) fn take_in(
    db: &Batch<'_>,
    event: &Event<'_>,
    changed: &Changed<'_>,
    record: &Annotation<'_>,
) -> rusqlite::Result<bool> {
    let key = &changed.key;
    let known = known(db, &key.source, key.kind, &key.id)?;
    let held = |kinds: &[Kind]| {
        let parent = changed.parents.iter().find(|it| kinds.contains(&it.kind));
        parent.map(|parent| parent.id.to_string())
    };
    let task = held(&[Kind::Task, Kind::DataRow])
        .or_else(|| known.as_ref().and_then(|known| known.task.clone()));
    let project = held(&[Kind::Project]).or_else(|| {
        // On another task it may be in another project.
        let known = known
            .as_ref()
            .filter(|known| known.task.is_none() || known.task == task);
        known.and_then(|known| known.project.clone())
    });
    let project = match (project, &task) {
        (None, Some(task)) => super::task::project_of(db, &key.source, task)?,
        (project, _) => project,
    };
    let version = changed.version.as_deref();
    let gone = is_gone(db, key, task.as_deref(), project.as_deref(), version)?;
    let mut compared = match &known {
        Some(known) => compare(known.version.as_deref(), version, changed.order),
        None => Compared::Newer,
    };
    let is_marked = known
        .as_ref()
        .is_some_and(|known| known.deleted_by.as_deref() == Some("header"));
    // Sent again on purpose; or the platform's API contradicts a header.
    if compared == Compared::Same
        && (event.attributes().replayedtime.is_some() || is_marked != (gone == Gone::ByHeader))
    {
        compared = Compared::Newer;
    }
    let is_let_in = gone.lets_in(compared);
    let before = known
        .as_ref()
        .and_then(|known| known.of_same(record.created.as_deref()));
    let truth = ground_truth::weigh(
        db,
        event,
        changed,
        record,
        task.as_deref(),
        before,
        is_let_in,
    )?;
    if !is_let_in {
        return Ok(truth.has_changed);
    }
    if changed.order == Order::Unknown && !is_first_time(db, event, changed)? {
        return Ok(truth.has_changed);
    }
    let is_settled = compared != Compared::Unsettled && changed.order == Order::Newer;
    let author = record.author.as_deref();
    let is_forgotten = author.is_some_and(|author| is_forgotten(db, author));
    let row = write(
        db,
        event,
        changed,
        record,
        &Holders {
            row: known.as_ref().map(|known| known.row),
            task: task.as_deref(),
            project: project.as_deref(),
            ordering: if is_settled { "newer" } else { "unknown" },
            is_marked: gone == Gone::ByHeader,
            is_forgotten,
            is_ground_truth: truth.is_one,
            past: &truth.past,
        },
    )?;
    let (project, task) = (project.as_deref(), task.as_deref());
    db.touch(Table::Annotations, &key.source, project, task)?;
    if let Some(known) = &known {
        known.leave(db, &key.source, (project, task))?;
    }
    if let Some(task) = task {
        super::task::note(db, &key.source, task, project)?;
    }
    write_regions(db, row, &record.regions, is_forgotten)?;
    for region in &record.regions {
        note_classes(db, event, key.kind, region)?;
    }
    write_classifications(db, row, &record.classifications)?;
    Ok(true)
}

/// Tells whether an annotation in this version is gone, or its task, or its project.
fn is_gone(
    db: &Batch<'_>,
    key: &Key<'_>,
    task: Option<&str>,
    project: Option<&str>,
    version: Option<&str>,
) -> rusqlite::Result<Gone> {
    let task_kind = if key.kind == Kind::Label {
        Kind::DataRow
    } else {
        Kind::Task
    };
    let holders = [
        Some((key.kind, &*key.id)),
        task.map(|task| (task_kind, task)),
        project.map(|project| (Kind::Project, project)),
    ];
    removal::is_gone(db, &key.source, holders.into_iter().flatten(), version)
}

/// Gives the labels of a region their numbers.
fn note_classes(
    db: &Batch<'_>,
    event: &Event<'_>,
    kind: Kind,
    region: &Region<'_>,
) -> rusqlite::Result<()> {
    for label in &region.labels {
        if !db.is_new_label(kind, label) {
            continue;
        }
        let schema = match kind {
            Kind::Label => schema_id(region),
            _ => None,
        };
        let seen = &event.attributes().receivedtime;
        class_list::note(db, label, schema.as_deref(), seen)?;
        // One of Labelbox without an id leaves it to the next region to say it.
        if kind != Kind::Label || schema.is_some() {
            db.note_label(kind, label);
        }
    }
    Ok(())
}

/// Removes what an annotation holds.
pub(super) fn empty(db: &Transaction<'_>, row: i64) -> rusqlite::Result<()> {
    for statement in [
        "DELETE FROM main.regions WHERE annotation = ?1",
        "DELETE FROM main.classifications WHERE annotation = ?1",
    ] {
        db.prepare_cached(statement)?.execute([row])?;
    }
    Ok(())
}

/// Notes a change that no version puts in order; `false` if it was taken in before, and is not sent again on purpose.
pub(super) fn is_first_time(
    db: &Transaction<'_>,
    event: &Event<'_>,
    changed: &Changed<'_>,
) -> rusqlite::Result<bool> {
    let (key, attributes) = (&changed.key, event.attributes());
    let noted = db
        .prepare_cached("INSERT OR IGNORE INTO unsettled VALUES(?1, ?2, ?3, ?4)")?
        .execute((&*key.source, &attributes.id, key.kind.as_str(), &*key.id))?;
    Ok(noted > 0 || attributes.replayedtime.is_some())
}

fn known(
    db: &Transaction<'_>,
    source: &str,
    kind: Kind,
    id: &str,
) -> rusqlite::Result<Option<Known>> {
    db.prepare_cached(
        "SELECT row, version, deleted_by, task_id, project_id, created_at, ground_truth_told,
             ground_truth_set_after, CASE WHEN ground_truth = 0 THEN version END FROM annotations
         WHERE source = ?1 AND kind = ?2 AND annotation_id = ?3",
    )?
    .query_row((source, kind.as_str(), id), |row| {
        let (set_after, lost): (Option<String>, Option<String>) = (row.get(7)?, row.get(8)?);
        Ok(Known {
            row: row.get(0)?,
            version: row.get(1)?,
            deleted_by: row.get(2)?,
            task: row.get(3)?,
            project: row.get(4)?,
            created: row.get(5)?,
            past: Past {
                told: row.get(6)?,
                set_after: set_after.or_else(|| lost.clone()),
                lost,
            },
        })
    })
    .optional()
}

struct Holders<'a> {
    /// The annotation's row, if it has one.
    row: Option<i64>,
    task: Option<&'a str>,
    project: Option<&'a str>,
    ordering: &'static str,
    is_marked: bool,
    is_forgotten: bool,
    is_ground_truth: bool,
    past: &'a Past,
}

fn write(
    db: &Transaction<'_>,
    event: &Event<'_>,
    changed: &Changed<'_>,
    record: &Annotation<'_>,
    with: &Holders<'_>,
) -> rusqlite::Result<i64> {
    let attributes = event.attributes();
    let origin = attributes.origin.clone().map(Box::<str>::from);
    let relations: Vec<Relation<'_>> = record
        .relations
        .iter()
        .map(|it| Relation {
            direction: it.direction.as_deref(),
            from: it.from.as_deref(),
            labels: &it.labels,
            to: it.to.as_deref(),
        })
        .collect();
    let author = record.author.as_deref();
    let scores = Scores::of(changed.key.kind, record);
    // Its row was looked up before, and two statements that know that are cheaper than one that finds out.
    let statement = if with.row.is_some() { UPDATE } else { INSERT };
    db.prepare_cached(statement)?.execute(rusqlite::params![
        &*changed.key.source,
        changed.key.kind.as_str(),
        &*changed.key.id,
        with.project,
        with.task,
        changed.version,
        with.ordering,
        with.is_marked.then_some("header"),
        author.filter(|_| !with.is_forgotten),
        record.created.as_deref(),
        record.updated.as_deref(),
        record.skipped.unwrap_or(false),
        with.is_ground_truth,
        record.workflow.as_deref(),
        attributes.id,
        attributes.receivedtime,
        origin,
        attributes.datasha256,
        Some(record.raw.get()).filter(|_| !with.is_forgotten),
        serde_json::to_string(&relations).unwrap_or_default(),
        scores.consensus,
        scores.benchmark,
        with.past.told,
        with.past.set_after,
    ])?;
    Ok(with.row.unwrap_or_else(|| db.last_insert_rowid()))
}

const INSERT: &str = "INSERT INTO annotations(source, kind, annotation_id, project_id, task_id, version, ordering, state, \
     deleted_by, author, created_at, updated_at, skipped, ground_truth, workflow, event_id, received_at, origin, sha256, \
     raw, relations, consensus, benchmark, ground_truth_told, ground_truth_set_after) \
     VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, 'present', ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, \
     ?21, ?22, ?23, ?24)";

/// The same values, over the row that is there.
const UPDATE: &str = "UPDATE annotations SET project_id = ?4, task_id = ?5, version = coalesce(?6, version), \
     ordering = ?7, state = 'present', deleted_by = ?8, author = ?9, created_at = ?10, updated_at = ?11, skipped = ?12, \
     ground_truth = ?13, workflow = ?14, event_id = ?15, received_at = ?16, origin = ?17, sha256 = ?18, raw = ?19, \
     relations = ?20, consensus = ?21, benchmark = ?22, ground_truth_told = ?23, ground_truth_set_after = ?24 \
     WHERE source = ?1 AND kind = ?2 AND annotation_id = ?3";

/// A relation, as the state keeps it.
#[derive(Serialize)]
struct Relation<'a> {
    direction: Option<&'a str>,
    from: Option<&'a str>,
    labels: &'a [Cow<'a, str>],
    to: Option<&'a str>,
}

fn is_forgotten(db: &Batch<'_>, author: &str) -> bool {
    // Who cannot be looked up counts as forgotten: the other mistake could not be undone.
    if !db.has_forgotten().unwrap_or(true) {
        return false;
    }
    let look = db.prepare_cached("SELECT 1 FROM forgotten_authors WHERE author = ?1");
    look.and_then(|mut look| look.exists([author]))
        .unwrap_or(true)
}
