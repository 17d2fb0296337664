//! Reads live events from the queue: their entities count as seen.

use super::{Reconcile, ReconcileError};
use crate::platform::Platform;
use crate::sink::LiveEvent;
use labelrelay_core::config::SourceConfig;
use labelrelay_core::ledger::{Key, Known};
use labelrelay_core::time::{parse, sequence};
use labelrelay_event::Attributes;
use std::collections::BTreeSet;

/// Events that are read from the queue at a time.
const AT_A_TIME: usize = 1000;

impl Reconcile<'_> {
    /// Records what the queue got since it was last read, by whichever way: what this program sent before it
    /// was killed, too.
    pub(super) async fn read_live_events(&mut self) -> Result<(), ReconcileError> {
        loop {
            let after = self.ledger.queue_position()?;
            self.sink.catch_up(after).await;
            let events = self.sink.events_after(after, AT_A_TIME)?;
            // Where events are large, fewer are told at a time: it is all when there are none.
            let Some(last) = events.last().filter(|last| last.seq > after) else {
                return Ok(());
            };
            let through = last.seq;
            let delivered: BTreeSet<_> = events
                .iter()
                .filter_map(|event| delivered_from(self.source, &event.attributes))
                .collect();
            // Before the mark moves: nobody reads these events again then.
            if !delivered.is_empty() {
                self.ledger.note_deliveries(&delivered)?;
            }
            let seen: Vec<_> = events
                .into_iter()
                .flat_map(|event| things_of(self.source, &*self.platform, event))
                .collect();
            self.ledger.record(&seen, None, Some(through))?;
        }
    }
}

/// Project of which the sender itself told, if it did: the event was not found by a pull, derived, or sent again.
fn delivered_from<'a>(source: &SourceConfig, attributes: &'a Attributes) -> Option<&'a str> {
    let is_delivery = attributes.origin.is_none() && attributes.replayedtime.is_none();
    let is_of_source = attributes.source.strip_prefix('/') == Some(&source.name);
    let project = attributes.project.as_deref();
    project.filter(|_| is_delivery && is_of_source)
}

/// The things that an event of the queue is about, in the versions of which it tells; none if it is not of this source.
pub fn things_of(
    source: &SourceConfig,
    platform: &dyn Platform,
    event: LiveEvent,
) -> Vec<(Key, Known)> {
    let attributes = &event.attributes;
    if attributes.source.strip_prefix('/') != Some(&source.name) {
        return Vec::new();
    }
    // It says something of a task that others tell of, and is no version of it.
    if attributes.event_type.ends_with(".completed") {
        return Vec::new();
    }
    let mut things = match one(attributes) {
        Some(said) => vec![said],
        None => event
            .data
            .map(|data| platform.entity_versions(source, attributes, &data).entities)
            .unwrap_or_default(),
    };
    // A deletion has no version: what was changed after its receipt is another thing, to which its id was given again.
    let received = parse(&attributes.receivedtime).map(sequence);
    for (_, known) in things.iter_mut().filter(|(_, known)| known.gone) {
        known.until.clone_from(&received);
    }
    things
}

/// Reads the one thing that an event is about.
fn one(attributes: &Attributes) -> Option<(Key, Known)> {
    let event_type: labelrelay_event::EventType = attributes.event_type.parse().ok()?;
    let (kind, id) = attributes.subject.as_deref()?.split_once('/')?;
    if kind != event_type.kind() {
        return None;
    }
    // `source/task/7`: what the thing itself belongs to, unless it is that thing.
    let holder = attributes
        .partitionkey
        .as_deref()
        .and_then(|key| key.rsplit_once('/'))
        .filter(|(before, _)| {
            before
                .rsplit('/')
                .next()
                .is_some_and(|of| of != kind && of != "project")
        })
        .map(|(_, id)| id.to_owned());
    let known = Known {
        project: attributes.project.clone(),
        holder,
        event_id: attributes.id.clone(),
        sequence: attributes.sequence.clone(),
        gone: attributes.is_tombstone(),
        until: None,
    };
    Some((Key::new(kind, id), known))
}
