//! Opening of a source: the place for dead letters, and who counts receives.

use super::requests::{Action, SqsRequests};
use super::{DeadLetters, SqsSource};
use crate::sqs::QueueLocation;
use crate::sqs::dead_letters::named_by;
use labelrelay_core::{BackEndError, QueueErrorKind, SourceOptions};
use serde_json::{Value, json};
use std::time::Duration;

const CURE: &str = "name a queue for dead letters, or give this one a redrive policy";

impl SqsSource {
    /// Asks the queue for its redrive policy. Rejected events go to `given`, else to the policy's queue.
    ///
    /// # Errors
    /// [`BackEndError`] when there is neither, or when the queue cannot be asked.
    pub(crate) async fn open(
        queue: SqsRequests,
        given: Option<SqsRequests>,
        options: &SourceOptions,
    ) -> Result<Self, BackEndError> {
        if given
            .as_ref()
            .is_some_and(|given| given.is_same_queue(&queue))
        {
            let problem = "cannot be its own queue for dead letters";
            return Err(BackEndError::new(&queue.location.url, problem, CURE));
        }
        let asked = json!({ "AttributeNames": ["RedrivePolicy"] });
        let answer = queue.call(Action::Attributes, asked, Duration::ZERO).await;
        let policy = match answer {
            Ok(answer) => policy(&queue, &answer)?,
            // The policy is not needed to consume; only that there is one would be good to know.
            Err(error) if given.is_some() && error.kind == QueueErrorKind::Denied => {
                tracing::warn!(
                    name: "redrive_policy_unknown",
                    queue = queue.location.name,
                    error = error.message,
                    "the queue's redrive policy cannot be read, so it is taken to have none, and failures are counted here"
                );
                None
            }
            Err(error) => return Err(queue.back_end_error(&error)),
        };
        // With a policy, the queue itself ends what was received too often.
        let has_policy = policy.is_some();
        if has_policy && options.max_receives.is_some() {
            tracing::warn!(
                name: "max_receives_unused",
                queue = queue.location.name,
                "the queue's redrive policy says after how many receives an event is a dead letter; the number that was set here has no effect"
            );
        }
        let max_receives = options.max_receives.filter(|_| !has_policy);
        let policy = policy.map(|location| queue.beside(location));
        let Some(dead_letters) = given.or(policy) else {
            let problem = "has no queue for dead letters, and an event may have to be rejected";
            return Err(BackEndError::new(&queue.location.url, problem, CURE));
        };
        Ok(Self {
            queue,
            dead_letters: DeadLetters(dead_letters),
            has_policy,
            max_receives: max_receives.map(|most| most.max(1)),
        })
    }
}

/// The queue that the redrive policy names, if there is a policy. It is in the same region.
fn policy(queue: &SqsRequests, answer: &Value) -> Result<Option<QueueLocation>, BackEndError> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let policy = answer
        .get("Attributes")
        .and_then(|all| all.get("RedrivePolicy"));
    let Some(policy) = policy.and_then(text).filter(|policy| !policy.is_empty()) else {
        return Ok(None);
    };
    let found = named_by(&policy, &queue.location);
    let garbled = || {
        let problem = "has a redrive policy that names no queue";
        BackEndError::new(&queue.location.url, problem, "correct the policy")
    };
    found.map(Some).ok_or_else(garbled)
}
