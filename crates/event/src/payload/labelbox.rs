//! Bodies of Labelbox: the first version of its webhooks, the second, and workflow events, as its documents show them.

use super::lenient::{Id, Json, lenient};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A label, in the first version of webhooks.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Label {
    /// Id of the label. One form of the documents shows nothing else.
    #[serde(default, deserialize_with = "lenient")]
    pub id: Option<Id>,
    /// Time of its creation, RFC 3339 in whole seconds.
    #[serde(default, deserialize_with = "lenient")]
    pub created_at: Option<String>,
    /// Time of its newest version, RFC 3339 in whole seconds.
    #[serde(default, deserialize_with = "lenient")]
    pub updated_at: Option<String>,
    /// Seconds that the labeler took.
    #[serde(default, deserialize_with = "lenient")]
    pub seconds_to_label: Option<f64>,
    /// Objects, classifications and relationships: JSON in a string.
    #[serde(default, deserialize_with = "lenient")]
    pub label: Option<String>,
    /// Agreement with other labels.
    #[serde(default, deserialize_with = "lenient")]
    pub agreement: Option<f64>,
    /// Agreement with a benchmark.
    #[serde(default, deserialize_with = "lenient")]
    pub benchmark_agreement: Option<f64>,
    /// `true` if the label is deleted. The form of 2020 omits it.
    #[serde(default, deserialize_with = "lenient")]
    pub deleted: Option<bool>,
    /// `true` if the data row was skipped. The form of 2020 omits it.
    #[serde(default, deserialize_with = "lenient")]
    pub skipped: Option<bool>,
    /// Number of labels in the project.
    #[serde(default, deserialize_with = "lenient")]
    pub label_count_in_project: Option<u64>,
    /// Project of the label.
    #[serde(default, deserialize_with = "lenient")]
    pub project: Option<Holder>,
    /// Data row that was labelled.
    #[serde(default, deserialize_with = "lenient")]
    pub data_row: Option<DataRow>,
    /// Data set of the row.
    #[serde(default, deserialize_with = "lenient")]
    pub dataset: Option<Holder>,
    /// Labeler: an object with `id` and `email`.
    #[serde(default, deserialize_with = "lenient")]
    pub user: Option<Json>,
}

/// A project or data set, in the first version of webhooks.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Holder {
    /// Id.
    #[serde(default, deserialize_with = "lenient")]
    pub id: Option<Id>,
    /// Name.
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
    /// Description.
    #[serde(default, deserialize_with = "lenient")]
    pub description: Option<String>,
    /// `true` if it is deleted.
    #[serde(default, deserialize_with = "lenient")]
    pub deleted: Option<bool>,
}

/// A data row, in the first version of webhooks.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DataRow {
    /// Id.
    #[serde(default, deserialize_with = "lenient")]
    pub id: Option<Id>,
    /// Id that the customer gave the row.
    #[serde(default, deserialize_with = "lenient")]
    pub external_id: Option<String>,
    /// Data, or the URL of the data, which may expire.
    #[serde(default, deserialize_with = "lenient")]
    pub row_data: Option<String>,
}

/// A review, in the first version of webhooks. The documents name the event and show no body: the members are those of
/// the API.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Review {
    /// Id of the review, or of the label.
    #[serde(default, deserialize_with = "lenient")]
    pub id: Option<Id>,
    /// Score of the review.
    #[serde(default, deserialize_with = "lenient")]
    pub score: Option<f64>,
    /// Time of its creation, RFC 3339.
    #[serde(default, deserialize_with = "lenient")]
    pub created_at: Option<String>,
    /// Time of its newest version, RFC 3339.
    #[serde(default, deserialize_with = "lenient")]
    pub updated_at: Option<String>,
    /// `true` if the review is deleted.
    #[serde(default, deserialize_with = "lenient")]
    pub deleted: Option<bool>,
    /// The label that was reviewed: an object, or JSON in a string.
    #[serde(default, deserialize_with = "lenient")]
    pub label: Option<Json>,
    /// Project of the label.
    #[serde(default, deserialize_with = "lenient")]
    pub project: Option<Holder>,
}

/// A data row with all its labels, in the form of an export: the second version of webhooks.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Row {
    /// The data row.
    #[serde(default, deserialize_with = "lenient")]
    pub data_row: Option<RowDetails>,
    /// Projects that the row is in, by their ids, with their labels.
    #[serde(default, deserialize_with = "lenient")]
    pub projects: Option<BTreeMap<String, RowProject>>,
    /// Kind and size of the data: `asset_type`, `mime_type`, `width`, `height` and others.
    #[serde(default, deserialize_with = "lenient")]
    pub media_attributes: Option<Json>,
}

