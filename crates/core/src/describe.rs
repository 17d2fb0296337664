//! What the pipeline learns of a verified body: enough for the envelope, and no more.

use crate::identity::Identity;
use crate::json::Check;
use labelrelay_event::{EventType, TypeFrom};

/// What a body says, as far as the envelope needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// What happened.
    pub event_type: EventType,
    /// Whether a header had a say in it; `None` when nothing was understood.
    pub type_from: Option<TypeFrom>,
    /// Kind and id of what the event is about.
    pub subject: Option<String>,
    /// When it happened, RFC 3339.
    pub time: Option<String>,
    /// Name and version of the data's shape.
    pub schema: Option<&'static str>,
    /// Id of the project on the platform.
    pub project: Option<String>,
    /// Kind and id of the thing that events are grouped by; the source's name is put before it.
    pub partition: Option<String>,
    /// Version of the subject.
    pub sequence: Option<String>,
    /// What makes two deliveries one event.
    pub identity: Identity,
}

impl Description {
    /// A verified body that is forwarded without being understood.
    pub fn unrecognized(event_type: EventType) -> Self {
        Self {
            event_type,
            type_from: None,
            subject: None,
            time: None,
            schema: None,
            project: None,
            partition: None,
            sequence: None,
            identity: Identity::Content,
        }
    }
}

/// The result of one pass over a body: is it JSON, may it be embedded, and what does it say?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Whether the body is one JSON value, and what a queue may need to know of its characters.
    pub check: Check,
    /// What it says.
    pub description: Description,
}
