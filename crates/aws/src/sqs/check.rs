//! Check of the queue: whether it could take an event, and the limits that its owner set.

use super::SqsQueue;
use aws_sdk_sqs::types::QueueAttributeName;
use labelrelay_core::{QueueError, QueueErrorKind};
use std::sync::atomic::Ordering;

impl SqsQueue {
    /// Asks for the queue's attributes, which opens the connection that the first event will use.
    pub(super) async fn try_check(&self) -> Result<(), QueueError> {
        let request = self
            .client()
            .get_queue_attributes()
            .queue_url(&self.location.url)
            .attribute_names(QueueAttributeName::MaximumMessageSize);
        let attempt = self.http.attempt();
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let failed = self.error_context("sqs:GetQueueAttributes").of(&error);
                if failed.answered {
                    attempt.answered();
                }
                if failed.forbidden {
                    // Not needed to send; nothing better can be asked without sending.
                    tracing::warn!(
                        name: "queue_limit_unknown",
                        queue = self.location.name,
                        limit_bytes = super::MAX_MESSAGE_BYTES,
                        error = failed.error.message,
                        "the queue's own limit is unknown; if it is lower, allow sqs:GetQueueAttributes"
                    );
                    return Ok(());
                }
                return Err(failed.error);
            }
        };
        let size = answer
            .attributes()
            .and_then(|all| all.get(&QueueAttributeName::MaximumMessageSize))
            .and_then(|size| size.parse().ok())
            .filter(|size| (1..=super::MAX_MESSAGE_BYTES).contains(size));
        let Some(size) = size else {
            return Err(QueueError::new(
                QueueErrorKind::Unavailable,
                "what answers for the queue does not answer as SQS does: no MaximumMessageSize",
            ));
        };
        attempt.answered();
        self.max_message_bytes.store(size, Ordering::Relaxed);
        Ok(())
    }
}
