//! Events that were received and are not settled.

use labelrelay_core::ReceivedEvent;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// An event, and the receipt that is good for it now.
#[derive(Debug)]
pub(super) struct Held {
    number: u64,
    pub(super) event: ReceivedEvent,
    /// Locked while the event is extended, and by who settles it.
    receipt: tokio::sync::Mutex<Receipt>,
    hidden_until: Mutex<Instant>,
}

/// An event that somebody works on: forgotten when it is dropped, so that nothing keeps it from others after a panic.
pub(super) struct Working<'a> {
    all: &'a AllHeld,
    held: Option<Arc<Held>>,
}

impl<'a> Working<'a> {
    pub(super) fn on(all: &'a AllHeld, held: Arc<Held>) -> Self {
        let held = Some(held);
        Self { all, held }
    }

    /// Leaves the event to somebody else, who forgets it.
    pub(super) fn done(mut self) -> Option<Arc<Held>> {
        self.held.take()
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        if let Some(held) = &self.held {
            self.all.forget(held);
        }
    }
}

#[derive(Debug)]
pub(super) struct Receipt {
    pub(super) token: String,
    /// Nothing may extend it any more: that would undo the pause of a retry.
    is_settled: bool,
}

impl Held {
    /// The receipt to settle it with. From now on nothing extends it.
    pub(super) async fn freeze(&self) -> String {
        let mut receipt = self.receipt.lock().await;
        receipt.is_settled = true;
        receipt.token.clone()
    }

    /// The same, unless it is being extended right now.
    pub(super) fn try_freeze(&self) -> Option<String> {
        let mut receipt = self.receipt.try_lock().ok()?;
        receipt.is_settled = true;
        Some(receipt.token.clone())
    }

    /// The receipt to extend it with; `None` while somebody else has it, or once it is settled.
    pub(super) fn extending(&self) -> Option<tokio::sync::MutexGuard<'_, Receipt>> {
        self.receipt
            .try_lock()
            .ok()
            .filter(|receipt| !receipt.is_settled)
    }

    pub(super) fn hide_until(&self, until: Instant) {
        *unpoisoned(&self.hidden_until) = until;
    }

    /// Tells whether it is visible again in less than `time`.
    pub(super) fn ends_within(&self, time: Duration) -> bool {
        *unpoisoned(&self.hidden_until) < Instant::now() + time
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct AllHeld {
    last: AtomicU64,
    /// Bytes of their envelopes.
    bytes: AtomicUsize,
    by_number: Mutex<HashMap<u64, Arc<Held>>>,
}

impl AllHeld {
    pub(super) fn add(&self, event: ReceivedEvent, hidden_until: Instant) -> Arc<Held> {
        let held = Arc::new(Held {
            number: self.last.fetch_add(1, Ordering::Relaxed),
            receipt: tokio::sync::Mutex::new(Receipt {
                token: event.receipt.clone(),
                is_settled: false,
            }),
            hidden_until: Mutex::new(hidden_until),
            event,
        });
        let bytes = held.event.envelope.len();
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        unpoisoned(&self.by_number).insert(held.number, Arc::clone(&held));
        held
    }

    pub(super) fn forget(&self, held: &Held) {
        let forgotten = unpoisoned(&self.by_number).remove(&held.number);
        if let Some(held) = forgotten {
            let bytes = held.event.envelope.len();
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn len(&self) -> usize {
        unpoisoned(&self.by_number).len()
    }

    pub(super) fn ending_within(&self, time: Duration) -> Vec<Arc<Held>> {
        let held = unpoisoned(&self.by_number);
        held.values()
            .filter(|held| held.ends_within(time))
            .map(Arc::clone)
            .collect()
    }
}

/// A panic elsewhere damaged nothing behind the lock: it is whole after every step.
fn unpoisoned<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
