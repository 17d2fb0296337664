//! Events made of what a platform's API returned, because their delivery was missed: the message that the
//! delivery would have become.
//!
//! The id is that of the live event wherever the platform's API tells what identifies it, so that a
//! consumer recognises a repeat. The data is what the API returned, verbatim, and the attribute `origin`
//! says so.

use crate::config::SourceConfig;
use crate::data_encoding::data_encoding;
use crate::describe::{Description, Inspection};
use crate::identity::Identity;
use crate::ledger::{Change, Key};
use crate::queue::{OutboundMessage, QueueLimits};
use crate::time::rfc3339;
use jiff::Timestamp;
use labelrelay_event::{Digest, Origin, encode};
use labelrelay_json::Scanner;

/// The event of one thing that reconciliation found. `Debug` does not show its data.
#[derive(Clone)]
pub struct ReconciledEvent<'a> {
    id: String,
    entity: &'a [u8],
    inspection: Inspection,
    digest: Digest,
}

impl<'a> ReconciledEvent<'a> {
    /// Describes `entity`, one JSON value that `source`'s API returned for the thing `key`: itself, or what it is
    /// shown with. For a deletion it is whatever is left to say: the thing's id, and what it belonged to.
    ///
    /// `None` when this is no such thing: not a JSON object, or without an id.
    pub fn describe(
        source: &SourceConfig,
        key: &Key,
        change: Change,
        entity: &'a [u8],
    ) -> Option<Self> {
        // Alone: what stands around it in an answer must not lend it a bracket.
        let mut scanner = Scanner::new(());
        scanner.update(entity);
        let (check, ()) = scanner.finish();
        if !check.is_json || entity.first() != Some(&b'{') {
            return None;
        }
        let description = source
            .provider
            .describe_entity(key, change, entity)?
            .description;
        let named = description.subject.as_ref()?.split_once('/')?.0 == key.kind;
        let digest = Digest::of(entity);
        let event_type = description.event_type.as_str();
        let id = description
            .identity
            .event_id(&source.name, event_type, &digest, None);
        named.then_some(Self {
            id: id?,
            entity,
            inspection: Inspection { check, description },
            digest,
        })
    }

    /// Describes the deletion of the thing `key`, of which `newest` was the newest version that was known: an id may be
    /// given again, and then goes once more. `tombstone` is whatever is left to say.
    ///
    /// `None` as for [`describe`](Self::describe).
    pub fn deletion(
        source: &SourceConfig,
        key: &Key,
        newest: Option<&str>,
        tombstone: &'a [u8],
    ) -> Option<Self> {
        let mut event = Self::describe(source, key, Change::Deleted, tombstone)?;
        if let (Identity::Version { version, .. }, Some(newest)) =
            (&mut event.inspection.description.identity, newest)
        {
            version.push('/');
            version.push_str(newest);
            let event_type = event.inspection.description.event_type.as_str();
            let identity = &event.inspection.description.identity;
            event.id = identity.event_id(&source.name, event_type, &event.digest, None)?;
        }
        Some(event)
    }

    /// The event's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Description.
    pub fn description(&self) -> &Description {
        &self.inspection.description
    }

    /// The message for a queue with these limits, found at `now`: of a deletion, when the platform was asked.
    pub fn message(
        &self,
        source: &SourceConfig,
        limits: QueueLimits,
        now: Timestamp,
    ) -> OutboundMessage {
        self.with_origin(source, limits, rfc3339(now), Origin::Reconcile)
    }

    /// The message for a queue with these limits, where another event that was `received` told it.
    pub(crate) fn derived(
        &self,
        source: &SourceConfig,
        limits: QueueLimits,
        received: String,
    ) -> OutboundMessage {
        self.with_origin(source, limits, received, Origin::Derived)
    }

    fn with_origin(
        &self,
        source: &SourceConfig,
        limits: QueueLimits,
        received: String,
        origin: Origin,
    ) -> OutboundMessage {
        let Inspection { check, description } = &self.inspection;
        let id = self.id.clone();
        let described = description.clone();
        let mut attributes = described.attributes(id, &source.name, *check, &self.digest, received);
        attributes.origin = Some(origin);
        if description.event_type.is_deletion() && description.event_type.kind() == "annotation" {
            let holder = description.partition.as_deref();
            attributes.task = holder
                .and_then(|holder| holder.strip_prefix("task/"))
                .map(ToOwned::to_owned);
        }
        let envelope = encode(
            &attributes,
            data_encoding(*check, limits),
            self.entity.len(),
            [self.entity],
        );
        OutboundMessage::new(attributes, envelope)
    }
}

/// The data of a deletion: the members that the platform's own events about this thing would have, as far as they
/// are known.
pub fn tombstone(key: &Key, task: Option<&str>, project: Option<&str>) -> String {
    let mut members = vec![format!("\"id\":{}", json_id(&key.id))];
    for (name, value) in [("task", task), ("project", project)] {
        members.extend(value.map(|value| format!("\"{name}\":{}", json_id(value))));
    }
    format!("{{{}}}", members.join(","))
}

/// An id as the platforms write it: a number, where it is one.
pub(crate) fn json_id(id: &str) -> serde_json::Value {
    match id.parse::<u64>() {
        Ok(number) => number.into(),
        Err(_) => id.into(),
    }
}

impl std::fmt::Debug for ReconciledEvent<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReconciledEvent")
            .field("id", &self.id)
            .field("type", &self.inspection.description.event_type)
            .field("data_bytes", &self.entity.len())
            .finish_non_exhaustive()
    }
}
