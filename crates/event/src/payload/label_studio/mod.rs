//! Bodies of Label Studio, from 1.20.0 to 1.23.2, as its webhooks were recorded.
//!
//! A webhook without payload sends `action` alone. An older version, or another form of the same event, leaves members
//! out; so all of them may be missing.

mod project;

pub use project::{Project, ProjectEvent};

use super::lenient::{Id, Json, OneOrMany, lenient};
use serde::Deserialize;

/// An event about annotations: `ANNOTATION_CREATED`, `ANNOTATIONS_CREATED`, `ANNOTATION_UPDATED`, `ANNOTATIONS_DELETED`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct AnnotationEvent {
    /// Name of the event.
    #[serde(default, deserialize_with = "lenient")]
    pub action: Option<String>,
    /// The annotation, or all of a bulk action.
    #[serde(default, deserialize_with = "lenient")]
    pub annotation: Option<OneOrMany<Annotation>>,
    /// Annotations that were deleted, by their ids alone.
    #[serde(default, deserialize_with = "lenient")]
    pub annotations: Option<OneOrMany<Annotation>>,
    /// The task, or all tasks of a bulk action. Absent from deletions.
    #[serde(default, deserialize_with = "lenient")]
    pub task: Option<OneOrMany<Task>>,
    /// Project of the annotations.
    #[serde(default, deserialize_with = "lenient")]
    pub project: Option<Project>,
}

impl AnnotationEvent {
    /// All annotations that the event is about, under whichever name they stand.
    pub fn all(&self) -> impl Iterator<Item = &Annotation> {
        let groups = [&self.annotation, &self.annotations];
        groups.into_iter().flatten().flat_map(|group| group.iter())
    }
}

/// One annotation: what one person, or one model, said of one task.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Annotation {
    /// Id in this Label Studio. On `SQLite`, the id of a deleted one may be given again.
    #[serde(default, deserialize_with = "lenient")]
    pub id: Option<Id>,
    /// Regions, choices and relations, in the order of the editor; empty if there are none.
    #[serde(default, deserialize_with = "lenient")]
    pub result: Option<Vec<ResultItem>>,
    /// `true` if the task was skipped.
    #[serde(default, deserialize_with = "lenient")]
    pub was_cancelled: Option<bool>,
    /// `true` if others are measured by it.
    #[serde(default, deserialize_with = "lenient")]
    pub ground_truth: Option<bool>,
    /// Time of its creation, RFC 3339 with microseconds.
    #[serde(default, deserialize_with = "lenient")]
    pub created_at: Option<String>,
    /// Time of its newest version, RFC 3339 with microseconds.
    #[serde(default, deserialize_with = "lenient")]
    pub updated_at: Option<String>,
    /// Seconds that the annotator took. Missing from annotations that no editor made.
    #[serde(default, deserialize_with = "lenient")]
    pub lead_time: Option<f64>,
    /// Id that is the same wherever the annotation is copied to. 1.20.0's documents omit it.
    #[serde(default, deserialize_with = "lenient")]
    pub unique_id: Option<String>,
    /// Task of the annotation.
    #[serde(default, deserialize_with = "lenient")]
    pub task: Option<Id>,
    /// Project of the annotation. Some forms omit it.
    #[serde(default, deserialize_with = "lenient")]
    pub project: Option<Id>,
    /// User who made it: an id in webhooks, and an object in some answers of the API.
    #[serde(default, deserialize_with = "lenient")]
    pub completed_by: Option<Json>,
    /// Prediction that it was made from.
    #[serde(default, deserialize_with = "lenient")]
    pub parent_prediction: Option<Id>,
    /// Annotation that it was made from.
    #[serde(default, deserialize_with = "lenient")]
    pub parent_annotation: Option<Id>,
}

