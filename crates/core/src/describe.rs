//! Description of a verified body: enough for the envelope, and no more.

use crate::identity::{Identity, into_bounded};
use labelrelay_event::{Attributes, Digest, EventType, TypeFrom};
use labelrelay_json::Check;

/// Content of a body, as far as the envelope needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Event type.
    pub event_type: EventType,
    /// Tells whether a header had a say in the type; `None` when nothing was understood.
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
    /// Sameness with other deliveries.
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
            // Nothing is known of it that would tell two changes apart.
            identity: Identity::Delivery,
        }
    }

    /// The envelope's attributes, as far as the body and its source decide them.
    pub(crate) fn attributes(
        self,
        id: String,
        source: &str,
        check: Check,
        digest: &Digest,
        received: String,
    ) -> Attributes {
        let from = ["/", source].concat();
        let mut attributes = Attributes::new(id, from, &self.event_type, digest, received);
        attributes.subject = self.subject;
        attributes.time = self.time;
        attributes.datacontenttype = Some(
            if check.is_json {
                "application/json"
            } else {
                "application/octet-stream"
            }
            .to_owned(),
        );
        attributes.dataschema = self.schema.map(str::to_owned);
        attributes.project = self.project;
        attributes.partitionkey = Some(match &self.partition {
            Some(partition) => into_bounded([source, "/", partition].concat()),
            None => source.to_owned(),
        });
        attributes.sequence = self.sequence;
        attributes.typefrom = self.type_from;
        attributes
    }
}

/// The result of one pass over a body: is it JSON, may it be embedded, and what does it say?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Tells whether the body is one JSON value, and what a queue may need to know of its characters.
    pub check: Check,
    /// Content.
    pub description: Description,
}
