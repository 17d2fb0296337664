//! Opening of a source: both queues are there.

use super::StorageQueueSource;
use super::account_queue::{AccountQueue, Failed};
use super::dead_letters::DeadLetters;
use crate::storage_queue::may_only_send;
use labelrelay_core::{BackEndError, SourceOptions};

impl StorageQueueSource {
    /// Looks whether both queues are there. Whoever may not ask is believed.
    ///
    /// # Errors
    /// [`BackEndError`] of `url` when one of them is not, or cannot be asked.
    pub(crate) async fn open(
        queue: AccountQueue,
        dead_letters: AccountQueue,
        options: &SourceOptions,
        url: &str,
    ) -> Result<Self, BackEndError> {
        queue.is_there(url, "").await?;
        let cure = "; rejected events go there, or where you say";
        dead_letters.is_there(url, cure).await?;
        Ok(Self {
            queue,
            dead_letters: DeadLetters(dead_letters),
            max_receives: options.max_receives.map(|most| most.max(1)),
        })
    }
}

impl AccountQueue {
    async fn is_there(&self, url: &str, more: &str) -> Result<(), BackEndError> {
        let failed = match self.answer(self.client.get_properties(None)).await {
            Ok(_) => return Ok(()),
            Err(Failed::Answered(error)) if may_only_send(&error) => return Ok(()),
            Err(failed) => self.error(&failed),
        };
        let problem = format!(
            "cannot be consumed: {}: {}",
            failed.resource, failed.problem
        );
        let error = BackEndError::new(url, problem, format!("{}{more}", failed.cure));
        Err(if failed.retryable {
            error.retryable()
        } else {
            error
        })
    }
}