/// One item of a result: a region, a choice, or a relation between two regions.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ResultItem {
    /// Id of the region. Two items with one id are one region, with a label of its own each. Relations have none.
    #[serde(default, deserialize_with = "lenient")]
    pub id: Option<String>,
    /// Kind of the item: `rectanglelabels`, `choices`, `relation` and others.
    #[serde(default, rename = "type", deserialize_with = "lenient")]
    pub kind: Option<String>,
    /// Name of the control tag in the labeling configuration.
    #[serde(default, deserialize_with = "lenient")]
    pub from_name: Option<String>,
    /// Name of the object tag that was labelled.
    #[serde(default, deserialize_with = "lenient")]
    pub to_name: Option<String>,
    /// Region or choice. Its members depend on `type`.
    #[serde(default, deserialize_with = "lenient")]
    pub value: Option<Json>,
    /// Width of the picture, in pixels.
    #[serde(default, deserialize_with = "lenient")]
    pub original_width: Option<f64>,
    /// Height of the picture, in pixels.
    #[serde(default, deserialize_with = "lenient")]
    pub original_height: Option<f64>,
    /// Length of a sound or video, in seconds.
    #[serde(default, deserialize_with = "lenient")]
    pub original_length: Option<f64>,
    /// Degrees by which the annotator turned the picture.
    #[serde(default, deserialize_with = "lenient")]
    pub image_rotation: Option<f64>,
    /// Origin of the item: `manual`, `prediction` or `prediction-changed`.
    #[serde(default, deserialize_with = "lenient")]
    pub origin: Option<String>,
    /// First region of a relation.
    #[serde(default, deserialize_with = "lenient")]
    pub from_id: Option<String>,
    /// Second region of a relation.
    #[serde(default, deserialize_with = "lenient")]
    pub to_id: Option<String>,
    /// Direction of a relation: `left`, `right` or `bi`.
    #[serde(default, deserialize_with = "lenient")]
    pub direction: Option<String>,
    /// Labels of a relation.
    #[serde(default, deserialize_with = "lenient")]
    pub labels: Option<Vec<String>>,
    /// Score of a model for this item.
    #[serde(default, deserialize_with = "lenient")]
    pub score: Option<f64>,
}

/// An event about tasks: `TASKS_CREATED`, `TASKS_DELETED`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct TaskEvent {
    /// Name of the event.
    #[serde(default, deserialize_with = "lenient")]
    pub action: Option<String>,
    /// One task.
    #[serde(default, deserialize_with = "lenient")]
    pub task: Option<OneOrMany<Task>>,
    /// All tasks of the event; deleted ones by their ids alone.
    #[serde(default, deserialize_with = "lenient")]
    pub tasks: Option<OneOrMany<Task>>,
    /// Project of the tasks.
    #[serde(default, deserialize_with = "lenient")]
    pub project: Option<Project>,
}

impl TaskEvent {
    /// All tasks that the event is about, under whichever name they stand.
    pub fn all(&self) -> impl Iterator<Item = &Task> {
        let groups = [&self.task, &self.tasks];
        groups.into_iter().flatten().flat_map(|group| group.iter())
    }
}

/// One task: the data to label.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Task {
    /// Id in this Label Studio. On `SQLite`, the id of a deleted one may be given again.
    #[serde(default, deserialize_with = "lenient")]
    pub id: Option<Id>,
    /// Data to label, by the names of the labeling configuration. The user chose them.
    #[serde(default, deserialize_with = "lenient")]
    pub data: Option<Json>,
    /// Members that came with the import and are no data.
    #[serde(default, deserialize_with = "lenient")]
    pub meta: Option<Json>,
    /// Time of its creation, RFC 3339 with microseconds.
    #[serde(default, deserialize_with = "lenient")]
    pub created_at: Option<String>,
    /// Time of an update, RFC 3339 with microseconds. It moves without an event, too.
    #[serde(default, deserialize_with = "lenient")]
    pub updated_at: Option<String>,
    /// `true` if the task has all the annotations that it needs. Beside the annotations of a bulk action, it is the
    /// state before.
    #[serde(default, deserialize_with = "lenient")]
    pub is_labeled: Option<bool>,
    /// Number of annotators that the task needs.
    #[serde(default, deserialize_with = "lenient")]
    pub overlap: Option<u64>,
    /// Number of the task in its project.
    #[serde(default, deserialize_with = "lenient")]
    pub inner_id: Option<u64>,
    /// Number of its annotations that are not skipped.
    #[serde(default, deserialize_with = "lenient")]
    pub total_annotations: Option<u64>,
    /// Number of its skipped annotations.
    #[serde(default, deserialize_with = "lenient")]
    pub cancelled_annotations: Option<u64>,
    /// Number of its predictions.
    #[serde(default, deserialize_with = "lenient")]
    pub total_predictions: Option<u64>,
    /// Project of the task.
    #[serde(default, deserialize_with = "lenient")]
    pub project: Option<Id>,
    /// Annotations of the task, where it was fetched. Webhooks omit them.
    #[serde(default, deserialize_with = "lenient")]
    pub annotations: Option<Vec<Annotation>>,
}

