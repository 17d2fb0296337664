//! Number of the dead letters, in the queue that the redrive policy names.

use super::error::SqsErrorContext;
use super::{QueueLocation, SqsQueue};
use aws_sdk_sqs::types::QueueAttributeName;
use labelrelay_core::{DeadLetterCount, QueueError};
use serde_json::Value;

impl SqsQueue {
    /// Unknown without a policy, and where `sqs:GetQueueAttributes` is not allowed: sending does not need it.
    pub(super) async fn count_dead_letters(&self) -> Result<DeadLetterCount, QueueError> {
        let asked = QueueAttributeName::RedrivePolicy;
        let policy = self.attribute(&self.location, asked).await?;
        let place = policy.and_then(|policy| named_by(&policy, &self.location));
        let Some(place) = place else {
            return Ok(DeadLetterCount::Unknown(None));
        };
        let asked = QueueAttributeName::ApproximateNumberOfMessages;
        let count = self.attribute(&place, asked).await?;
        let count: Option<u64> = count.and_then(|count| count.parse().ok());
        Ok(count.into())
    }

    /// One attribute of a queue.
    async fn attribute(
        &self,
        of: &QueueLocation,
        name: QueueAttributeName,
    ) -> Result<Option<String>, QueueError> {
        let request = self
            .client()
            .get_queue_attributes()
            .queue_url(&of.url)
            .attribute_names(name.clone());
        let attempt = self.http.attempt();
        match request.send().await {
            Ok(answer) => {
                attempt.answered();
                let all = answer.attributes();
                Ok(all.and_then(|all| all.get(&name)).cloned())
            }
            Err(error) => {
                // The queue that was asked is the one that is named.
                let context = SqsErrorContext {
                    location: of,
                    ..self.error_context("sqs:GetQueueAttributes")
                };
                let failed = context.of(&error);
                if failed.answered {
                    attempt.answered();
                }
                if failed.forbidden {
                    return Ok(None);
                }
                Err(failed.error)
            }
        }
    }
}

/// The queue that a redrive policy names. It is in the same region as `queue`.
pub(super) fn named_by(policy: &str, queue: &QueueLocation) -> Option<QueueLocation> {
    let policy: Value = serde_json::from_str(policy).ok()?;
    let arn = policy.get("deadLetterTargetArn")?.as_str()?;
    let (rest, name) = arn.rsplit_once(':')?;
    let (_, account) = rest.rsplit_once(':')?;
    queue.sibling(account, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_a_queue_beside_this_one() {
        let queue = QueueLocation::parse("sqs://eu-west-1/1/events").unwrap();
        let policy =
            r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:2:dead","maxReceiveCount":"5"}"#;
        let place = named_by(policy, &queue).unwrap();
        assert_eq!(place.url, "https://sqs.eu-west-1.amazonaws.com/2/dead");
        for garbled in ["", "{}", r#"{"deadLetterTargetArn":"dead"}"#] {
            assert!(named_by(garbled, &queue).is_none(), "{garbled}");
        }
    }
}
