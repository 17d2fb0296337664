//! Projects: each version of a labeling configuration that was seen.

use super::batch::Batch;
use super::version::at_most;
use crate::label_config::LabelConfig;
use labelrelay_event::changes::{Key, Raw};
use rusqlite::{Connection, OptionalExtension as _};
use serde::Deserialize;

#[derive(Deserialize)]
struct Beside {
    id: i64,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    label_config: Option<String>,
    #[serde(default)]
    updated_at: Option<String>,
}

/// Notes the project that stands beside what a delivery is about, and was `seen` with it; `true` if that is new. Most things
/// of a batch are of one project, which says the same each time.
pub(super) fn beside(
    db: &Batch<'_>,
    source: &str,
    raw: &Raw<'_>,
    seen: &str,
) -> rusqlite::Result<bool> {
    if db.is_last_project(source, raw.get(), seen) {
        return Ok(false);
    }
    let Ok(project) = raw.parse::<Beside>() else {
        return Ok(false);
    };
    let (id, title) = (project.id.to_string(), project.title.as_deref());
    let config = project.label_config.as_deref();
    let at = at_most(seen.to_owned(), project.updated_at.as_deref());
    let has_changed = write(db, source, &id, title, config, &at)?;
    if !is_later_known(db, source, &id, &at)? {
        db.note_project(source, raw.get(), seen);
    }
    Ok(has_changed)
}

pub(super) fn take_in(
    db: &Batch<'_>,
    key: &Key<'_>,
    title: Option<&str>,
    label_config: Option<&str>,
    seen: &str,
) -> rusqlite::Result<bool> {
    write(db, &key.source, &key.id, title, label_config, seen)
}

/// Keeps each version of the configuration, under the time at which it was first seen.
fn write(
    db: &Batch<'_>,
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
    if beside.as_ref().is_some_and(|(before, config)| {
        config.as_deref() == label_config && (title.is_none() || before.as_deref() == title)
    }) {
        return Ok(false);
    }
    let before = beside.and_then(|(_, config)| config);
    if member(before.as_deref()) != member(label_config) {
        db.touch_tasks(source, project)?;
    }
    db.forget_project();
    db.prepare_cached("INSERT OR REPLACE INTO projects VALUES(?1, ?2, ?3, ?4, ?5)")?
        .execute((source, project, seen, title, label_config))
        .map(|rows| rows > 0)
}

/// The member of a task's data that holds the address of its medium.
fn member(config: Option<&str>) -> Option<String> {
    let config = LabelConfig::parse(config?);
    config.member(None).map(ToOwned::to_owned)
}

/// Tells whether a version of a project is known that was seen after `seen`.
fn is_later_known(
    db: &Connection,
    source: &str,
    project: &str,
    seen: &str,
) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "SELECT 1 FROM projects WHERE source = ?1 AND project_id = ?2 AND seen_at > ?3",
    )?
    .exists((source, project, seen))
}
