use std::fmt;

/// Why an event, or a part of one, cannot be read. The bytes stay on the queue: nothing is lost by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventError {
    kind: ErrorKind,
    event_id: Option<String>,
    reason: String,
}

/// Kinds of [`EventError`]. Their names are the same in the Python package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The message is no envelope: no JSON object, or without what every envelope has.
    MalformedEnvelope,
    /// The envelope is of a later version than this crate knows. A newer crate reads it.
    LaterEnvelope,
    /// The message is a pointer to the envelope in S3, as AWS's extended clients of SQS write it
    /// ([`S3Pointer`](crate::S3Pointer)). Fetch the envelope, and read that.
    EnvelopeClaimed,
    /// The body is in the blob store: `dataref` says where. Fetch it, and give it to
    /// [`Event::with_body`](crate::Event::with_body).
    BodyClaimed,
    /// The body is not what the sender sent: its SHA-256 is not `datasha256`.
    DigestMismatch,
    /// The body is no JSON, as RFC 8259 has it, in UTF-8.
    NotJson,
    /// The body is nested deeper than 500 levels.
    TooDeep,
    /// The body has no shape that this crate knows. It was verified; a newer crate may know it.
    UnknownPayload,
    /// The body names nothing: *Send payload* is off in the platform's webhook.
    PayloadMissing,
    /// A mask cannot be decoded: its run lengths are damaged, or it would have more pixels than was allowed.
    MaskUnreadable,
}

impl EventError {
    pub(crate) fn new(kind: ErrorKind, event_id: Option<&str>, reason: impl Into<String>) -> Self {
        Self {
            kind,
            event_id: event_id.map(str::to_owned),
            reason: reason.into(),
        }
    }

    /// Its kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The problem, without the event's id.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Id of the event, where it could be read.
    pub fn event_id(&self) -> Option<&str> {
        self.event_id.as_deref()
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(id) = &self.event_id {
            write!(f, "event {id}: ")?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for EventError {}
