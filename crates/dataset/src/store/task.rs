//! Tasks and projects: what an annotation is of.

use super::removal::{self, Gone};
use super::version::received;
use labelrelay_event::Event;
use labelrelay_event::changes::{Changed, Key, Kind, Task, Workflow};
use rusqlite::{OptionalExtension as _, Transaction};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Members that stand beside the annotation in a delivery.
#[derive(Deserialize)]
struct Beside<'a> {
    /// Label Studio.
    #[serde(borrow, default)]
    task: Option<&'a RawValue>,
    #[serde(borrow, default)]
    project: Option<&'a RawValue>,
    /// Labelbox, v2.
    #[serde(borrow, default)]
    data_row: Option<&'a RawValue>,
    #[serde(borrow, default)]
    media_attributes: Option<&'a RawValue>,
    /// Labelbox, v1.
    #[serde(borrow, default, rename = "dataRow")]
    data_row_v1: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct TaskBeside<'a> {
    id: i64,
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(default)]
    project: Option<i64>,
}

#[derive(Deserialize)]
struct ProjectBeside {
    id: i64,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    label_config: Option<String>,
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

/// Notes the task and the project that stand beside what a delivery is about. What has another shape tells nothing: the
/// changes are what counts.
pub(super) fn beside(db: &Transaction<'_>, event: &Event<'_>) -> rusqlite::Result<bool> {
    let attributes = event.attributes();
    if attributes.origin.is_some() {
        return Ok(false);
    }
    let Ok(Ok(beside)) = event.raw().map(serde_json::from_slice::<Beside<'_>>) else {
        return Ok(false);
    };
    let (source, seen) = (&attributes.source, received(event));
    let mut has_changed = false;
    if let Some(task) = beside.task.and_then(parse::<TaskBeside<'_>>) {
        let project = task.project.map(|id| id.to_string());
        has_changed |= write(
            db,
            source,
            &task.id.to_string(),
            project.as_deref().or(attributes.project.as_deref()),
            task.data.get(),
            &seen,
        )?;
    }
    if let Some(project) = beside.project.and_then(parse::<ProjectBeside>) {
        has_changed |= write_project(
            db,
            source,
            &project.id.to_string(),
            project.title.as_deref(),
            project.label_config.as_deref(),
            &seen,
        )?;
    }
    if let Some(row) = beside
        .data_row
        .or(beside.data_row_v1)
        .and_then(parse::<DataRow>)
    {
        let size = beside.media_attributes.and_then(parse::<MediaAttributes>);
        has_changed |= write_data_row(db, source, &row, size.as_ref(), &seen)?;
    }
    Ok(has_changed)
}

fn parse<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

pub(super) fn take_in(
    db: &Transaction<'_>,
    key: &Key<'_>,
    task: &Task<'_>,
    seen: &str,
) -> rusqlite::Result<bool> {
    write(
        db,
        &key.source,
        &key.id,
        task.project.as_deref(),
        task.data.get(),
        seen,
    )
}

pub(super) fn take_in_project(
    db: &Transaction<'_>,
    key: &Key<'_>,
    title: Option<&str>,
    label_config: Option<&str>,
    seen: &str,
) -> rusqlite::Result<bool> {
    write_project(db, &key.source, &key.id, title, label_config, seen)
}

/// The last that was seen counts: no webhook tells when a task changes.
fn write(
    db: &Transaction<'_>,
    source: &str,
    task: &str,
    project: Option<&str>,
    data: &str,
    seen: &str,
) -> rusqlite::Result<bool> {
    let holders = [
        Some((Kind::Task, task)),
        project.map(|project| (Kind::Project, project)),
    ];
    let gone = removal::is_gone(db, source, holders.into_iter().flatten(), Some(seen))?;
    if gone == Gone::Yes {
        return Ok(false);
    }
    let rows = db
        .prepare_cached(
            "INSERT INTO tasks(source, task_id, project_id, data, seen_at) VALUES(?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET project_id = coalesce(excluded.project_id, project_id), data = excluded.data,
                 seen_at = excluded.seen_at, deleted = 0
             WHERE seen_at <= excluded.seen_at AND (data IS NOT excluded.data OR deleted
                 OR (excluded.project_id IS NOT NULL AND project_id IS NOT excluded.project_id))",
        )?
        .execute((source, task, project, data, seen))?;
    let are_told = match project {
        Some(project) => tell_annotations(db, source, task, project)?,
        None => false,
    };
    Ok(rows > 0 || are_told)
}

/// Tells annotations that came without a project which one they are in; `true` if there were some.
fn tell_annotations(
    db: &Transaction<'_>,
    source: &str,
    task: &str,
    project: &str,
) -> rusqlite::Result<bool> {
    let told = db
        .prepare_cached(
            "UPDATE annotations SET project_id = ?3 WHERE source = ?1 AND task_id = ?2 AND project_id IS NULL",
        )?
        .execute((source, task, project))?;
    if told > 0 {
        removal::apply_late(db, source, project)?;
    }
    Ok(told > 0)
}

fn write_data_row(
    db: &Transaction<'_>,
    source: &str,
    row: &DataRow,
    size: Option<&MediaAttributes>,
    seen: &str,
) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "INSERT INTO tasks(source, task_id, external_id, media_url, width, height, seen_at)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET external_id = coalesce(excluded.external_id, external_id),
             media_url = coalesce(excluded.media_url, media_url), width = coalesce(excluded.width, width),
             height = coalesce(excluded.height, height), seen_at = excluded.seen_at
         WHERE seen_at <= excluded.seen_at",
    )?
    .execute((
        source,
        &row.id,
        &row.external_id,
        &row.row_data,
        size.map(|size| size.width),
        size.map(|size| size.height),
        seen,
    ))
    .map(|rows| rows > 0)
}

