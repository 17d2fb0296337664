//! What is refused because too much is under way already: at once, and told once a flood.

use super::Relay;
use super::in_flight::InFlight;
use super::refusal::Refusal;
use crate::observe::Report;
use crate::outcome::Outcome;
use crate::request::RequestHead;

impl Relay {
    /// A place for one more delivery.
    pub(super) fn admit(
        &self,
        head: &RequestHead,
        report: &mut Report,
    ) -> Result<InFlight, Refusal> {
        if let Some(refused) = self.budget.is_over() {
            self.parts.observer.overload_over(refused);
        }
        InFlight::begin(&self.budget).ok_or_else(|| {
            report.source = self
                .routes
                .find(&head.path)
                .map(|route| route.source.name.clone());
            Refusal::overloaded(format!(
                "{} deliveries are under way (max_in_flight)",
                self.budget.deliveries.limit
            ))
        })
    }

    pub(super) fn no_memory_left(&self) -> Refusal {
        Refusal::overloaded(format!(
            "the deliveries under way fill {} bytes of memory (max_bytes_in_flight)",
            self.budget.bytes.limit
        ))
    }

    /// Tells the observer of the first one of a flood.
    pub(super) fn tell_of_overload(&self, refusal: &Refusal) {
        if refusal.answer.outcome == Outcome::Overloaded && self.budget.refuse() {
            let bound = refusal.reason.as_deref().unwrap_or_default();
            self.parts.observer.overloaded(bound);
        }
    }
}
