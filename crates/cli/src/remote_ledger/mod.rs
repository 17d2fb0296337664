//! A ledger that is kept in a store between runs, for queues that are not files of this machine.
//!
//! Each save is an object of its own, a *version*: the whole ledger, or a *segment* with what changed since the last
//! save. Opening merges all of them. When segments become many or large, the whole ledger is saved, and takes away
//! the versions that went into it. So nothing is overwritten: what two runs at once have saved lies there side by
//! side, and whoever comes next makes one ledger of both. A run that is killed has saved what it did up to a minute
//! before; the rest is found, and sent, again.

mod copy;
mod fetch;
mod save;
mod saving;
#[cfg(test)]
mod tests;
mod version;

pub(crate) use copy::LocalCopy;
pub(crate) use saving::Saving;

use crate::error::CliError;
use labelrelay_core::clock::within;
use labelrelay_core::{BlobError, BoxFuture, Clock, FallbackStore};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use version::Version;

/// Longest time to read or write one object; after it the run fails.
const PATIENCE: Duration = Duration::from_secs(300);

/// Told of what is no failure of a run.
pub(crate) type Tell = fn(&str);

pub(crate) struct RemoteLedger {
    store: Arc<dyn FallbackStore>,
    /// In words.
    location: String,
    clock: Arc<dyn Clock>,
    tell: Tell,
}

impl RemoteLedger {
    pub(crate) fn new(
        store: Arc<dyn FallbackStore>,
        location: String,
        clock: Arc<dyn Clock>,
        tell: Tell,
    ) -> Self {
        Self {
            store,
            location,
            clock,
            tell,
        }
    }

    /// Fails with what keeps a ledger from being saved, as far as that is seen without saving one.
    pub(crate) async fn check(&self) -> Result<(), CliError> {
        // Cloud Storage says what is granted for a whole bucket. For a ledger's objects alone is enough, and
        // `infra/google/reconcile.tf` grants no more.
        if self.location.starts_with("gs://") {
            return Ok(());
        }
        self.patiently(self.store.check()).await
    }

    /// The failure, which shall name the store and not the copy of a moment.
    pub(crate) fn says(&self, failure: CliError, copy: &Path) -> CliError {
        match failure {
            CliError::Failed(message) => {
                CliError::Failed(message.replace(&copy.display().to_string(), &self.location))
            }
            other => other,
        }
    }

    /// Removes a version. The key first: what a key names is there.
    async fn remove(&self, version: &Version) -> Result<(), BlobError> {
        let removed = async {
            self.store.remove(&version.key).await?;
            self.store.remove_body(&version.body()).await
        };
        let late = |_| Err(BlobError::transient("it took too long"));
        within(&*self.clock, PATIENCE, removed)
            .await
            .unwrap_or_else(late)
    }

    async fn patiently<T>(
        &self,
        answer: BoxFuture<'_, Result<T, BlobError>>,
    ) -> Result<T, CliError> {
        match within(&*self.clock, PATIENCE, answer).await {
            Ok(answer) => answer.map_err(|error| self.failed(error.message)),
            Err(late) => Err(self.failed(late)),
        }
    }

    fn failed(&self, why: impl std::fmt::Display) -> CliError {
        CliError::failed(format_args!("ledger in {}: {why}", self.location))
    }
}