/// Notes that there is a task of which nothing else is known.
pub(super) fn note(
    db: &Transaction<'_>,
    source: &str,
    task: &str,
    project: Option<&str>,
) -> rusqlite::Result<()> {
    let rows = db
        .prepare_cached(
            "INSERT INTO tasks(source, task_id, project_id, seen_at) VALUES(?1, ?2, ?3, '')
             ON CONFLICT DO UPDATE SET project_id = excluded.project_id
             WHERE project_id IS NULL AND excluded.project_id IS NOT NULL",
        )?
        .execute((source, task, project))?;
    match project {
        // As if it had been known before they came.
        Some(project) if rows > 0 => tell_annotations(db, source, task, project).map(drop),
        _ => Ok(()),
    }
}

pub(super) fn project_of(
    db: &Transaction<'_>,
    source: &str,
    task: &str,
) -> rusqlite::Result<Option<String>> {
    let project = db
        .prepare_cached("SELECT project_id FROM tasks WHERE source = ?1 AND task_id = ?2")?
        .query_row((source, task), |row| row.get(0))
        .optional()?;
    Ok(project.flatten())
}

/// Keeps each version of the configuration, under the time at which it was first seen.
fn write_project(
    db: &Transaction<'_>,
    source: &str,
    project: &str,
    title: Option<&str>,
    label_config: Option<&str>,
    seen: &str,
) -> rusqlite::Result<bool> {
    if label_config.is_none() {
        return Ok(false);
    }
    let beside: Option<(Option<String>, Option<String>)> = db
        .prepare_cached(
            "SELECT title, label_config FROM projects WHERE source = ?1 AND project_id = ?2 AND seen_at <= ?3
             ORDER BY seen_at DESC LIMIT 1",
        )?
        .query_row((source, project, seen), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    if beside.is_some_and(|(before, config)| {
        config.as_deref() == label_config && (title.is_none() || before.as_deref() == title)
    }) {
        return Ok(false);
    }
    db.prepare_cached("INSERT OR REPLACE INTO projects VALUES(?1, ?2, ?3, ?4, ?5)")?
        .execute((source, project, seen, title, label_config))
        .map(|rows| rows > 0)
}

/// Notes that a task has all the annotations that it needs.
pub(super) fn complete(
    db: &Transaction<'_>,
    key: &Key<'_>,
    received: &str,
) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "INSERT INTO tasks(source, task_id, completed_at, seen_at) VALUES(?1, ?2, ?3, '')
         ON CONFLICT DO UPDATE SET completed_at = excluded.completed_at
         WHERE completed_at IS NULL OR completed_at < excluded.completed_at",
    )?
    .execute((&*key.source, &*key.id, received))
    .map(|rows| rows > 0)
}

/// The newest step of a data row in Labelbox's workflow.
pub(super) fn move_in_workflow(
    db: &Transaction<'_>,
    changed: &Changed<'_>,
    step: &Workflow<'_>,
) -> rusqlite::Result<bool> {
    let at = changed.version.as_deref().unwrap_or_default();
    db.prepare_cached(
        "INSERT INTO tasks(source, task_id, workflow_state, workflow_at, seen_at) VALUES(?1, ?2, ?3, ?4, '')
         ON CONFLICT DO UPDATE SET workflow_state = excluded.workflow_state, workflow_at = excluded.workflow_at
         WHERE workflow_at IS NULL OR workflow_at <= excluded.workflow_at",
    )?
    .execute((
        &*changed.key.source,
        &*changed.key.id,
        step.destination.as_deref().or(step.action.as_deref()),
        at,
    ))
    .map(|rows| rows > 0)
}
