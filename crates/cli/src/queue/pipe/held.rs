//! Receipts that were handed out and not settled.

use labelrelay_local::{Acknowledgement, Delivery};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Each with the time at which others can receive its message.
#[derive(Default)]
pub(super) struct Held(HashMap<String, Instant>);

impl Held {
    /// Adds what is handed out. What is visible again by now needs nobody to give it back, and is forgotten: a
    /// program that settles nothing must not fill the memory.
    pub(super) fn received(&mut self, deliveries: &[Delivery], visibility: Duration) {
        let now = Instant::now();
        self.0.retain(|_, until| *until > now);
        let until = after(now, visibility);
        self.0
            .extend(deliveries.iter().map(|one| (one.receipt.clone(), until)));
    }

    pub(super) fn extended(
        &mut self,
        receipts: &[String],
        outcomes: &[Acknowledgement],
        visibility: Duration,
    ) {
        let until = after(Instant::now(), visibility);
        for (receipt, outcome) in receipts.iter().zip(outcomes) {
            if *outcome == Acknowledgement::Done {
                self.0.insert(receipt.clone(), until);
            }
        }
    }

    /// Takes out what is settled, or was not held to begin with.
    pub(super) fn settled(&mut self, receipts: &[String]) {
        for receipt in receipts {
            self.0.remove(receipt);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Time until all of it is visible again.
    pub(super) fn longest(&self) -> Duration {
        let last = self.0.values().max();
        last.map_or(Duration::ZERO, |until| {
            until.saturating_duration_since(Instant::now())
        })
    }

    pub(super) fn receipts(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

/// Longer than the queue keeps anything hidden, where a clock cannot say it.
fn after(now: Instant, time: Duration) -> Instant {
    const DAY: Duration = Duration::from_secs(86_400);
    now.checked_add(time.min(DAY)).unwrap_or(now)
}
