//! Records: what a thing holds, in the same words for both platforms, and the platform's own JSON beside it.

use super::{Raw, Region};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The contents of a thing.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Record<'a> {
    /// An annotation of Label Studio, or a label of Labelbox.
    Annotation(Annotation<'a>),
    /// A task of Label Studio.
    Task(Task<'a>),
    /// A project of Label Studio.
    Project(Project<'a>),
    /// The last step of a data row in Labelbox's workflow.
    Workflow(Workflow<'a>),
    /// A review of either.
    Review(Review<'a>),
    /// Anything else.
    Thing(Thing<'a>),
}

/// An annotation of Label Studio, or a label of Labelbox.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Annotation<'a> {
    /// Id of the task, or of the data row.
    pub task: Option<Cow<'a, str>>,
    /// Id of the project.
    pub project: Option<Cow<'a, str>>,
    /// Label Studio's id of the user; of Labelbox an id (v1) or an address (v2).
    pub author: Option<Cow<'a, str>>,
    /// Time of its creation, as the platform writes it.
    pub created: Option<Cow<'a, str>>,
    /// Time of this version, as the platform writes it; the change's `version` compares.
    pub updated: Option<Cow<'a, str>>,
    /// `true` if the annotator skipped the task.
    pub skipped: Option<bool>,
    /// `true` if others are measured by it. Labelbox does not say.
    pub ground_truth: Option<bool>,
    /// State of the data row in Labelbox's workflow, where the body says it.
    pub workflow: Option<Cow<'a, str>>,
    /// Marked parts.
    pub regions: Vec<Region<'a>>,
    /// Answers.
    pub classifications: Vec<Classification<'a>>,
    /// Connections of regions.
    pub relations: Vec<Relation<'a>>,
    /// As the platform sent it.
    pub raw: Raw<'a>,
}

// It holds personal data: who drew it, and the marked text.
impl fmt::Debug for Annotation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Annotation")
            .field("task", &self.task)
            .field("project", &self.project)
            .field("regions", &self.regions.len())
            .field("classifications", &self.classifications.len())
            .field("relations", &self.relations.len())
            .finish_non_exhaustive()
    }
}

/// A task of Label Studio.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Task<'a> {
    /// Id of the project.
    pub project: Option<Cow<'a, str>>,
    /// Time of its creation, as the platform writes it.
    pub created: Option<Cow<'a, str>>,
    /// Moves by itself, and no webhook tells.
    pub updated: Option<Cow<'a, str>>,
    /// `true` if it has all the annotations that it needs.
    pub labelled: Option<bool>,
    /// Data to label, as it is written.
    pub data: Raw<'a>,
    /// As the platform sent it.
    pub raw: Raw<'a>,
}

/// A project of Label Studio. Its `raw` holds a token.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Project<'a> {
    /// Title.
    pub title: Option<Cow<'a, str>>,
    /// Labeling configuration, XML.
    pub label_config: Option<Cow<'a, str>>,
    /// Time of its creation, as the platform writes it.
    pub created: Option<Cow<'a, str>>,
    /// Time of this version, as the platform writes it.
    pub updated: Option<Cow<'a, str>>,
    /// As the platform sent it.
    pub raw: Raw<'a>,
}

impl fmt::Debug for Project<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Project")
            .field("title", &self.title)
            .field("created", &self.created)
            .field("updated", &self.updated)
            .finish_non_exhaustive()
    }
}

/// The last step of a data row in Labelbox's workflow.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Workflow<'a> {
    /// Action: `MOVE`, `APPROVE` and others.
    pub action: Option<Cow<'a, str>>,
    /// Name of the queue that it left.
    pub origin: Option<Cow<'a, str>>,
    /// Name of the queue that it came to.
    pub destination: Option<Cow<'a, str>>,
    /// Id of the user who moved it.
    pub actor: Option<Cow<'a, str>>,
    /// Time of the move, as the platform writes it.
    pub time: Option<Cow<'a, str>>,
    /// As the platform sent it: the whole body.
    pub raw: Raw<'a>,
}

impl fmt::Debug for Workflow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workflow")
            .field("action", &self.action)
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}

/// A review: of an annotation of Label Studio, or of a label of Labelbox. The parents of its change say of which.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Review<'a> {
    /// `true` if it accepts what was reviewed, `false` if it rejects that. `None` if it does neither, as a score of zero.
    pub accepted: Option<bool>,
    /// Labelbox's score. What is above zero accepts, what is below rejects. Label Studio has none.
    pub score: Option<f64>,
    /// Time of its creation, as the platform writes it.
    pub created: Option<Cow<'a, str>>,
    /// Time of this version, as the platform writes it; the change's `version` compares.
    pub updated: Option<Cow<'a, str>>,
    /// When the annotation or label was changed last before it was reviewed, as the platform writes it, if the body says it.
    pub reviewed: Option<Cow<'a, str>>,
    /// As the platform sent it.
    pub raw: Raw<'a>,
}

// It says who reviewed, and what was wrong.
impl fmt::Debug for Review<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Review")
            .field("accepted", &self.accepted)
            .field("score", &self.score)
            .field("updated", &self.updated)
            .field("reviewed", &self.reviewed)
            .finish_non_exhaustive()
    }
}

/// Anything else: a label link, a request to train, a completion.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Thing<'a> {
    /// As the platform sent it.
    pub raw: Raw<'a>,
}

/// Answers to one question, about the whole task, a region, or a frame.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Classification<'a> {
    /// Name of the control, or the question.
    pub name: Option<Cow<'a, str>>,
    /// Answers; empty if there is none.
    pub values: Vec<Answer<'a>>,
    /// Id of the region that it is about.
    pub region: Option<Arc<str>>,
    /// Number of the frame that it is about.
    pub frame: Option<i64>,
    /// Number of the image that it is about, from 0, if Label Studio says one.
    pub item: Option<i64>,
    /// Questions and answers that led to this question, outermost first: at most 16 of each. All questions below one
    /// answer share them.
    pub parent: Arc<[Arc<str>]>,
    /// As the platform sent it.
    pub raw: Raw<'a>,
}

// Answers are what somebody wrote.
impl fmt::Debug for Classification<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Classification")
            .field("name", &self.name)
            .field("values", &self.values.len())
            .finish_non_exhaustive()
    }
}

/// One answer.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Answer<'a> {
    /// A choice or a text.
    Text(Cow<'a, str>),
    /// A rating or a number.
    Number(f64),
    /// A path in a taxonomy, or in nested choices.
    Path(Vec<Cow<'a, str>>),
}

/// A connection of two regions.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Relation<'a> {
    /// Id of the region that it begins at.
    pub from: Option<Cow<'a, str>>,
    /// Id of the region that it ends at.
    pub to: Option<Cow<'a, str>>,
    /// As the platform writes it.
    pub direction: Option<Cow<'a, str>>,
    /// Labels.
    pub labels: Vec<Cow<'a, str>>,
    /// As the platform sent it.
    pub raw: Raw<'a>,
}
