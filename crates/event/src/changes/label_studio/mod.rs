//! Label Studio: from a body to changes.

mod answers;
mod body;
mod geometry;
mod groups;
mod item;
mod span;
mod task_texts;

use super::context::Context;
use super::{Change, Kind, Record, Thing};
use crate::json::Value;
use crate::{ErrorKind, EventError};
use body::Body;
use std::sync::Arc;

pub(super) use item::size;
pub(super) use task_texts::characters;

pub(super) const PREFIX: &str = "io.labelstud.";

/// The changes of an event.
pub(super) fn changes<'a>(
    context: &Context<'_>,
    payload: Value<'_, 'a>,
) -> Result<Vec<Change<'a>>, EventError> {
    let name = context.attributes.event_type.strip_prefix(PREFIX);
    let (kind, action) = match name.unwrap_or_default() {
        "task.completed" => {
            let task = payload.member("task");
            return Ok(vec![request(context, payload, Kind::Completion, task)?]);
        }
        "training.started" => {
            // Beside the action there may be the project, or its id alone.
            let project = payload.member("project").or(payload.member("id"));
            return Ok(vec![request(context, payload, Kind::Training, project)?]);
        }
        other => other.split_once('.').unwrap_or_default(),
    };
    let kind = match kind {
        "project" => Kind::Project,
        "task" => Kind::Task,
        "annotation" => Kind::Annotation,
        "label_link" => Kind::LabelLink,
        "review" => Kind::Review,
        _ => return Err(context.unknown_type()),
    };
    let body = Body::new(context, payload, kind);
    let is_deletion = match action {
        "created" | "updated" => false,
        "deleted" => true,
        _ => return Err(context.unknown_type()),
    };
    let things = body.things()?;
    // Counted first: a list that grows is copied as often as it doubles.
    let mut changes = Vec::with_capacity(things.count());
    for thing in things.each() {
        changes.push(if is_deletion {
            body.removed(thing)?
        } else {
            body.changed(thing)?
        });
    }
    Ok(changes)
}

/// A request, or a completion: about a thing, and no version of it.
fn request<'a>(
    context: &Context<'_>,
    payload: Value<'_, 'a>,
    kind: Kind,
    subject: Option<Value<'_, 'a>>,
) -> Result<Change<'a>, EventError> {
    let id = subject.and_then(Value::reference).ok_or_else(|| {
        let why = format!("the body does not say what the {kind} is about");
        context.error(ErrorKind::PayloadMissing, why)
    })?;
    let parents: Arc<[_]> = if kind == Kind::Completion {
        let project = payload.member("project").and_then(Value::reference);
        context.keys([(Kind::Task, Some(id.clone())), (Kind::Project, project)])
    } else {
        context.keys([(Kind::Project, Some(id.clone()))])
    };
    let record = Record::Thing(Thing { raw: payload.raw() });
    let key = context.key(kind, id);
    Ok(context.changed(key, (None, true), parents, Some(record)))
}
