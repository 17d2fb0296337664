use crate::Origin;
use serde::{Deserialize, Serialize};

/// Context attributes of an envelope, in the order in which they are written.
///
/// Names are those of CloudEvents 1.0.2 and its documented extensions (`partitionkey`, `sequence`,
/// `dataref`, `traceparent`, `tracestate`), and labelrelay's own extensions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Attributes {
    /// Always [`SPEC_VERSION`](crate::SPEC_VERSION).
    pub specversion: String,
    /// Identifies the event within `source`; equal for a repeat. Also the deduplication key.
    pub id: String,
    /// `/` and the name of the configured source.
    pub source: String,
    /// Event type in reverse-DNS form: `com.labelbox.label.created`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Kind and id of what the event is about: `label/ckfgcfsbi00003h5ziwnd8qt7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When it happened by the sender's clock, RFC 3339, of a year from 1 to 9999 and never with a 60th
    /// second. Absent where the sender wrote something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Media type of the data, after the relay's own look at it; the sender's header is not trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datacontenttype: Option<String>,
    /// Name and version of the data's shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataschema: Option<String>,
    /// The sender's own id of this delivery. Nobody signed it, and it differs between two webhooks
    /// that report one change: for tracing, not for recognising repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliveryid: Option<String>,
    /// Id of the project on the labelling platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Id of the task of the annotations that a deletion is about, where it is one task and known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// Events with one partition key belong together: source, then kind and id of a data row or task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitionkey: Option<String>,
    /// Version of the subject: its own update time, fixed width, so that comparing strings compares
    /// versions. Absent from deletions, and where the event is not a version of its subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<String>,
    /// Tells whether `type` was decided from the signed body alone or with the help of an unsigned header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typefrom: Option<TypeFrom>,
    /// Lower-case hex SHA-256 of the sender's bytes.
    pub datasha256: String,
    /// When the relay had the whole request, RFC 3339.
    pub receivedtime: String,
    /// W3C trace context: the span that the verified request named, else one of the relay's own, where it records
    /// spans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// W3C `tracestate` that the request carried beside its `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracestate: Option<String>,
    /// Origin of the event, when not a delivery.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// When the event was sent again on purpose, RFC 3339: whoever drops what it has seen before shall know
    /// that this one is meant to be seen again. Everything else is as it was the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replayedtime: Option<String>,
    /// URI of the sender's bytes when they are not in the envelope (a claim check).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataref: Option<String>,
}

impl Attributes {
    /// Attributes with everything that CloudEvents and this contract require.
    ///
    /// ```
    /// use labelrelay_event::{Attributes, Digest, EventType};
    ///
    /// let event_type = EventType::from_static("io.labelstud.task.created");
    /// let event = Attributes::new("1", "/label-studio", &event_type, &Digest::of(b"{}"), "2026-01-01T00:00:00Z");
    /// assert_eq!(event.specversion, "1.0");
    /// assert_eq!(event.subject, None);
    /// ```
    pub fn new(
        id: impl Into<String>,
        source: impl Into<String>,
        event_type: &crate::EventType,
        digest: &crate::Digest,
        received_time: impl Into<String>,
    ) -> Self {
        Self {
            specversion: crate::SPEC_VERSION.to_owned(),
            id: id.into(),
            source: source.into(),
            event_type: event_type.as_str().to_owned(),
            datasha256: digest.to_hex(),
            receivedtime: received_time.into(),
            ..Self::default()
        }
    }

    /// Tells whether the subject is gone for good after this event.
    ///
    /// A deletion of several things at once is about what held them (a project, a task), which stays:
    /// only a deletion whose subject is of the type's own kind is a tombstone.
    ///
    /// ```
    /// # use labelrelay_event::Attributes;
    /// let mut event = Attributes::default();
    /// event.event_type = "io.labelstud.annotation.deleted".into();
    /// event.subject = Some("annotation/7".into());
    /// assert!(event.is_tombstone());
    /// event.subject = Some("project/1".into());
    /// assert!(!event.is_tombstone());
    /// ```
    pub fn is_tombstone(&self) -> bool {
        let Ok(event_type) = self.event_type.parse::<crate::EventType>() else {
            return false;
        };
        let kind = self
            .subject
            .as_deref()
            .and_then(|subject| subject.split_once('/'))
            .map(|(kind, _)| kind);
        event_type.is_deletion() && kind == Some(event_type.kind())
    }
}

/// Place from which the event's type was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum TypeFrom {
    /// From the body, which the sender's credential covers.
    Body,
    /// An unsigned header refined what the body left open.
    Header,
}
