//! Bodies about one thing, whose members stand at the top: labels and reviews (v1), steps of the workflow.

use super::fields::{id, is_told, text};
use super::label::read_v1;
use crate::EventError;
use crate::changes::context::Context;
use crate::changes::{Annotation, Change, Key, Kind, Record, Thing, Workflow};
use crate::json::Value;
use std::collections::HashSet;
use std::sync::Arc;

fn parents<'a>(
    context: &Context<'_>,
    payload: Value<'_, 'a>,
    label: Option<&Key<'a>>,
) -> Arc<[Key<'a>]> {
    context.keys([
        (Kind::Label, label.map(|label| label.id.clone())),
        (Kind::DataRow, id(payload.member("dataRow"), "id")),
        (Kind::Project, id(payload.member("project"), "id")),
    ])
}

/// A flat label, whose annotations are JSON in a string.
pub(super) fn label<'a>(
    context: &Context<'_>,
    payload: Value<'_, 'a>,
) -> Result<Change<'a>, EventError> {
    let key = context.key_of(Kind::Label, payload.member("id"))?;
    let parents = parents(context, payload, None);
    if context.action() == "deleted" {
        return Ok(context.removed(key, parents));
    }
    let own = |name| text(Some(payload), name);
    let of = |name| id(payload.member(name), "id");
    let updated = own("updatedAt");
    let record = payload
        .member("label")
        .filter(|label| label.is_text())
        .map(|label| {
            let marks = read_v1(label);
            Record::Annotation(Annotation {
                task: of("dataRow"),
                project: of("project"),
                author: of("user"),
                created: own("createdAt"),
                updated: updated.clone(),
                skipped: payload.member("skipped").and_then(Value::flag),
                ground_truth: None,
                workflow: None,
                regions: marks.regions,
                classifications: marks.classifications,
                relations: marks.relations,
                raw: payload.raw(),
            })
        });
    let version = (updated.as_deref(), is_told(context));
    Ok(context.changed(key, version, parents, record))
}

/// A review: the label that was reviewed, or an object of its own.
pub(super) fn review<'a>(
    context: &Context<'_>,
    payload: Value<'_, 'a>,
) -> Result<Change<'a>, EventError> {
    let key = context.key_of(Kind::Review, payload.member("id"))?;
    let is_label = payload.member("label").is_some_and(Value::is_text);
    let parents = parents(context, payload, is_label.then_some(&key));
    if context.action() == "deleted" {
        return Ok(context.removed(key, parents));
    }
    // A label's times say nothing of how often it was reviewed.
    let is_of_label = is_label || payload.member("dataRow").is_some_and(Value::is_object);
    let updated = (!is_of_label)
        .then(|| text(Some(payload), "updatedAt"))
        .flatten();
    let record = Record::Thing(Thing { raw: payload.raw() });
    let version = (updated.as_deref(), is_told(context));
    Ok(context.changed(key, version, parents, Some(record)))
}

/// Rows that went from one queue of a project to another.
pub(super) fn workflow<'a>(
    context: &Context<'_>,
    payload: Value<'_, 'a>,
) -> Result<Vec<Change<'a>>, EventError> {
    let own = |name| text(Some(payload), name);
    let project = id(Some(payload), "projectId");
    let time = own("timestamp");
    let record = Workflow {
        action: own("action"),
        origin: own("originTaskName"),
        destination: own("destinationTaskName"),
        actor: id(Some(payload), "actorId"),
        time: time.clone(),
        raw: payload.raw(),
    };
    let mut seen = HashSet::new();
    let mut changes = Vec::new();
    let rows = payload
        .member("dataRowIds")
        .into_iter()
        .flat_map(Value::items);
    for row in rows {
        let key = context.key_of(Kind::Workflow, Some(row))?;
        if !seen.insert(key.id.clone()) {
            continue;
        }
        let parents = context.keys([
            (Kind::DataRow, Some(key.id.clone())),
            (Kind::Project, project.clone()),
        ]);
        let record = Some(Record::Workflow(record.clone()));
        changes.push(context.changed(key, (time.as_deref(), true), parents, record));
    }
    Ok(changes)
}
