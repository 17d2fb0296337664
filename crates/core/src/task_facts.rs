//! Facts about tasks and their annotations that an event states, for whoever [derives](crate::derive) more from it.

use serde::{Deserialize, Serialize};

/// A fact about tasks or annotations. Ids that are no positive numbers are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskFact {
    /// An annotation is there, in this version.
    Annotation(AnnotationThere),
    /// A task is there.
    Task {
        /// Id.
        id: i64,
        /// Its state.
        state: TaskState,
        /// When it was made, in the form of a version, if the event says so.
        #[serde(default)]
        made: Option<String>,
    },
    /// These annotations are gone.
    AnnotationsGone {
        /// Their ids.
        ids: Vec<i64>,
        /// `true` if the event is about several, so that none of them has an event of its own.
        are_several: bool,
    },
    /// These tasks are gone, and all annotations of them.
    TasksGone(Vec<i64>),
    /// The event's project is gone, with everything in it. No event follows about what was in it.
    ProjectGone,
}

impl TaskFact {
    /// Bytes of memory that it takes, about.
    pub(crate) fn bytes(&self) -> usize {
        let of_ids = match self {
            Self::Annotation(there) => there.version.as_ref().map_or(0, String::capacity),
            Self::AnnotationsGone { ids, .. } | Self::TasksGone(ids) => {
                ids.capacity() * size_of::<i64>()
            }
            Self::Task { made, .. } => made.as_ref().map_or(0, String::capacity),
            Self::ProjectGone => 0,
        };
        size_of::<Self>() + of_ids
    }
}

/// An annotation that was made or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnotationThere {
    /// Id.
    pub id: i64,
    /// Id of its task.
    pub task: i64,
    /// `true` if it brings its task nearer to being labelled: one that was skipped may not.
    pub counts: bool,
    /// Version, as an envelope's `sequence`.
    pub version: Option<String>,
    /// `true` if the event says that it was made just now.
    pub is_new: bool,
    /// The task beside it.
    pub beside: Beside,
}

/// What stands beside an annotation about its task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Beside {
    /// Nothing.
    Nothing,
    /// The task's state after this change.
    After(TaskState),
    /// The task's state before this change: a bulk action of Label Studio's sends its event before it counts.
    Before(TaskState),
}

/// State of a task, as the platform says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskState {
    /// `true` if it is labelled.
    pub is_labelled: Option<bool>,
    /// Annotations that it needs for that.
    pub overlap: Option<i64>,
    /// Annotations that it has and that count.
    pub counted: Option<i64>,
}
