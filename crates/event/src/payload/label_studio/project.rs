//! Events about projects.

use crate::payload::lenient::{Id, lenient};
use serde::Deserialize;

/// An event about a project: `PROJECT_CREATED`, `PROJECT_UPDATED`, `PROJECT_DELETED`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ProjectEvent {
    /// Name of the event.
    #[serde(default, deserialize_with = "lenient")]
    pub action: Option<String>,
    /// The project; a deleted one by its id alone.
    #[serde(default, deserialize_with = "lenient")]
    pub project: Option<Project>,
}

/// One project.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Project {
    /// Id in this Label Studio; never given again.
    #[serde(default, deserialize_with = "lenient")]
    pub id: Option<Id>,
    /// Title.
    #[serde(default, deserialize_with = "lenient")]
    pub title: Option<String>,
    /// Description.
    #[serde(default, deserialize_with = "lenient")]
    pub description: Option<String>,
    /// Labeling configuration, XML.
    #[serde(default, deserialize_with = "lenient")]
    pub label_config: Option<String>,
    /// Number of tasks.
    #[serde(default, deserialize_with = "lenient")]
    pub task_number: Option<u64>,
    /// Number of tasks that are labelled.
    #[serde(default, deserialize_with = "lenient")]
    pub finished_task_number: Option<u64>,
    /// Number of annotators that each task needs.
    #[serde(default, deserialize_with = "lenient")]
    pub maximum_annotations: Option<u64>,
    /// Version of the model whose predictions are shown.
    #[serde(default, deserialize_with = "lenient")]
    pub model_version: Option<String>,
    /// Time of its creation, RFC 3339 with microseconds.
    #[serde(default, deserialize_with = "lenient")]
    pub created_at: Option<String>,
    /// Time of an update, RFC 3339 with microseconds. 1.20.0's documents omit it.
    #[serde(default, deserialize_with = "lenient")]
    pub updated_at: Option<String>,
    /// Organization of the project.
    #[serde(default, deserialize_with = "lenient")]
    pub organization: Option<Id>,
}
