//! One delivery on its way through the pipeline.

use super::deadlines::Deadlines;
use super::in_flight::InFlight;
use super::refusal::Refusal;
use super::verification_flag::Verification;
use crate::address::client_address;
use crate::identity::bounded;
use crate::observe::Report;
use crate::outcome::{Answer, Outcome};
use crate::payload::Payload;
use crate::request::RequestHead;
use crate::source::{Route, Source};
use labelrelay_event::Attributes;
use std::sync::Arc;
use std::time::Duration;

/// A delivery: where it came in, how long it has, and what is known of it so far.
pub(super) struct Delivery {
    pub(super) source: Arc<Source>,
    /// `true` if it came by a path that no source has, so that the default one has it.
    pub(super) is_on_nobodys_path: bool,
    pub(super) head: RequestHead,
    pub(super) deadlines: Deadlines,
    /// Part of the room for all deliveries, held until it has ended.
    pub(super) in_flight: InFlight,
    /// Report for the observer.
    pub(super) report: Report,
    /// The first part of a body that becomes no event, if the observer wants it.
    pub(super) body_start: Option<Vec<u8>>,
    /// Shared with the adapter.
    pub(super) verification: Verification,
}

impl Delivery {
    /// A delivery of which only the head has come.
    pub(super) fn new(
        route: &Route<'_>,
        head: RequestHead,
        in_flight: InFlight,
        verification: Verification,
    ) -> Self {
        let source = route.source;
        let mut report = Report::new(Outcome::Bug, Duration::ZERO);
        report.claimed_bytes = head.content_length();
        report.source = Some(source.name.clone());
        report.delivery_id = source.provider.delivery_id(&head).map(bounded);
        report.client = client_address(&head, source.trusted_proxies);
        Self {
            deadlines: Deadlines::with_answer(head.arrived + source.answer_by),
            source: Arc::clone(source),
            is_on_nobodys_path: route.is_nobodys(),
            head,
            in_flight,
            report,
            body_start: None,
            verification,
        }
    }

    /// The whole body has come, its last byte at this moment.
    pub(super) fn last_byte_at(&mut self, moment: Duration, payload: &Payload) {
        let is_spooled = payload.spooled().is_some();
        let copied = if is_spooled { payload.len() } else { 0 };
        let (arrived, answer_by) = (self.head.arrived, self.source.answer_by);
        self.deadlines = Deadlines::from_last_byte(moment, arrived, answer_by, copied);
        self.report.spooled = is_spooled;
    }

    /// Keeps the first `wanted` bytes of a body that becomes no event. A spooled one is not read for it: nobody waits
    /// for a disk on the way to an answer.
    pub(super) fn keep_start_of(&mut self, payload: &Payload, wanted: usize) {
        let Some(pieces) = payload.in_memory().filter(|_| wanted > 0) else {
            return;
        };
        let mut start = Vec::new();
        for piece in pieces {
            let room = wanted.saturating_sub(start.len()).min(piece.len());
            start.extend_from_slice(piece.get(..room).unwrap_or_default());
        }
        self.body_start = Some(start);
    }

    /// The secret with this name has sent it.
    pub(super) fn verified_by(&mut self, name: &str) {
        self.report.verified_by = Some(name.to_owned());
        self.verification.succeeds();
    }

    /// It became this event, whatever came of that. As a rule nobody else has the attributes any more; where somebody
    /// has, only what the report tells is copied.
    pub(super) fn became(&mut self, event: Arc<Attributes>) {
        let (id, event_type, subject, project) = match Arc::try_unwrap(event) {
            Ok(event) => (event.id, event.event_type, event.subject, event.project),
            Err(shared) => (
                shared.id.clone(),
                shared.event_type.clone(),
                shared.subject.clone(),
                shared.project.clone(),
            ),
        };
        self.report.event_id = Some(id);
        self.report.event_type = Some(event_type);
        self.report.subject = subject;
        self.report.project = project;
    }

    /// Ends it without an event. The report has what the sender is not told.
    pub(super) fn refuse(&mut self, refusal: Refusal) -> Answer {
        refusal.reported(&mut self.report, &self.head, self.source.header.as_ref())
    }

    /// Ends it without an event, for a reason that the sender may hear as well.
    pub(super) fn refuse_because(&mut self, outcome: Outcome, message: &str) -> Answer {
        self.report.reason = Some(message.to_owned());
        Answer::refusal(outcome, message)
    }
}
