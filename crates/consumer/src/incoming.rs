//! A change as a handler gets it.

use crate::failure::Failure;
use labelrelay_core::trace_context::is_trace_state;
use labelrelay_core::{TraceContext, time};
use labelrelay_event::changes::{By, Change, Key, Removed};
use labelrelay_event::{Attributes, Digest, Event, Origin, TypeFrom};
use std::sync::Arc;

/// A change, and the attributes of the event that brought it. A clone of it costs little.
#[derive(Debug, Clone)]
pub struct Incoming {
    change: Arc<Change<'static>>,
    attributes: Arc<Attributes>,
}

impl Incoming {
    pub(crate) fn new(change: Change<'static>, attributes: Arc<Attributes>) -> Self {
        Self {
            change: Arc::new(change),
            attributes,
        }
    }

    /// The change. `by` of a removal that follows from another is `Parent`, or `Header` if that one's was.
    pub fn change(&self) -> &Change<'static> {
        &self.change
    }

    /// The key of the thing that it is a change of.
    pub fn key(&self) -> &Key<'static> {
        self.change.key()
    }

    /// The attributes of the event.
    pub fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    /// The `traceparent` of W3C that the event has: what a span of the work on it is linked to. `None` if it has none, or
    /// none that is valid. Nobody signed it, so use it for telemetry alone.
    ///
    /// ```
    /// use labelrelay_consumer::Incoming;
    ///
    /// /// What a request that the work makes says of its trace.
    /// fn headers(incoming: &Incoming) -> impl Iterator<Item = (&'static str, &str)> {
    ///     let parent = incoming.trace_parent().map(|value| ("traceparent", value));
    ///     let state = incoming.trace_state().map(|value| ("tracestate", value));
    ///     parent.into_iter().chain(state)
    /// }
    /// ```
    pub fn trace_parent(&self) -> Option<&str> {
        let parent = self.attributes.traceparent.as_deref()?;
        TraceContext::parse(parent).map(|_| parent)
    }

    /// The `tracestate` beside [`trace_parent`](Self::trace_parent).
    pub fn trace_state(&self) -> Option<&str> {
        self.trace_parent()?;
        let state = self.attributes.tracestate.as_deref();
        state.filter(|state| is_trace_state(state))
    }

    /// The thing as the platform has it now, where events do not say which version is the newest (`Order::Unknown`).
    /// `answer` is the JSON that the platform's API has of it, `None` if it has no such thing. Nothing is asked here.
    ///
    /// ```
    /// use labelrelay_consumer::{Failure, Incoming};
    /// use labelrelay_event::changes::{Change, Order};
    ///
    /// /// The answer of `/api/annotations/ID/`; `None` after a 404.
    /// async fn ask(id: &str) -> std::io::Result<Option<Vec<u8>>> {
    ///     # let _ = id;
    ///     Ok(None)
    /// }
    ///
    /// async fn newest(incoming: &Incoming) -> Result<Change<'static>, Failure> {
    ///     match incoming.change() {
    ///         Change::Changed(changed) if changed.order == Order::Unknown => {
    ///             incoming.refetched(ask(&changed.key.id).await?.as_deref())
    ///         }
    ///         known => Ok(known.clone()),
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// A failure that lets the event come again: when the answer cannot be read, or is about another thing.
    pub fn refetched(&self, answer: Option<&[u8]>) -> Result<Change<'static>, Failure> {
        let key = self.key();
        let Some(body) = answer else {
            let until = time::parse(&self.attributes.receivedtime).map(time::sequence);
            // A time that is none hides nothing that was removed: `~` is after every version.
            let until = until.unwrap_or_else(|| "~".to_owned());
            let parents = self.change.parents();
            return Ok(Change::Removed(Removed::new(
                key.clone(),
                By::Pull,
                parents,
                until,
            )));
        };
        let changes = Event::of(self.fetched_attributes(body), body.to_vec()).changes()?;
        let found = changes.into_iter().find(|change| change.key() == key);
        let mut found = found.ok_or_else(|| {
            let what = format!("{} {}", key.kind, key.id);
            Failure::retry(format!(
                "the platform answered with something else than {what}"
            ))
        })?;
        // The platform says less of what holds a thing than the event did.
        if let Change::Changed(changed) = &mut found
            && changed.parents.is_empty()
        {
            changed.parents = self.change.parents().into();
        }
        Ok(found)
    }

    /// Attributes of a thing that was fetched, in place of the event.
    fn fetched_attributes(&self, body: &[u8]) -> Attributes {
        let key = self.key();
        let mut attributes = Attributes::clone(&self.attributes);
        let platform: Vec<_> = attributes.event_type.splitn(3, '.').take(2).collect();
        attributes.event_type = format!("{}.{}.updated", platform.join("."), key.kind);
        attributes.subject = Some(format!("{}/{}", key.kind, key.id));
        attributes.datasha256 = Digest::of(body).to_hex();
        attributes.origin = Some(Origin::Reconcile);
        attributes.typefrom = Some(TypeFrom::Body);
        attributes.dataschema = None;
        attributes.dataref = None;
        attributes
    }
}
