//! The door: a delivery comes in, or is refused at once because too many are under way.

use super::in_flight::{Budget, InFlight};
use super::parts::Parts;
use super::refusal::Refusal;
use crate::observe::{Observer, Report};
use crate::outcome::Outcome;
use std::sync::Arc;

/// Lets deliveries in as far as there is room, and tells the observer of a flood once.
pub(super) struct Admission {
    budget: Arc<Budget>,
    observer: Arc<dyn Observer>,
}

impl Admission {
    pub(super) fn new(deliveries: u64, bytes: u64, parts: &Parts) -> Self {
        Self {
            budget: Budget::new(deliveries, bytes),
            observer: Arc::clone(&parts.observer),
        }
    }

    /// Bytes that all deliveries together may have in memory.
    pub(super) fn max_bytes(&self) -> u64 {
        self.budget.bytes.limit
    }

    /// Room for one more delivery.
    pub(super) fn admit(&self) -> Result<InFlight, Refusal> {
        if let Some(refused) = self.budget.is_over() {
            self.observer.overload_over(refused);
        }
        InFlight::begin(&self.budget)
            .ok_or_else(|| Refusal::too_many_deliveries(self.budget.deliveries.limit))
    }

    /// Counts a request that was refused for overload; the observer hears of the first one of a flood.
    pub(super) fn note(&self, report: &Report) {
        if report.outcome == Outcome::Overloaded && self.budget.refuse() {
            let bound = report.reason.as_deref().unwrap_or_default();
            self.observer.overloaded(bound);
        }
    }
}
