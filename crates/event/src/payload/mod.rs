//! The senders' bodies as types.
//!
//! Reading is lenient. A platform adds members without notice and leaves others out: an unknown member is passed over,
//! and a member that is missing, `null` or of another kind is `None`. The bytes themselves stay in
//! [`Envelope::data`](crate::Envelope::data).
//!
//! ```
//! use labelrelay_event::Envelope;
//! use labelrelay_event::payload::Payload;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let queued = br#"{"specversion":"1.0","id":"1","source":"/label-studio","type":"io.labelstud.annotation.created","dataschema":"urn:labelrelay:schema:label-studio-annotation:1","datasha256":"00","receivedtime":"2026-01-01T00:00:00Z","data":{"action":"ANNOTATION_CREATED","annotation":{"id":17,"result":[]}}}"#;
//! let Payload::Annotations(event) = Envelope::decode(queued)?.payload()? else {
//!     panic!("an event of annotations");
//! };
//! let ids: Vec<_> = event.all().filter_map(|annotation| annotation.id.as_ref()).collect();
//! assert_eq!(ids[0].as_str(), "17");
//! # Ok(()) }
//! ```

pub mod label_studio;
pub mod labelbox;
mod lenient;

pub use lenient::{Id, Json, OneOrMany};

use crate::{Attributes, DecodeError, Envelope};
use serde::Deserialize;
use std::fmt;

/// Name of a shape of data, as the attribute `dataschema` has it. The folder `schemas` of the repository has a JSON
/// Schema for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DataSchema {
    /// Projects of Label Studio.
    LabelStudioProject,
    /// Tasks of Label Studio.
    LabelStudioTask,
    /// Annotations of Label Studio.
    LabelStudioAnnotation,
    /// Links between labels and projects of Label Studio.
    LabelStudioLabelLink,
    /// Reviews of Label Studio.
    LabelStudioReview,
    /// Label Studio's `START_TRAINING`.
    LabelStudioTraining,
    /// The completion of a task of Label Studio, which labelrelay derives.
    LabelStudioTaskCompleted,
    /// A label of Labelbox, first version of webhooks.
    LabelboxLabel,
    /// A review of Labelbox, first version of webhooks.
    LabelboxReview,
    /// A data row of Labelbox with its labels, second version of webhooks.
    LabelboxLabelV2,
    /// A step of Labelbox's workflow.
    LabelboxWorkflow,
    /// A request of Labelbox to train a model.
    LabelboxModelRun,
}

impl DataSchema {
    /// All shapes that this version knows.
    pub const ALL: [Self; 12] = [
        Self::LabelStudioProject,
        Self::LabelStudioTask,
        Self::LabelStudioAnnotation,
        Self::LabelStudioLabelLink,
        Self::LabelStudioReview,
        Self::LabelStudioTraining,
        Self::LabelStudioTaskCompleted,
        Self::LabelboxLabel,
        Self::LabelboxReview,
        Self::LabelboxLabelV2,
        Self::LabelboxWorkflow,
        Self::LabelboxModelRun,
    ];

    /// The value of `dataschema`.
    pub const fn urn(self) -> &'static str {
        match self {
            Self::LabelStudioProject => "urn:labelrelay:schema:label-studio-project:1",
            Self::LabelStudioTask => "urn:labelrelay:schema:label-studio-task:1",
            Self::LabelStudioAnnotation => "urn:labelrelay:schema:label-studio-annotation:1",
            Self::LabelStudioLabelLink => "urn:labelrelay:schema:label-studio-label-link:1",
            Self::LabelStudioReview => "urn:labelrelay:schema:label-studio-review:1",
            Self::LabelStudioTraining => "urn:labelrelay:schema:label-studio-training:1",
            Self::LabelStudioTaskCompleted => "urn:labelrelay:schema:label-studio-task-completed:1",
            Self::LabelboxLabel => "urn:labelrelay:schema:labelbox-label:1",
            Self::LabelboxReview => "urn:labelrelay:schema:labelbox-review:1",
            Self::LabelboxLabelV2 => "urn:labelrelay:schema:labelbox-label-v2:1",
            Self::LabelboxWorkflow => "urn:labelrelay:schema:labelbox-workflow:1",
            Self::LabelboxModelRun => "urn:labelrelay:schema:labelbox-model-run:1",
        }
    }

    /// The shape of this name; `None` if this version does not know it.
    ///
    /// ```
    /// use labelrelay_event::payload::DataSchema;
    ///
    /// let schema = DataSchema::of("urn:labelrelay:schema:label-studio-task:1");
    /// assert_eq!(schema, Some(DataSchema::LabelStudioTask));
    /// assert_eq!(DataSchema::of("urn:labelrelay:schema:label-studio-task:2"), None);
    /// ```
    pub fn of(urn: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|schema| schema.urn() == urn)
    }
}

