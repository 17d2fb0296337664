//! Events about several things: an import of tasks, annotations made or deleted by a bulk action.

use super::entity_kinds::{ANNOTATION, TASK};
use crate::platform::EntityVersions;
use labelrelay_core::config::SourceConfig;
use labelrelay_core::from_api::ReconciledEvent;
use labelrelay_core::ledger::{Change, Key, Known};
use labelrelay_event::{Attributes, EventType};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default, alias = "tasks")]
    task: Vec<&'a RawValue>,
    #[serde(borrow, default, alias = "annotations")]
    annotation: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Member {
    id: u64,
    #[serde(default)]
    task: Option<u64>,
}

/// Reads the things that an event is about. A thing that cannot be read counts as not seen: it is sent once more
/// then.
pub(super) fn read(source: &SourceConfig, attributes: &Attributes, data: &[u8]) -> EntityVersions {
    let mut versions = EntityVersions::default();
    let (Ok(event_type), Ok(body)) = (
        attributes.event_type.parse::<EventType>(),
        serde_json::from_slice::<Body<'_>>(data),
    ) else {
        return versions;
    };
    let (kind, entities) = match event_type.kind() {
        TASK => (TASK, body.task),
        ANNOTATION => (ANNOTATION, body.annotation),
        _ => return versions,
    };
    let change = if event_type.is_deletion() {
        Change::Deleted
    } else {
        Change::Created
    };
    for raw in entities {
        let Ok(entity) = serde_json::from_str::<Member>(raw.get()) else {
            continue;
        };
        let key = Key::new(kind, entity.id.to_string());
        let Some(found) = ReconciledEvent::describe(source, &key, change, raw.get().as_bytes())
        else {
            continue;
        };
        let known = Known {
            project: attributes.project.clone(),
            holder: entity.task.map(|task| task.to_string()),
            event_id: found.id().to_owned(),
            sequence: found.description().sequence.clone(),
            gone: change == Change::Deleted,
            until: None,
        };
        versions.entities.push((key, known));
    }
    versions
}
