//! Look-ups of secrets while a sender waits.

use super::parts::Parts;
use crate::clock::{Clock, within};
use crate::observe::Observer;
use crate::secret::SecretError;
use crate::source::Source;
use std::sync::Arc;
use std::time::Duration;

/// Looks secrets up in time, and tells the observer of a store that cannot be read.
pub(super) struct SecretLookup {
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
}

impl SecretLookup {
    pub(super) fn new(parts: &Parts) -> Self {
        Self {
            clock: Arc::clone(&parts.clock),
            observer: Arc::clone(&parts.observer),
        }
    }

    /// A look-up of a source's secrets, but no longer than the sender waits.
    pub(super) async fn in_time<T>(
        &self,
        source: &Source,
        deadline: Duration,
        look_up: impl Future<Output = Result<T, SecretError>>,
    ) -> Result<T, SecretError> {
        let left = deadline.saturating_sub(self.clock.monotonic());
        let outcome = within(&*self.clock, left, look_up).await;
        if let Some(error) = source.secrets.untold_failure() {
            self.observer.secrets_unreadable(&source.name, &error);
        }
        outcome.unwrap_or_else(|_| {
            Err(SecretError::transient(
                "the secret store did not answer in time",
            ))
        })
    }
}
