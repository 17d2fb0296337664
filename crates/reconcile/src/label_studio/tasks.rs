//! Answers of the data manager: tasks, and the annotations in them, cut out as they were written.

use super::api::{self, Api, LARGEST_ANSWER};
use super::entity_kinds::{ANNOTATION, TASK};
use super::query;
use crate::http::Answer;
use crate::page::Entity;
use crate::platform::{EntityRef, PlatformError};
use bytes::Bytes;
use labelrelay_core::ledger::Key;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

/// Label Studio shortens lists of ids to so many characters.
const SHORTENED_AT: usize = 500;

/// Largest answer with more than one task. Three answers are in memory at a time. What would be larger is asked for in
/// smaller parts.
const LARGEST_PAGE_BYTES: usize = 32 * 1024 * 1024;

/// Part of each task that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fields {
    /// The task with its annotations.
    ///
    /// `review` leaves out what the data manager would calculate for its columns, and keeps it from asking
    /// an ML back end for predictions. `resolve_uri=false` leaves addresses in storages as they are, as
    /// webhooks do: a signed one would be another one each time.
    All,
    /// The task with the ids of its annotations.
    Ids,
}

/// Columns of the data manager that cost queries of their own and are not wanted.
const COLUMNS: [&str; 13] = [
    "tasks:inner_id",
    "tasks:completed_at",
    "tasks:annotators",
    "tasks:annotations_results",
    "tasks:predictions_score",
    "tasks:predictions_model_versions",
    "tasks:predictions_results",
    "tasks:file_upload",
    "tasks:storage_filename",
    "tasks:updated_by",
    "tasks:avg_lead_time",
    "tasks:draft_exists",
    "tasks:state",
];

/// Some tasks, in the order of their ids.
pub(super) struct Tasks {
    pub(super) answer: Answer,
    /// Number of all, these included.
    pub(super) total: u64,
    pub(super) entities: Vec<Entity>,
    /// Number of the things that are tasks.
    pub(super) count: u64,
    /// Ids of the tasks, in the order in which they came.
    pub(super) ids: Vec<u64>,
    /// Tasks whose list of annotations was shortened.
    pub(super) shortened: Vec<String>,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    tasks: Vec<&'a RawValue>,
    total: u64,
}

#[derive(Deserialize)]
struct Task<'a> {
    id: u64,
    #[serde(borrow, default)]
    annotations: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    annotations_ids: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Annotation {
    id: u64,
}

/// Asks for the tasks of a query, `page_size` at most. `None` when the project is gone.
pub(super) async fn get(
    api: &Api,
    project: &str,
    mut query: Value,
    fields: Fields,
    page_size: u32,
) -> Result<Option<Tasks>, PlatformError> {
    let wanted = match fields {
        Fields::All => "fields=all&review=true",
        Fields::Ids => {
            if let Some(query) = query.as_object_mut() {
                let hidden = serde_json::json!({ "explore": COLUMNS, "labeling": COLUMNS });
                query.insert("hiddenColumns".to_owned(), hidden);
            }
            "fields=task_only"
        }
    };
    let path = format!(
        "/api/tasks/?project={project}&page=1&page_size={page_size}&resolve_uri=false&{wanted}&query={}",
        query::encoded(&query)
    );
    let max_bytes = if page_size == 1 {
        LARGEST_ANSWER
    } else {
        LARGEST_PAGE_BYTES
    };
    let Some(answer) = api.get_for(&path, max_bytes).await? else {
        return Ok(None);
    };
    let what = format!("tasks of project {project}");
    cut(&what, answer, fields).map(Some)
}

