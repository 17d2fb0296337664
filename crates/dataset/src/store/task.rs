//! Tasks: what an annotation is of.

use super::batch::Batch;
use super::changes::Table;
use super::project;
use super::removal::{self, Gone};
use super::scores;
use super::version::{Receipt, at_most, is_later};
use labelrelay_event::Event;
use labelrelay_event::changes::{Key, Kind, Raw, Task};
use rusqlite::{Connection, OptionalExtension as _, Params, Row};
use serde::Deserialize;
use serde_json::value::RawValue;

/// What stands beside the annotation in a delivery.
pub(super) struct Beside<'a> {
    /// Label Studio.
    task: Option<Raw<'a>>,
    project: Option<Raw<'a>>,
    /// Labelbox.
    data_row: Option<Raw<'a>>,
    /// Labelbox, v2.
    media_attributes: Option<Raw<'a>>,
}

#[derive(Deserialize)]
struct TaskBeside<'a> {
    id: i64,
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(default)]
    project: Option<i64>,
    #[serde(borrow, default, rename = "precomputed_agreement")]
    agreement: Option<&'a RawValue>,
    #[serde(borrow, default)]
    created_at: Option<&'a RawValue>,
    #[serde(borrow, default)]
    updated_at: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct DataRow {
    id: String,
    #[serde(default, alias = "externalId")]
    external_id: Option<String>,
    #[serde(default, alias = "rowData")]
    row_data: Option<String>,
}

#[derive(Deserialize)]
struct MediaAttributes {
    width: u32,
    height: u32,
}

/// Beginning of the types of Labelbox's events.
const LABELBOX: &str = "com.labelbox.";

/// Tells whether a row has nothing but an id: that is all that is left of it in an event about a label that is gone.
fn is_remains(beside: &Beside<'_>) -> bool {
    let row = parse::<DataRow>(beside.data_row.as_ref());
    row.is_none_or(|row| row.external_id.is_none() && row.row_data.is_none())
}

/// What stands beside the thing that a delivery is about; `None` if nothing does. What has another shape tells nothing: the
/// changes are what counts. Label Studio's API returns each thing by itself; Labelbox's exports have whole rows.
pub(super) fn read_beside<'a>(event: &Event<'a>) -> Option<Beside<'a>> {
    let attributes = event.attributes();
    let is_alone = attributes.origin.is_some();
    if is_alone && !attributes.event_type.starts_with(LABELBOX) {
        return None;
    }
    // Labelbox writes it in one way or the other: v1 has `dataRow`.
    let names = ["task", "project", "data_row", "dataRow", "media_attributes"];
    let [task, project, data_row, data_row_v1, media_attributes] = event.members(names).ok()?;
    let beside = Beside {
        task,
        project,
        data_row: data_row.or(data_row_v1),
        media_attributes,
    };
    (!is_alone || !is_remains(&beside)).then_some(beside)
}

/// Notes the task and the project that stand beside what a delivery is about.
pub(super) fn beside(
    db: &Batch<'_>,
    event: &Event<'_>,
    beside: &Beside<'_>,
    receipt: &Receipt,
) -> rusqlite::Result<bool> {
    let attributes = event.attributes();
    let (source, seen) = (&attributes.source, receipt.version.as_str());
    let mut has_changed = false;
    if let Some(task) = parse::<TaskBeside<'_>>(beside.task.as_ref()) {
        let project = task.project.map(|id| id.to_string());
        let text = |raw: Option<&RawValue>| serde_json::from_str::<String>(raw?.get()).ok();
        let (updated, created) = (text(task.updated_at), text(task.created_at));
        has_changed |= write(
            db,
            source,
            &task.id.to_string(),
            project.as_deref().or(attributes.project.as_deref()),
            &Told {
                data: task.data.get(),
                agreement: scores::number(task.agreement),
                created: created.as_deref(),
                seen: &at_most(seen.to_owned(), updated.as_deref()),
            },
        )?;
    }
    if let Some(project) = &beside.project {
        has_changed |= project::beside(db, source, project, seen)?;
    }
    if let Some(row) = parse::<DataRow>(beside.data_row.as_ref()) {
        let size = parse::<MediaAttributes>(beside.media_attributes.as_ref());
        has_changed |= write_data_row(db, source, &row, size.as_ref(), seen)?;
    }
    Ok(has_changed)
}

