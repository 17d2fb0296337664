//! A data row with its labels (v2), in the form of an export. It does not say what happened.

use super::fields::{id, is_told, text};
use super::label::read_annotations;
use crate::changes::context::Context;
use crate::changes::label_studio::size;
use crate::changes::{Annotation, Change, Key, Kind, Record};
use crate::json::Value;
use crate::{Digest, ErrorKind, EventError, MAX_ATTRIBUTE_BYTES};
use std::borrow::Cow;
use std::sync::Arc;

/// A label of a row, and the project that it is in.
#[derive(Clone)]
struct Label<'d, 'a> {
    project: Option<Cow<'a, str>>,
    details: Option<Value<'d, 'a>>,
    json: Value<'d, 'a>,
}

struct Row<'c, 'd, 'a> {
    context: &'c Context<'c>,
    payload: Value<'d, 'a>,
    of: Value<'d, 'a>,
}

/// The changes of a body with a `data_row` and `projects`.
pub(super) fn changes<'a>(
    context: &Context<'_>,
    payload: Value<'_, 'a>,
    data_row: Value<'_, 'a>,
    projects: Value<'_, 'a>,
) -> Result<Vec<Change<'a>>, EventError> {
    let projects = projects.members();
    let labels = projects.iter().flat_map(|(project, held)| {
        let labels = held.member("labels").into_iter().flat_map(Value::items);
        labels.map(|json| Label {
            project: project.identifier(),
            details: held.member("project_details"),
            json,
        })
    });
    let labels: Vec<Label<'_, 'a>> = labels.collect();
    let read = Row {
        context,
        payload,
        of: data_row,
    };
    let is_deletion = context.action() == "deleted";
    if context.is_thing() {
        let label = read.pulled(&labels)?;
        let change = if is_deletion {
            read.removed(label)
        } else {
            read.changed(label)
        };
        return Ok(vec![change?]);
    }
    match labels.as_slice() {
        [label] if is_deletion => Ok(vec![read.removed(label)?]),
        [_, ..] if !is_deletion => labels.iter().map(|label| read.changed(label)).collect(),
        _ => {
            // Nothing says which label is gone: the platform has to be asked about the row.
            let key = context.key_of(Kind::DataRow, data_row.member("id"))?;
            let ids = projects
                .iter()
                .filter_map(|(project, _)| project.identifier());
            let parents = ids
                .map(|project| context.key(Kind::Project, project))
                .collect();
            Ok(vec![context.changed(key, (None, true), parents, None)])
        }
    }
}

impl<'d, 'a> Row<'_, 'd, 'a> {
    /// The label that `subject` names, of those that the API returned with it.
    fn pulled<'l>(&self, labels: &'l [Label<'d, 'a>]) -> Result<&'l Label<'d, 'a>, EventError> {
        let subject = self.context.attributes.subject.as_deref().unwrap_or("None");
        let is_it = |label: &&Label<'_, '_>| {
            id(Some(label.json), "id").is_some_and(|id| subject_of("label", &id) == subject)
        };
        labels.iter().find(is_it).ok_or_else(|| {
            let why = format!("the row has no {subject}");
            self.context.error(ErrorKind::UnknownPayload, why)
        })
    }

    fn key(&self, label: &Label<'d, 'a>) -> Result<Key<'a>, EventError> {
        self.context.key_of(Kind::Label, label.json.member("id"))
    }

    fn parents(&self, label: &Label<'d, 'a>) -> Arc<[Key<'a>]> {
        self.context.keys([
            (Kind::DataRow, id(Some(self.of), "id")),
            (Kind::Project, label.project.clone()),
        ])
    }

    fn removed(&self, label: &Label<'d, 'a>) -> Result<Change<'a>, EventError> {
        Ok(self.context.removed(self.key(label)?, self.parents(label)))
    }

    fn changed(&self, label: &Label<'d, 'a>) -> Result<Change<'a>, EventError> {
        let details = label.json.member("label_details");
        let updated = text(details, "updated_at");
        let annotations = label
            .json
            .member("annotations")
            .filter(|held| held.is_object());
        let record = annotations.map(|annotations| {
            let media = self.payload.member("media_attributes");
            let size = media.and_then(|media| size(|name| media.member(name), "width", "height"));
            let marks = read_annotations(annotations, size);
            let performance = label.json.member("performance_details");
            Record::Annotation(Annotation {
                task: id(Some(self.of), "id"),
                project: label.project.clone(),
                author: text(details, "created_by"),
                created: text(details, "created_at"),
                updated: updated.clone(),
                skipped: performance.and_then(|held| held.member("skipped")?.flag()),
                ground_truth: None,
                workflow: text(label.details, "workflow_status"),
                regions: marks.regions,
                classifications: marks.classifications,
                relations: marks.relations,
                raw: label.json.raw(),
            })
        });
        let version = (updated.as_deref(), is_told(self.context));
        let (key, parents) = (self.key(label)?, self.parents(label));
        Ok(self.context.changed(key, version, parents, record))
    }
}

/// Kind and id as the relay writes them into `subject`: what is long, or not visible ASCII, is hashed.
fn subject_of(kind: &str, id: &str) -> String {
    let name = format!("{kind}/{id}");
    if name.len() <= MAX_ATTRIBUTE_BYTES && name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return name;
    }
    format!("{kind}/sha256:{}", Digest::of(id.as_bytes()))
}
