use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Names a thing: the source that it is in, its kind, and its id on the platform.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Key<'a> {
    /// The event's attribute `source`, as it is: `/label-studio`.
    pub source: Arc<str>,
    /// Its kind.
    pub kind: Kind,
    /// Its id: of up to 4,096 bytes, never empty.
    pub id: Cow<'a, str>,
}

impl<'a> Key<'a> {
    /// The key of a thing.
    pub fn new(source: impl Into<Arc<str>>, kind: Kind, id: impl Into<Cow<'a, str>>) -> Self {
        Self {
            source: source.into(),
            kind,
            id: id.into(),
        }
    }

    /// The same key, which borrows nothing.
    pub fn into_owned(self) -> Key<'static> {
        Key {
            source: self.source,
            kind: self.kind,
            id: Cow::Owned(self.id.into_owned()),
        }
    }
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.source, self.kind, self.id)
    }
}

/// Kind of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// A project (Label Studio); also what holds a label (Labelbox).
    Project,
    /// A task (Label Studio).
    Task,
    /// An annotation (Label Studio).
    Annotation,
    /// A link of a label and a project (Label Studio).
    LabelLink,
    /// A review (both).
    Review,
    /// A request to train (Label Studio).
    Training,
    /// A task has all the annotations that it needs (Label Studio).
    Completion,
    /// A label (Labelbox).
    Label,
    /// A data row (Labelbox).
    DataRow,
    /// The place of a data row in the workflow (Labelbox).
    Workflow,
    /// A run of a model (Labelbox).
    ModelRun,
}

impl Kind {
    /// All kinds that this version knows.
    pub const ALL: &'static [Self] = &[
        Self::Project,
        Self::Task,
        Self::Annotation,
        Self::LabelLink,
        Self::Review,
        Self::Training,
        Self::Completion,
        Self::Label,
        Self::DataRow,
        Self::Workflow,
        Self::ModelRun,
    ];

    /// The kind of this name; `None` where this version knows none.
    ///
    /// ```
    /// use labelrelay_event::changes::Kind;
    ///
    /// assert!(Kind::ALL.iter().all(|kind| Kind::named(kind.as_str()) == Some(*kind)));
    /// assert_eq!(Kind::named("labels"), None);
    /// ```
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }

    /// The name: `label_link`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Task => "task",
            Self::Annotation => "annotation",
            Self::LabelLink => "label_link",
            Self::Review => "review",
            Self::Training => "training",
            Self::Completion => "completion",
            Self::Label => "label",
            Self::DataRow => "data_row",
            Self::Workflow => "workflow",
            Self::ModelRun => "model_run",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
