//! Rows of an export: each is one JSON value on a line of its own, with the labels on it.

use crate::page::Entity;
use crate::platform::{EntityVersions, PlatformError};
use bytes::Bytes;
use labelrelay_core::config::SourceConfig;
use labelrelay_core::from_api::ReconciledEvent;
use labelrelay_core::ledger::{Change, Key, Known};
use labelrelay_event::{Attributes, EventType};
use serde::Deserialize;
use std::collections::BTreeMap;

const LABEL: &str = "label";

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    data_row: DataRow,
    #[serde(default)]
    projects: BTreeMap<String, Project>,
}

#[derive(Deserialize, Default)]
struct DataRow {
    id: Option<String>,
}

#[derive(Deserialize)]
struct Project {
    #[serde(default)]
    labels: Vec<Label>,
}

#[derive(Deserialize)]
struct Label {
    id: String,
}

/// The labels of the row that stands on `line`, each with the whole row as its contents.
pub(super) fn entities(project: &str, line: &Bytes) -> Result<Vec<Entity>, PlatformError> {
    let row: Row = serde_json::from_slice(line).map_err(|error| {
        PlatformError::permanent(format!(
            "project {project}: a row of the export is not what this version can read ({error})"
        ))
    })?;
    let Some(labels) = row.projects.get(project) else {
        return Ok(Vec::new());
    };
    let holder = row.data_row.id;
    let entity = |label: &Label| Entity {
        key: Key::new(LABEL, &label.id),
        holder: holder.clone(),
        content: Some(line.clone()),
    };
    Ok(labels.labels.iter().map(entity).collect())
}

/// Reads the labels of a delivery about a row with several of them. A label that cannot be read counts as not seen:
/// it is sent once more then.
pub(super) fn entity_versions(
    source: &SourceConfig,
    attributes: &Attributes,
    data: &[u8],
) -> EntityVersions {
    let mut versions = EntityVersions::default();
    let (Ok(event_type), Ok(row)) = (
        attributes.event_type.parse::<EventType>(),
        serde_json::from_slice::<Row>(data),
    ) else {
        return versions;
    };
    // A row stays when labels on it go, and does not say which went.
    if event_type.kind() != LABEL || event_type.is_deletion() {
        return versions;
    }
    for (project, held) in &row.projects {
        for label in &held.labels {
            let key = Key::new(LABEL, &label.id);
            let Some(found) = ReconciledEvent::describe(source, &key, Change::Updated, data) else {
                continue;
            };
            let known = Known {
                project: Some(project.clone()),
                holder: row.data_row.id.clone(),
                event_id: found.id().to_owned(),
                sequence: found.description().sequence.clone(),
                gone: false,
                until: None,
            };
            versions.entities.push((key, known));
        }
    }
    versions
}