/// Takes an answer apart.
fn cut(what: &str, answer: Answer, fields: Fields) -> Result<Tasks, PlatformError> {
    let body: Body<'_> = api::read(what, &answer)?;
    let part = |raw: &RawValue| answer.body.slice_ref(raw.get().as_bytes());
    let mut entities = Vec::new();
    let (mut tasks, mut shortened) = (Vec::new(), Vec::new());
    for raw in &body.tasks {
        let task: Task<'_> = read_part(what, raw)?;
        tasks.push(task.id);
        let id = task.id.to_string();
        let entity = |key, holder, content: Option<Bytes>| Entity {
            key,
            holder,
            content,
        };
        let content = (fields == Fields::All).then(|| part(raw));
        entities.push(entity(Key::new(TASK, &id), None, content));
        for raw in &task.annotations {
            let annotation: Annotation = read_part(what, raw)?;
            let key = Key::new(ANNOTATION, annotation.id.to_string());
            entities.push(entity(key, Some(id.clone()), Some(part(raw))));
        }
        let ids = task.annotations_ids.unwrap_or_default();
        if ids.len() >= SHORTENED_AT {
            shortened.push(id);
            continue;
        }
        let ids: BTreeSet<u64> = ids
            .split(',')
            .filter_map(|id| id.trim().parse().ok())
            .collect();
        if fields == Fields::Ids {
            entities.extend(ids.into_iter().map(|annotation| {
                let key = Key::new(ANNOTATION, annotation.to_string());
                entity(key, Some(id.clone()), None)
            }));
        }
    }
    let (total, count) = (body.total, body.tasks.len() as u64);
    drop(body);
    Ok(Tasks {
        answer,
        total,
        entities,
        count,
        ids: tasks,
        shortened,
    })
}

fn read_part<'a, T: Deserialize<'a>>(what: &str, raw: &'a RawValue) -> Result<T, PlatformError> {
    serde_json::from_str(raw.get()).map_err(|error| {
        PlatformError::permanent(format!(
            "{what}: one of them is not what Label Studio's API answers ({error}); see that this program knows its version (1.20 to 1.23)"
        ))
    })
}

/// Fetches those of the things that are there, with their contents.
pub(super) async fn fetch(
    api: &Api,
    project: &str,
    wanted: &[EntityRef],
) -> Result<Vec<Entity>, PlatformError> {
    let keys: HashSet<&Key> = wanted.iter().map(|wanted| &wanted.key).collect();
    let mut entities = contents(api, project, wanted).await?;
    entities.retain(|entity| keys.contains(&entity.key));
    Ok(entities)
}

/// The tasks of the things, with everything that is in them.
pub(super) async fn contents(
    api: &Api,
    project: &str,
    wanted: &[EntityRef],
) -> Result<Vec<Entity>, PlatformError> {
    let mut tasks: Vec<&str> = wanted.iter().filter_map(task).collect();
    tasks.sort_unstable();
    tasks.dedup();
    let mut entities = Vec::new();
    // Without tasks there is no part: a query without ids would mean all tasks.
    let mut parts: Vec<&[&str]> = tasks.chunks(tasks.len().max(1)).collect();
    while let Some(part) = parts.pop() {
        let page_size = u32::try_from(part.len()).unwrap_or(u32::MAX);
        let found = match get(api, project, query::of(part), Fields::All, page_size).await {
            Err(error) if error.is_too_large && part.len() > 1 => {
                let (first, then) = part.split_at(part.len() / 2);
                parts.extend([then, first]);
                continue;
            }
            found => found?.ok_or_else(|| gone(project))?,
        };
        if found.total > found.count {
            return Err(PlatformError::permanent(format!(
                "project {project}: Label Studio limits its pages to {} tasks, and that many are needed at once: set its TASK_API_PAGE_SIZE_MAX to 200 at least, or leave it unset",
                found.count
            )));
        }
        entities.extend(found.entities);
    }
    let alone = |wanted: &&EntityRef| wanted.key.kind == ANNOTATION && task(wanted).is_none();
    for wanted in wanted.iter().filter(alone) {
        let path = format!("/api/annotations/{}/", wanted.key.id);
        if let Some(answer) = api.get(&path).await? {
            let annotation: Holder = api::read(&path, &answer)?;
            if wanted.key.id.parse() != Ok(annotation.id) {
                return Err(PlatformError::permanent(format!(
                    "{path}: answers with annotation {}; see that the URL is that of a Label Studio, and what stands before it",
                    annotation.id
                )));
            }
            entities.push(Entity {
                key: wanted.key.clone(),
                holder: annotation.task.map(|task| task.to_string()),
                content: Some(answer.body.slice(..)),
            });
        }
    }
    Ok(entities)
}

#[derive(Deserialize)]
struct Holder {
    id: u64,
    task: Option<u64>,
}

/// The task with which a thing is asked for.
fn task(wanted: &EntityRef) -> Option<&str> {
    if wanted.key.kind == TASK {
        Some(&wanted.key.id)
    } else {
        wanted.holder.as_deref()
    }
}

pub(super) fn gone(project: &str) -> PlatformError {
    PlatformError::permanent(format!(
        "project {project} went away while it was looked through; the next run will say what became of it"
    ))
}
