//! Events that a platform leaves out, derived from those that it sends and from what these said before.
//!
//! This reads the facts that an event states about tasks and annotations, and makes the messages. Whoever has a ledger
//! decides when there is something to derive.

use crate::changed_attributes::with_attributes;
use crate::config::SourceConfig;
use crate::from_api::{ReconciledEvent, json_id, tombstone};
use crate::identity::{Identity, into_bounded};
use crate::ledger::Key;
use crate::provider::Provider;
use crate::queue::{OutboundMessage, QueueLimits};
use crate::task_facts::TaskFact;
use crate::time;
use labelrelay_event::{
    Attributes, DataEncoding, Digest, Envelope, EventType, Origin, TypeFrom, encode,
};
use serde::{Deserialize, Serialize};

const COMPLETED: EventType = EventType::from_static("io.labelstud.task.completed");
const COMPLETED_SCHEMA: &str = "urn:labelrelay:schema:label-studio-task-completed:1";
const DELETED: EventType = EventType::from_static("io.labelstud.annotation.deleted");

/// The sources from whose events more is derived.
#[derive(Debug, Clone)]
pub struct Derivation {
    sources: Vec<SourceConfig>,
}

/// Facts that one event states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventFacts {
    /// The event.
    pub cause: Cause,
    /// Facts about tasks and annotations. Queue files have them under another name.
    #[serde(rename = "statements")]
    pub facts: Vec<TaskFact>,
}

/// The event from which others are derived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// Name of its source.
    pub source: String,
    /// Its id.
    pub event_id: String,
    /// When it was received.
    pub received: String,
    /// When it happened, as the platform says.
    pub time: Option<String>,
    /// Project that it is about.
    pub project: Option<String>,
    /// `true` if it was fetched, not delivered.
    pub is_fetched: bool,
}

impl EventFacts {
    /// Bytes of memory that it takes, about.
    pub fn bytes(&self) -> usize {
        self.facts.iter().map(TaskFact::bytes).sum()
    }
}

impl Cause {
    /// The time of its receipt in the form of a version.
    pub fn received_version(&self) -> String {
        time::parse(&self.received).map_or_else(String::new, time::sequence)
    }

    /// The time when it happened in the form of a version, if the platform says it.
    pub fn time_version(&self) -> Option<String> {
        let time = time::parse(self.time.as_deref()?)?;
        Some(time::sequence(time))
    }
}

impl Derivation {
    /// Those of `sources` of which there is something to derive; `None` when there is no such source.
    pub fn of(sources: &[SourceConfig]) -> Option<Self> {
        let is_wanted = |source: &&SourceConfig| source.provider == Provider::LabelStudio;
        let sources: Vec<_> = sources.iter().filter(is_wanted).cloned().collect();
        (!sources.is_empty()).then_some(Self { sources })
    }

    fn source(&self, name: &str) -> Option<&SourceConfig> {
        self.sources.iter().find(|source| source.name == name)
    }

    /// Reads the facts that `message` states. None, if it is sent again on purpose, derived itself, or holds no data.
    pub fn read(&self, message: &OutboundMessage) -> Option<EventFacts> {
        let attributes = &message.attributes;
        // It runs for each delivery. To read the envelope again would take twice the time of reading the data.
        match verbatim_data(&message.body) {
            Some(data) => {
                let (source, event_type) = self.source_and_type(attributes)?;
                event_facts(source, &event_type, attributes, data)
            }
            None => self.facts_in(attributes, &message.body),
        }
    }

    /// Tells whether [`read`](Self::read) would look into the data of an event with these attributes.
    pub fn concerns(&self, attributes: &Attributes) -> bool {
        self.source_and_type(attributes).is_some()
    }

    /// Reads the facts that an envelope on the queue states, as [`read`](Self::read) does.
    pub fn read_envelope(&self, envelope: &[u8]) -> Option<EventFacts> {
        let attributes: Attributes = serde_json::from_slice(envelope).ok()?;
        self.facts_in(&attributes, envelope)
    }

    /// The source of an event that may state facts, and its type.
    fn source_and_type(&self, attributes: &Attributes) -> Option<(&SourceConfig, EventType)> {
        let is_derived = attributes.origin == Some(Origin::Derived);
        if is_derived || attributes.replayedtime.is_some() || attributes.dataref.is_some() {
            return None;
        }
        let source = self.source(attributes.source.strip_prefix('/')?)?;
        let event_type: EventType = attributes.event_type.parse().ok()?;
        let may_state = match event_type.kind() {
            "annotation" | "task" => true,
            "project" => event_type.is_deletion(),
            _ => false,
        };
        may_state.then_some((source, event_type))
    }

    fn facts_in(&self, attributes: &Attributes, envelope: &[u8]) -> Option<EventFacts> {
        let (source, event_type) = self.source_and_type(attributes)?;
        let envelope = Envelope::decode(envelope).ok()?;
        let data = envelope.data.bytes().ok()??;
        event_facts(source, &event_type, attributes, &data)
    }

