//! A data row with its labels (v2), in the form of an export. It does not say what happened.

use super::fields::{id, is_told, text};
use super::label::read_annotations;
use crate::changes::context::Context;
use crate::changes::label_studio::size;
use crate::changes::{Annotation, Change, Key, Kind, Record, Size};
use crate::json::Value;
use crate::{Digest, ErrorKind, EventError, MAX_ATTRIBUTE_BYTES};
use std::borrow::Cow;
use std::sync::Arc;

/// A project of a row: its id, and what its labels have from it.
struct Project<'d, 'a> {
    id: Option<Cow<'a, str>>,
    /// State of the row in the project's workflow.
    workflow: Option<Cow<'a, str>>,
    parents: Arc<[Key<'a>]>,
    labels: Option<Value<'d, 'a>>,
}

/// A label of a row, and the project that it is in.
struct Label<'l, 'd, 'a> {
    project: &'l Project<'d, 'a>,
    json: Value<'d, 'a>,
}

/// Members of a row that all its labels share.
struct Row<'c, 'a> {
    context: &'c Context<'c>,
    id: Option<Cow<'a, str>>,
    size: Option<Size>,
}

/// The changes of a body with a `data_row` and `projects`.
pub(super) fn changes<'a>(
    context: &Context<'_>,
    payload: Value<'_, 'a>,
    data_row: Value<'_, 'a>,
    projects: Value<'_, 'a>,
) -> Result<Vec<Change<'a>>, EventError> {
    let media = payload.member("media_attributes");
    let read = Row {
        context,
        id: id(Some(data_row), "id"),
        size: media.and_then(|media| size(media.member("width"), media.member("height"))),
    };
    let projects = projects.members().into_iter();
    let projects: Vec<_> = projects
        .map(|(id, held)| read.project(id.identifier(), held))
        .collect();
    let labels = projects.iter().flat_map(|project| {
        let labels = project.labels.into_iter().flat_map(Value::items);
        labels.map(move |json| Label { project, json })
    });
    let labels: Vec<Label<'_, '_, 'a>> = labels.collect();
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
            let ids = projects.into_iter().filter_map(|project| project.id);
            let parents = ids
                .map(|project| context.key(Kind::Project, project))
                .collect();
            Ok(vec![context.changed(key, (None, true), parents, None)])
        }
    }
}

impl<'a> Row<'_, 'a> {
    /// Reads once what each of many labels would look for again.
    fn project<'d>(&self, id: Option<Cow<'a, str>>, held: Value<'d, 'a>) -> Project<'d, 'a> {
        let parents = [
            (Kind::DataRow, self.id.clone()),
            (Kind::Project, id.clone()),
        ];
        Project {
            id,
            workflow: text(held.member("project_details"), "workflow_status"),
            parents: self.context.keys(parents),
            labels: held.member("labels"),
        }
    }

    /// The label that `subject` names, of those that the API returned with it.
    fn pulled<'l, 'p, 'd>(
        &self,
        labels: &'l [Label<'p, 'd, 'a>],
    ) -> Result<&'l Label<'p, 'd, 'a>, EventError> {
        let Some(subject) = self.context.attributes.subject.as_deref() else {
            let why = "the event has no subject, which names the label of the row";
            return Err(self.context.error(ErrorKind::UnknownPayload, why));
        };
        let is_it = |label: &&Label<'_, '_, '_>| {
            id(Some(label.json), "id").is_some_and(|id| subject_of("label", &id) == subject)
        };
        labels.iter().find(is_it).ok_or_else(|| {
            let why = format!("the row has no {subject}");
            self.context.error(ErrorKind::UnknownPayload, why)
        })
    }

    fn key(&self, label: &Label<'_, '_, 'a>) -> Result<Key<'a>, EventError> {
        self.context.key_of(Kind::Label, label.json.member("id"))
    }

    fn removed(&self, label: &Label<'_, '_, 'a>) -> Result<Change<'a>, EventError> {
        let parents = Arc::clone(&label.project.parents);
        Ok(self.context.removed(self.key(label)?, parents))
    }

    fn changed(&self, label: &Label<'_, '_, 'a>) -> Result<Change<'a>, EventError> {
        let details = label.json.member("label_details");
        let updated = text(details, "updated_at");
        let annotations = label
            .json
            .member("annotations")
            .filter(|held| held.is_object());
        let record = annotations.map(|annotations| {
            let marks = read_annotations(annotations, self.size);
            let performance = label.json.member("performance_details");
            Record::Annotation(Annotation {
                task: self.id.clone(),
                project: label.project.id.clone(),
                author: text(details, "created_by"),
                created: text(details, "created_at"),
                updated: updated.clone(),
                skipped: performance.and_then(|held| held.member("skipped")?.flag()),
                ground_truth: None,
                workflow: label.project.workflow.clone(),
                regions: marks.regions,
                classifications: marks.classifications,
                relations: marks.relations,
                raw: label.json.raw(),
            })
        });
        let version = (updated.as_deref(), is_told(self.context));
        let (key, parents) = (self.key(label)?, Arc::clone(&label.project.parents));
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