/// A body, by the shape that `dataschema` names.
///
/// An event that was fetched through a platform's API, or derived, has the thing itself as data, and not the body of a
/// webhook.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Payload {
    /// Label Studio: a webhook about annotations.
    Annotations(label_studio::AnnotationEvent),
    /// Label Studio: one annotation, fetched; or what is known of one that is gone.
    Annotation(label_studio::Annotation),
    /// Label Studio: a webhook about tasks.
    Tasks(label_studio::TaskEvent),
    /// Label Studio: one task, fetched; or what is known of one that is gone.
    Task(label_studio::Task),
    /// Label Studio: a webhook about a project.
    Project(label_studio::ProjectEvent),
    /// Label Studio: what is known of a project that is gone.
    ProjectGone(label_studio::Project),
    /// Label Studio: a webhook about links of labels.
    LabelLinks(label_studio::LabelLinkEvent),
    /// Label Studio: a webhook about reviews.
    Reviews(label_studio::ReviewEvent),
    /// Label Studio: a request to train.
    Training(label_studio::TrainingEvent),
    /// labelrelay: a task of Label Studio is labelled.
    Completed(label_studio::Completion),
    /// Labelbox, first version: a label.
    Label(labelbox::Label),
    /// Labelbox, first version: a review.
    Review(labelbox::Review),
    /// Labelbox, second version and fetched: a data row with its labels.
    Row(labelbox::Row),
    /// Labelbox: a step of the workflow.
    Workflow(labelbox::WorkflowEvent),
    /// Labelbox: a request to train.
    ModelRun(labelbox::ModelRun),
}

impl Payload {
    /// Reads `body`, the sender's bytes, by what the attributes say of it.
    ///
    /// # Errors
    /// [`PayloadError`] when the event has no schema (a type that ends in `.unrecognized`), one that this version does
    /// not know, or when the body is no JSON object.
    pub fn read(attributes: &Attributes, body: &[u8]) -> Result<Self, PayloadError> {
        let error = |cause| PayloadError {
            id: attributes.id.clone(),
            cause,
        };
        let urn = attributes.dataschema.as_deref().unwrap_or_default();
        let schema = DataSchema::of(urn)
            .ok_or_else(|| error(Cause::Schema(attributes.dataschema.clone())))?;
        // A thing by itself, and not the body of a webhook around it.
        let is_thing = attributes.origin.is_some();
        Self::of(schema, is_thing, body).map_err(|source| error(Cause::Body(source.to_string())))
    }

    fn of(schema: DataSchema, is_thing: bool, body: &[u8]) -> Result<Self, serde_json::Error> {
        fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, serde_json::Error> {
            // A struct would be read from an array, too.
            if body.trim_ascii_start().first() != Some(&b'{') {
                return Err(serde::de::Error::custom("it is no JSON object"));
            }
            serde_json::from_slice(body)
        }
        Ok(match (schema, is_thing) {
            (DataSchema::LabelStudioProject, false) => Self::Project(read(body)?),
            (DataSchema::LabelStudioProject, true) => Self::ProjectGone(read(body)?),
            (DataSchema::LabelStudioTask, false) => Self::Tasks(read(body)?),
            (DataSchema::LabelStudioTask, true) => Self::Task(read(body)?),
            (DataSchema::LabelStudioAnnotation, false) => Self::Annotations(read(body)?),
            (DataSchema::LabelStudioAnnotation, true) => Self::Annotation(read(body)?),
            (DataSchema::LabelStudioLabelLink, _) => Self::LabelLinks(read(body)?),
            (DataSchema::LabelStudioReview, _) => Self::Reviews(read(body)?),
            (DataSchema::LabelStudioTraining, _) => Self::Training(read(body)?),
            (DataSchema::LabelStudioTaskCompleted, _) => Self::Completed(read(body)?),
            (DataSchema::LabelboxLabel, _) => Self::Label(read(body)?),
            (DataSchema::LabelboxReview, _) => Self::Review(read(body)?),
            (DataSchema::LabelboxLabelV2, _) => Self::Row(read(body)?),
            (DataSchema::LabelboxWorkflow, _) => Self::Workflow(read(body)?),
            (DataSchema::LabelboxModelRun, _) => Self::ModelRun(read(body)?),
        })
    }
}

impl Envelope<'_> {
    /// The sender's body, typed.
    ///
    /// # Errors
    /// As [`Payload::read`], and when the data is not in the envelope: fetch what `dataref` names, check it with
    /// [`matches_digest`](Self::matches_digest), and give it to [`Payload::read`].
    pub fn payload(&self) -> Result<Payload, PayloadError> {
        let error = |cause| PayloadError {
            id: self.attributes.id.clone(),
            cause,
        };
        let body = self.data.bytes().map_err(|e| error(Cause::Decode(e)))?;
        let body = body.ok_or_else(|| error(Cause::Elsewhere(self.attributes.dataref.clone())))?;
        Payload::read(&self.attributes, &body)
    }
}

/// Why a body cannot be read as a type. It names the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadError {
    id: String,
    cause: Cause,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Cause {
    Decode(DecodeError),
    Elsewhere(Option<String>),
    Schema(Option<String>),
    Body(String),
}

impl PayloadError {
    /// Id of the event.
    pub fn event_id(&self) -> &str {
        &self.id
    }

    pub(crate) fn cause(&self) -> String {
        self.cause.to_string()
    }
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event {}: {}", self.id, self.cause)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Decode(error) => error.fmt(f),
            Cause::Elsewhere(place) => write!(
                f,
                "its data is at {}: fetch it first, and check its digest",
                place.as_deref().unwrap_or("no known place")
            ),
            Cause::Schema(None) => f.write_str(
                "its data has no known shape: this version of labelrelay did not know what the platform sent",
            ),
            Cause::Schema(Some(urn)) => {
                write!(f, "this version does not know the shape {urn}: update labelrelay-event")
            }
            Cause::Body(error) => write!(f, "its data is not of the shape that it names ({error})"),
        }
    }
}

impl std::error::Error for PayloadError {}

#[cfg(test)]
mod tests;