    /// The deletion of an annotation that went with others, or with its task. A pull that knows the same `newest` version
    /// would find the same event. `None` where the source does not forward such events.
    pub fn deletion(
        &self,
        cause: &Cause,
        annotation: i64,
        newest: Option<&str>,
        task: Option<i64>,
        project: Option<&str>,
        limits: QueueLimits,
    ) -> Option<OutboundMessage> {
        let source = self.source(&cause.source)?;
        if !source.filter.passes(&DELETED) {
            return None;
        }
        let key = Key::new("annotation", annotation.to_string());
        let task = task.map(|task| task.to_string());
        let data = tombstone(&key, task.as_deref(), project);
        let event = ReconciledEvent::deletion(source, &key, newest, data.as_bytes())?;
        Some(event.derived(source, limits, cause.received.clone()))
    }

    /// The completion of a task, by an annotation if one is known. `None` where the source does not forward such
    /// events.
    pub fn completion(
        &self,
        cause: &Cause,
        task: i64,
        annotation: Option<i64>,
        project: Option<&str>,
    ) -> Option<OutboundMessage> {
        let source = self.source(&cause.source)?;
        if !source.filter.passes(&COMPLETED) {
            return None;
        }
        let data = serde_json::json!({
            "task": task,
            "project": project.map(json_id),
            "annotation": annotation,
        })
        .to_string();
        let digest = Digest::of(data.as_bytes());
        let subject = format!("task/{task}");
        // One for each change that completed it.
        let identity = Identity::Version {
            kind: "task",
            id: subject.clone(),
            version: format!("completed/{}", cause.event_id),
        };
        let id = identity.event_id(&source.name, COMPLETED.as_str(), &digest, None)?;
        let from = format!("/{}", source.name);
        let mut attributes = Attributes::new(id, from, &COMPLETED, &digest, &cause.received);
        attributes.partitionkey = Some(into_bounded(format!("{}/{subject}", source.name)));
        attributes.subject = Some(subject);
        attributes.time.clone_from(&cause.time);
        attributes.datacontenttype = Some("application/json".to_owned());
        attributes.dataschema = Some(COMPLETED_SCHEMA.to_owned());
        attributes.project = project.map(str::to_owned);
        attributes.typefrom = Some(TypeFrom::Body);
        attributes.origin = Some(Origin::Derived);
        let data = data.as_bytes();
        let envelope = encode(&attributes, DataEncoding::Json, data.len(), [data]);
        Some(OutboundMessage::new(attributes, envelope))
    }
}

/// Facts of an event with this data.
fn event_facts(
    source: &SourceConfig,
    event_type: &EventType,
    attributes: &Attributes,
    data: &[u8],
) -> Option<EventFacts> {
    let is_fetched = attributes.origin == Some(Origin::Reconcile);
    let facts = source.provider.task_facts(event_type, is_fetched, data);
    (!facts.is_empty()).then(|| EventFacts {
        cause: Cause {
            source: source.name.clone(),
            event_id: attributes.id.clone(),
            received: attributes.receivedtime.clone(),
            time: attributes.time.clone(),
            project: attributes.project.clone(),
            is_fetched,
        },
        facts,
    })
}

/// The data of an envelope that [`encode`] wrote, if they are in it as they came. They begin at the first mark: no
/// attribute can hold it, because its quotes would be escaped there.
fn verbatim_data(envelope: &[u8]) -> Option<&[u8]> {
    const MARK: &[u8] = b",\"data\":";
    let at = envelope.windows(MARK.len()).position(|some| some == MARK)?;
    envelope.get(at + MARK.len()..)?.strip_suffix(b"}")
}

/// `message` with the attribute `task`. `None` if it cannot be read.
pub fn naming_task(message: &OutboundMessage, task: i64) -> Option<OutboundMessage> {
    let mut envelope = Envelope::decode(&message.body).ok()?;
    envelope.attributes.task = Some(task.to_string());
    with_attributes(envelope, |_| DataEncoding::Json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red if an attribute's text can pass for the data, or if data in base64 are taken as they stand.
    #[test]
    fn the_data_are_found_as_a_reader_of_the_envelope_finds_them() {
        let event_type = EventType::from_static("io.labelstud.annotation.created");
        let body: &[u8] = br#"{"a":{"x":1,"data":{"y":2}}}"#;
        let digest = Digest::of(body);
        let received = "2026-01-01T00:00:00Z";
        let id = r#"1","data":{"forged":true},"x":""#;
        let attributes = Attributes::new(id, "/a", &event_type, &digest, received);
        let encoded = |encoding| encode(&attributes, encoding, body.len(), [body]);
        assert_eq!(verbatim_data(&encoded(DataEncoding::Json)), Some(body));
        assert_eq!(verbatim_data(&encoded(DataEncoding::Base64)), None);
        assert_eq!(verbatim_data(&encoded(DataEncoding::Reference)), None);
    }
}
