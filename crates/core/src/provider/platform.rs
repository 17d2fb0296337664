//! The platforms, and what differs between them.

use super::endpoint::Endpoint;
use super::inspector::Inspector;
use super::{label_studio, labelbox};
use crate::describe::Inspection;
use crate::ledger::{Change, Key};
use crate::request::RequestHead;
use crate::task_facts::TaskFact;
use http::Method;
use labelrelay_event::EventType;

/// A labelling platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// Labelbox: signs the raw body with HMAC-SHA1 (`X-Hub-Signature`).
    Labelbox,
    /// Label Studio: signs nothing; a static header is the only proof of origin.
    LabelStudio,
}

impl Provider {
    /// The name in configuration files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Labelbox => "labelbox",
            Self::LabelStudio => "label-studio",
        }
    }

    /// Purpose of a request to `path` below a source of this platform.
    ///
    /// `path` starts with `/` or is empty; only its last segment matters, so that a source may own
    /// any path.
    pub fn endpoint(self, method: &Method, path: &str, ml_backend: bool) -> Endpoint {
        let last = path
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or_default();
        match self {
            Self::Labelbox => labelbox::endpoint(method, last),
            Self::LabelStudio => label_studio::endpoint(method, last, ml_backend),
        }
    }

    /// Something that reads one body, in pieces, and says what it is.
    pub fn inspector(self, head: &RequestHead) -> Inspector {
        match self {
            Self::Labelbox => Inspector::Labelbox(labelbox::Inspector::new(head)),
            Self::LabelStudio => Inspector::LabelStudio(label_studio::Inspector::new()),
        }
    }

    /// Describes an entity that the platform's API returned as the delivery that would have reported
    /// it. `None` for a kind of thing that is not looked for on this platform.
    pub(crate) fn describe_entity(
        self,
        key: &Key,
        change: Change,
        entity: &[u8],
    ) -> Option<Inspection> {
        match self {
            Self::Labelbox => labelbox::describe_entity(key, change, entity),
            Self::LabelStudio => label_studio::describe_entity(&key.kind, change, entity),
        }
    }

    /// Facts that `data`, of an event of this type, states about tasks and annotations.
    pub(crate) fn task_facts(
        self,
        event_type: &EventType,
        is_fetched: bool,
        data: &[u8],
    ) -> Vec<TaskFact> {
        match self {
            Self::Labelbox => Vec::new(),
            Self::LabelStudio => {
                let (kind, action) = (event_type.kind(), event_type.action());
                label_studio::task_facts(kind, action, is_fetched, data)
            }
        }
    }

    /// Tells whether events of this platform can have a type that `pattern` means, as far as this version knows. For
    /// warnings about patterns that would match nothing.
    pub fn may_send(self, pattern: &str) -> bool {
        let (known, open) = match self {
            Self::Labelbox => (labelbox::KNOWN_TYPES, labelbox::OPEN_TYPES),
            Self::LabelStudio => (label_studio::KNOWN_TYPES, ""),
        };
        known
            .split_ascii_whitespace()
            .any(|name| EventType::from_static(name).matches(pattern))
            || (!open.is_empty() && pattern.starts_with(open))
    }

    /// The sender's own id of a delivery, which nobody signed.
    pub fn delivery_id(self, head: &RequestHead) -> Option<&str> {
        match self {
            Self::Labelbox => head
                .text(labelbox::DELIVERY_ID_HEADER)
                // A comma: two lines that a proxy joined, of which neither is known to be the sender's.
                .filter(|id| !id.is_empty() && !id.contains(',')),
            Self::LabelStudio => None,
        }
    }
}