fn parse<'r, T: Deserialize<'r>>(raw: Option<&'r Raw<'_>>) -> Option<T> {
    raw?.parse().ok()
}

pub(super) fn take_in(
    db: &Batch<'_>,
    key: &Key<'_>,
    task: &Task<'_>,
    seen: &str,
) -> rusqlite::Result<bool> {
    write(
        db,
        &key.source,
        &key.id,
        task.project.as_deref(),
        &Told {
            data: task.data.get(),
            agreement: scores::of_task(&task.raw),
            created: task.created.as_deref(),
            seen,
        },
    )
}

/// Word of a task, as of the time `seen`.
struct Told<'a> {
    data: &'a str,
    agreement: Option<f64>,
    created: Option<&'a str>,
    seen: &'a str,
}

/// The last that was seen counts: no webhook tells when a task changes.
fn write(
    db: &Batch<'_>,
    source: &str,
    task: &str,
    project: Option<&str>,
    told: &Told<'_>,
) -> rusqlite::Result<bool> {
    let Told {
        data,
        agreement,
        created,
        seen,
    } = *told;
    let holders = [
        Some((Kind::Task, task)),
        project.map(|project| (Kind::Project, project)),
    ];
    let gone = removal::is_gone(db, source, holders.into_iter().flatten(), Some(seen))?;
    if gone == Gone::Yes {
        return Ok(false);
    }
    let known: Option<Known> = db
        .prepare_cached(
            "SELECT project_id, data IS ?3 AND (?5 IS NULL OR agreement IS ?5), deleted, seen_at <= ?4, created_at,
                 completed_at FROM tasks
             WHERE source = ?1 AND task_id = ?2",
        )?
        .query_row((source, task, data, seen, agreement), |row| {
            Ok(Known {
                project: row.get(0)?,
                is_same: row.get(1)?,
                is_deleted: row.get(2)?,
                is_earlier: row.get(3)?,
                created: row.get(4)?,
                completed: row.get(5)?,
            })
        })
        .optional()?;
    let Some(known) = known else {
        db.prepare_cached(
            "INSERT INTO tasks(source, task_id, project_id, data, seen_at, agreement, created_at)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((source, task, project, data, seen, agreement, created))?;
        db.touch(Table::Tasks, source, project, Some(task))?;
        if project.is_some() {
            db.note_placed(source, task);
        }
        // An annotation that was there before would have made it.
        return Ok(true);
    };
    let has_moved = project.is_some() && known.project.as_deref() != project;
    // Another task has the id of this one, and perhaps its data too: what is told late of that is not about this one.
    let is_another = is_later(known.created.as_deref(), created);
    let has_changed =
        known.is_earlier && (!known.is_same || known.is_deleted || has_moved || is_another);
    if has_changed {
        db.prepare_cached(
            "UPDATE tasks SET project_id = coalesce(?3, project_id), data = ?4, seen_at = ?5, deleted = 0,
                 agreement = coalesce(?6, agreement), created_at = coalesce(?7, created_at),
                 completed_at = iif(?8, NULL, completed_at)
             WHERE source = ?1 AND task_id = ?2",
        )?
        .execute((
            source,
            task,
            project,
            data,
            seen,
            agreement,
            created,
            is_another && is_later(known.completed.as_deref(), created),
        ))?;
        db.touch(Table::Tasks, source, known.project.as_deref(), Some(task))?;
        if has_moved {
            db.touch(Table::Tasks, source, project, Some(task))?;
        }
    }
    // A dataset of an earlier version does not know it. Nothing that a snapshot says is another for it.
    if known.is_earlier && !has_changed && known.created.is_none() && created.is_some() {
        db.prepare_cached("UPDATE tasks SET created_at = ?3 WHERE source = ?1 AND task_id = ?2")?
            .execute((source, task, created))?;
    }
    if known.project.is_some() || (has_changed && has_moved) {
        db.note_placed(source, task);
    }
    let are_told = match project {
        Some(project) if has_moved => tell_annotations(db, source, task, project)?,
        _ => false,
    };
    Ok(has_changed || are_told)
}

/// Knowledge of a task, beside what is told now.
struct Known {
    project: Option<String>,
    is_same: bool,
    is_deleted: bool,
    is_earlier: bool,
    created: Option<String>,
    completed: Option<String>,
}

/// Tells annotations that came without a project which one they are in; `true` if there were some.
pub(super) fn tell_annotations(
    db: &Batch<'_>,
    source: &str,
    task: &str,
    project: &str,
) -> rusqlite::Result<bool> {
    let told = db
        .prepare_cached(
            "UPDATE main.annotations SET project_id = ?3
             WHERE source = ?1 AND task_id = ?2 AND project_id IS NULL",
        )?
        .execute((source, task, project))?;
    if told > 0 {
        db.touch(Table::Annotations, source, None, Some(task))?;
        db.touch(Table::Annotations, source, Some(project), Some(task))?;
        removal::apply_late(db, source, project)?;
    }
    Ok(told > 0)
}

fn write_data_row(
    db: &Batch<'_>,
    source: &str,
    row: &DataRow,
    size: Option<&MediaAttributes>,
    seen: &str,
) -> rusqlite::Result<bool> {
    let statement = "INSERT INTO tasks(source, task_id, external_id, media_url, width, height, seen_at)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET external_id = coalesce(excluded.external_id, external_id),
             media_url = coalesce(excluded.media_url, media_url), width = coalesce(excluded.width, width),
             height = coalesce(excluded.height, height), seen_at = excluded.seen_at
         WHERE seen_at <= excluded.seen_at RETURNING project_id";
    let values = (
        source,
        &row.id,
        &row.external_id,
        &row.row_data,
        size.map(|size| size.width),
        size.map(|size| size.height),
        seen,
    );
    change(db, statement, values, source, &row.id).map(|changed| changed.is_some())
}

/// Where a task is that is known.
pub(super) struct Place {
    /// Its project, if that is known too.
    pub(super) project: Option<String>,
}

impl Place {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            project: row.get(0)?,
        })
    }
}

