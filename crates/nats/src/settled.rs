//! Receipts that were settled, until their time is over: after that, they say it themselves.

use crate::receipt::Hold;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Fewest receipts at which those are looked for whose time is over.
const MANY: usize = 1024;

/// An event's number in the stream, and that of its receive.
type Key = (u64, u64);

#[derive(Default)]
pub(crate) struct SettledReceipts(Mutex<State>);

#[derive(Default)]
struct State {
    until: HashMap<Key, Duration>,
    prune_at: usize,
}

impl SettledReceipts {
    /// Takes note of a receipt that is good no more.
    pub(crate) fn note(&self, hold: &Hold, now: Duration) {
        let mut state = self.lock();
        if state.until.len() >= state.prune_at.max(MANY) {
            state.until.retain(|_, until| *until > now);
            state.prune_at = state.until.len() * 2;
        }
        state.until.insert(key(hold), hold.deadline);
    }

    pub(crate) fn has(&self, hold: &Hold) -> bool {
        self.lock().until.contains_key(&key(hold))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(hold: &Hold) -> Key {
    (hold.sequence, hold.delivery)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_are_forgotten_once_their_time_is_over() {
        let hold = |sequence: u64, deadline: u64| Hold {
            reply: String::new(),
            delivered: 1,
            sequence,
            delivery: sequence,
            stored: 0,
            deadline: Duration::from_secs(deadline),
        };
        let settled = SettledReceipts::default();
        settled.note(&hold(0, 1_000_000), Duration::ZERO);
        for sequence in 1..10_000 {
            settled.note(&hold(sequence, sequence), Duration::from_secs(sequence));
        }
        assert!(settled.has(&hold(0, 1_000_000)) && settled.has(&hold(9999, 9999)));
        assert!(settled.lock().until.len() <= MANY + 1);
    }
}
