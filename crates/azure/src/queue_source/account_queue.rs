//! One queue of an account, and the answers to requests about it.

use crate::error::{AzureError, Resource};
use azure_core::error::{Error, ErrorKind};
use azure_storage_queue::QueueClient;
use labelrelay_core::clock::within;
use labelrelay_core::{Clock, EventSourceError};
use std::sync::Arc;
use std::time::Duration;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A queue, and what its requests need.
pub(crate) struct AccountQueue {
    pub(crate) client: QueueClient,
    pub(crate) resource: Resource,
    pub(crate) clock: Arc<dyn Clock>,
}

impl AccountQueue {
    /// Waits for an answer, and not for ever. Given up, the request retires its connection.
    pub(super) async fn answer<T>(
        &self,
        asked: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Failed> {
        match within(&*self.clock, PATIENCE, asked).await {
            Ok(answer) => answer.map_err(Failed::Answered),
            Err(_) => Err(Failed::Late),
        }
    }

    pub(super) fn error(&self, failed: &Failed) -> EventSourceError {
        match failed {
            Failed::Answered(error) => {
                AzureError::of(error, &self.resource).into_source_error(&self.resource)
            }
            Failed::Late => {
                let problem = "no answer came in time";
                EventSourceError::new(&self.resource.what, problem, "it may pass").retryable()
            }
        }
    }
}

/// A request without success.
pub(super) enum Failed {
    Answered(Error),
    Late,
}

impl Failed {
    /// Tells whether the service says that a receipt is not, or no longer, good.
    pub(super) fn is_stale(&self) -> bool {
        let Self::Answered(error) = self else {
            return false;
        };
        let ErrorKind::HttpResponse { error_code, .. } = error.kind() else {
            return false;
        };
        matches!(
            error_code.as_deref(),
            Some("MessageNotFound" | "PopReceiptMismatch")
        )
    }
}
