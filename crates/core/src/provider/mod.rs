//! The labelling platforms: which of a source's paths do what, and what their bodies say.
//!
//! Nothing here verifies anything, and nothing here sees a body that was not verified.

mod ids;
mod label_studio;
mod labelbox;

use crate::describe::Inspection;
use crate::ledger::Change;
use crate::ledger::Key;
use crate::request::RequestHead;
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

    /// What a request to `path` below a source of this platform asks for.
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

    /// What the platform's API returned for one thing, described as the delivery that would have reported
    /// it. `None` for a kind of thing that is not looked for on this platform.
    pub(crate) fn describe_entity(self, key: &Key, change: Change, entity: &[u8]) -> Option<Inspection> {
        match self {
            Self::Labelbox => labelbox::describe_entity(key, change, entity),
            Self::LabelStudio => label_studio::describe_entity(&key.kind, change, entity),
        }
    }

    /// Whether events of this platform can have a type that `pattern` means, as far as this version
    /// knows. For warnings about patterns that would match nothing.
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

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// It brings an event.
    Event,
    /// Labelbox asks which models may be trained: answered from the configuration.
    Models,
    /// An ML back end's call, answered at once with this JSON; its body is read and dropped.
    Reply(&'static str),
    /// No such method here; these are.
    WrongMethod {
        /// For the header `Allow`.
        allow: &'static str,
    },
}

/// Reads one body, in pieces, in one pass: checks that it is JSON and picks what the envelope needs.
pub enum Inspector {
    /// A body from Labelbox.
    Labelbox(labelbox::Inspector),
    /// A body from Label Studio.
    LabelStudio(label_studio::Inspector),
}

impl Inspector {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Labelbox(inspector) => inspector.update(bytes),
            Self::LabelStudio(inspector) => inspector.update(bytes),
        }
    }

    /// What the whole body is.
    pub fn finish(self) -> Inspection {
        match self {
            Self::Labelbox(inspector) => inspector.finish(),
            Self::LabelStudio(inspector) => inspector.finish(),
        }
    }
}
