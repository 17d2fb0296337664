//! Bodies about one thing, whose members stand at the top: labels and reviews (v1), steps of the workflow.

use super::fields::{id, is_told, text};
use super::label::{object_in, read_v1};
use crate::EventError;
use crate::changes::context::Context;
use crate::changes::{Annotation, Change, Key, Kind, Record, Review, Workflow};
use crate::json::{Document, Value};
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

fn parents<'a>(
    context: &Context<'_>,
    payload: Value<'_, 'a>,
    label: Option<Cow<'a, str>>,
) -> Arc<[Key<'a>]> {
    context.keys([
        (Kind::Label, label),
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

/// A review: an object of its own, or the label that was reviewed.
pub(super) fn review<'a>(
    context: &Context<'_>,
    payload: Value<'_, 'a>,
) -> Result<Change<'a>, EventError> {
    let key = context.key_of(Kind::Review, payload.member("id"))?;
    let written = payload.member("label");
    let document = written.and_then(object_in);
    let label = document.as_ref().map(Document::root).or(written);
    let named = id(label, "id").or_else(|| id(Some(payload), "labelId"));
    let is_text = written.is_some_and(Value::is_text);
    let is_label =
        named.is_none() && (is_text || payload.member("dataRow").is_some_and(Value::is_object));
    let named = named.or_else(|| is_text.then(|| key.id.clone()));
    let parents = parents(context, payload, named);
    // In the body of a label, `deleted` is about the label.
    let is_gone = !is_label && payload.member("deleted").and_then(Value::flag) == Some(true);
    if is_gone || context.action() == "deleted" {
        return Ok(context.removed(key, parents));
    }
    // A label's times say nothing of how often it was reviewed.
    let own = |name| text((!is_label).then_some(payload), name);
    let updated = own("updatedAt");
    let score = payload.member("score").and_then(Value::number);
    let record = Record::Review(Review {
        accepted: score.filter(|score| *score != 0.0).map(|score| score > 0.0),
        score,
        created: own("createdAt"),
        updated: updated.clone(),
        reviewed: text(if is_label { Some(payload) } else { label }, "updatedAt"),
        raw: payload.raw(),
    });
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