/// The data row itself.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RowDetails {
    /// Id.
    #[serde(default, deserialize_with = "lenient")]
    pub id: Option<Id>,
    /// Id that the customer gave the row.
    #[serde(default, deserialize_with = "lenient")]
    pub external_id: Option<String>,
    /// Key that the customer gave the row, unique in the workspace.
    #[serde(default, deserialize_with = "lenient")]
    pub global_key: Option<String>,
    /// Data, or the URL of the data, which may expire.
    #[serde(default, deserialize_with = "lenient")]
    pub row_data: Option<Json>,
}

/// One project's part of the row.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RowProject {
    /// Name.
    #[serde(default, deserialize_with = "lenient")]
    pub project_name: Option<String>,
    /// Labels of the row in this project. Empty after the last one was deleted.
    #[serde(default, deserialize_with = "lenient")]
    pub labels: Option<Vec<RowLabel>>,
    /// Ontology, batch and priority.
    #[serde(default, deserialize_with = "lenient")]
    pub project_details: Option<Json>,
}

/// One label of a row.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RowLabel {
    /// Id.
    #[serde(default, deserialize_with = "lenient")]
    pub id: Option<Id>,
    /// Kind of the label: `Default`.
    #[serde(default, deserialize_with = "lenient")]
    pub label_kind: Option<String>,
    /// Times, labeler and reviews.
    #[serde(default, deserialize_with = "lenient")]
    pub label_details: Option<LabelDetails>,
    /// Seconds, scores and `skipped`.
    #[serde(default, deserialize_with = "lenient")]
    pub performance_details: Option<PerformanceDetails>,
    /// Objects, classifications and relationships, and frames or segments of a video.
    #[serde(default, deserialize_with = "lenient")]
    pub annotations: Option<Json>,
}

/// Times of a label.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct LabelDetails {
    /// Time of its creation, RFC 3339.
    #[serde(default, deserialize_with = "lenient")]
    pub created_at: Option<String>,
    /// Time of its newest version, RFC 3339; in whole seconds in the documents' samples.
    #[serde(default, deserialize_with = "lenient")]
    pub updated_at: Option<String>,
    /// Labeler: an e-mail address.
    #[serde(default, deserialize_with = "lenient")]
    pub created_by: Option<String>,
}

/// Times and scores of a label.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PerformanceDetails {
    /// Seconds of the labeler.
    #[serde(default, deserialize_with = "lenient")]
    pub seconds_to_create: Option<f64>,
    /// Seconds of the reviewers.
    #[serde(default, deserialize_with = "lenient")]
    pub seconds_to_review: Option<f64>,
    /// `true` if the data row was skipped.
    #[serde(default, deserialize_with = "lenient")]
    pub skipped: Option<bool>,
}

/// Data rows went from one step of a project's workflow to another.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct WorkflowEvent {
    /// Action: `MOVE`, `APPROVE` and others.
    #[serde(default, deserialize_with = "lenient")]
    pub action: Option<String>,
    /// Organization.
    #[serde(default, deserialize_with = "lenient")]
    pub organization_id: Option<Id>,
    /// Project.
    #[serde(default, deserialize_with = "lenient")]
    pub project_id: Option<Id>,
    /// Data rows that went.
    #[serde(default, deserialize_with = "lenient")]
    pub data_row_ids: Option<Vec<Id>>,
    /// Id of the step before.
    #[serde(default, deserialize_with = "lenient")]
    pub origin_task_id: Option<Id>,
    /// Name of the step before.
    #[serde(default, deserialize_with = "lenient")]
    pub origin_task_name: Option<String>,
    /// Id of the step after; `null` for `Done`.
    #[serde(default, deserialize_with = "lenient")]
    pub destination_task_id: Option<Id>,
    /// Name of the step after.
    #[serde(default, deserialize_with = "lenient")]
    pub destination_task_name: Option<String>,
    /// User who moved them.
    #[serde(default, deserialize_with = "lenient")]
    pub actor_id: Option<Id>,
    /// Time of the move, RFC 3339 with milliseconds.
    #[serde(default, deserialize_with = "lenient")]
    pub timestamp: Option<String>,
}

/// A request to train a model.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ModelRun {
    /// Model.
    #[serde(default, deserialize_with = "lenient")]
    pub model_id: Option<Id>,
    /// Run of the model.
    #[serde(default, deserialize_with = "lenient")]
    pub model_run_id: Option<Id>,
    /// Name of the user's own kind of model.
    #[serde(default, deserialize_with = "lenient")]
    pub model_type: Option<String>,
}