/// Runs a statement that may change the row of a task, and returns its project; where it is, if it changed.
pub(super) fn change(
    db: &Batch<'_>,
    statement: &str,
    values: impl Params,
    source: &str,
    task: &str,
) -> rusqlite::Result<Option<Place>> {
    let changed = db
        .prepare_cached(statement)?
        .query_row(values, Place::read)
        .optional()?;
    if let Some(place) = &changed {
        db.touch(Table::Tasks, source, place.project.as_deref(), Some(task))?;
    }
    Ok(changed)
}

/// Notes that there is a task of which nothing else is known.
pub(super) fn note(
    db: &Batch<'_>,
    source: &str,
    task: &str,
    project: Option<&str>,
) -> rusqlite::Result<()> {
    if db.is_placed(source, task) {
        return Ok(());
    }
    let known = place(db, source, task)?.map(|place| place.project);
    match (known, project) {
        (None, project) => {
            db.prepare_cached(
                "INSERT INTO tasks(source, task_id, project_id, seen_at) VALUES(?1, ?2, ?3, '')",
            )?
            .execute((source, task, project))?;
            db.touch(Table::Tasks, source, project, Some(task))
        }
        (Some(None), Some(project)) => {
            db.prepare_cached(
                "UPDATE tasks SET project_id = ?3 WHERE source = ?1 AND task_id = ?2",
            )?
            .execute((source, task, project))?;
            db.touch(Table::Tasks, source, None, Some(task))?;
            db.touch(Table::Tasks, source, Some(project), Some(task))?;
            // As if it had been known before they came.
            tell_annotations(db, source, task, project).map(drop)
        }
        _ => Ok(()),
    }
}

pub(super) fn project_of(
    db: &Connection,
    source: &str,
    task: &str,
) -> rusqlite::Result<Option<String>> {
    let place = place(db, source, task)?;
    Ok(place.and_then(|place| place.project))
}

/// The place of a task, if it is known.
pub(super) fn place(db: &Connection, source: &str, task: &str) -> rusqlite::Result<Option<Place>> {
    db.prepare_cached("SELECT project_id FROM main.tasks WHERE source = ?1 AND task_id = ?2")?
        .query_row((source, task), Place::read)
        .optional()
}
