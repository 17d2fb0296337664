//! Unreadable events that the log has named.

use labelrelay_core::ReceivedEvent;
use labelrelay_event::Digest;
use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

/// So many are remembered; 32 bytes each.
const MOST: usize = 10_000;

/// By the digests of their envelopes, for they may have no id.
#[derive(Debug, Default)]
pub(super) struct NamedEvents(Mutex<Names>);

#[derive(Debug, Default)]
struct Names {
    known: HashSet<Digest>,
    order: VecDeque<Digest>,
}

impl NamedEvents {
    /// Tells whether it is asked for the first time.
    pub(super) fn is_new(&self, event: &ReceivedEvent) -> bool {
        let digest = Digest::of(&event.envelope);
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !names.known.insert(digest) {
            return false;
        }
        names.order.push_back(digest);
        if names.order.len() > MOST
            && let Some(oldest) = names.order.pop_front()
        {
            names.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_of_once_and_the_oldest_are_forgotten() {
        let named = NamedEvents::default();
        let event = |n: usize| ReceivedEvent::new(n.to_string(), "receipt", "place");
        assert!(named.is_new(&event(0)));
        assert!(!named.is_new(&event(0)));
        for n in 1..=MOST {
            assert!(named.is_new(&event(n)));
        }
        assert!(named.is_new(&event(0)), "forgotten");
        assert!(!named.is_new(&event(MOST)));
    }
}
