//! The relay, as far as no row of the record says how it is.

use labelrelay_core::{Observer, QueueError, Report, chain};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Remembers whether the queue takes events.
#[derive(Clone, Default)]
pub(in crate::serve) struct RelayState(Arc<Mutex<Option<String>>>);

impl RelayState {
    /// Why events go to the fallback at once; `None` while the queue takes them.
    pub(super) fn queue_fails(&self) -> Option<String> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for RelayState {
    fn request(&self, _: &Report) {}

    fn queue_attempt_failed(&self, _: &str, _: &str, _: &QueueError) {}

    fn queue_breaker(&self, open: Option<&QueueError>) {
        *self.lock() = open.map(|error| chain(error));
    }
}