/// An event about links between labels and projects: `LABEL_LINK_CREATED`, `LABEL_LINK_UPDATED`, `LABEL_LINK_DELETED`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct LabelLinkEvent {
    /// Name of the event.
    #[serde(default, deserialize_with = "lenient")]
    pub action: Option<String>,
    /// The link, or all that were made; a deleted one by its id alone.
    #[serde(default, deserialize_with = "lenient")]
    pub label_link: Option<OneOrMany<LabelLink>>,
    /// Label of the link. Seen in updates only.
    #[serde(default, deserialize_with = "lenient")]
    pub label: Option<Json>,
    /// Project of the link.
    #[serde(default, deserialize_with = "lenient")]
    pub project: Option<Project>,
}

/// A label that a project uses.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct LabelLink {
    /// Id in this Label Studio; never given again.
    #[serde(default, deserialize_with = "lenient")]
    pub id: Option<Id>,
    /// Name of the control tag.
    #[serde(default, deserialize_with = "lenient")]
    pub from_name: Option<String>,
    /// Project of the link.
    #[serde(default, deserialize_with = "lenient")]
    pub project: Option<Id>,
    /// Label of the link.
    #[serde(default, deserialize_with = "lenient")]
    pub label: Option<Id>,
}

/// An event about reviews: `REVIEW_CREATED`, `REVIEWS_DELETED` and others. The Enterprise edition sends them: no body
/// was recorded, so the review keeps its form.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ReviewEvent {
    /// Name of the event.
    #[serde(default, deserialize_with = "lenient")]
    pub action: Option<String>,
    /// The review, or all of a bulk action.
    #[serde(default, deserialize_with = "lenient")]
    pub review: Option<Json>,
    /// Annotation that was reviewed.
    #[serde(default, deserialize_with = "lenient")]
    pub annotation: Option<OneOrMany<Annotation>>,
    /// Task of the annotation.
    #[serde(default, deserialize_with = "lenient")]
    pub task: Option<OneOrMany<Task>>,
    /// Project of the task.
    #[serde(default, deserialize_with = "lenient")]
    pub project: Option<Project>,
}

/// A click on "Start training" in the settings of an ML back end: `START_TRAINING`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct TrainingEvent {
    /// Name of the event.
    #[serde(default, deserialize_with = "lenient")]
    pub action: Option<String>,
    /// Id of the project, in versions that send no object.
    #[serde(default, deserialize_with = "lenient")]
    pub id: Option<Id>,
    /// The project to train on.
    #[serde(default, deserialize_with = "lenient")]
    pub project: Option<Project>,
}

/// Data of `io.labelstud.task.completed`, which labelrelay derives.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Completion {
    /// The task that has all the annotations that it needs.
    #[serde(default, deserialize_with = "lenient")]
    pub task: Option<Id>,
    /// Project of the task, if it is known.
    #[serde(default, deserialize_with = "lenient")]
    pub project: Option<Id>,
    /// The annotation that completed it; none if an import brought the task with its annotations.
    #[serde(default, deserialize_with = "lenient")]
    pub annotation: Option<Id>,
}
