//! Requests of a consumer, in SQS's JSON: one action, one answer, no retry.

use crate::http::Answer;
use crate::quoted_text::quoted;
use crate::signed_client::{Content, SignedClient};
use crate::sqs::error::{SqsErrorContext, kind_of};
use crate::sqs::{QueueLocation, answer_digests};
use aws_smithy_types::body::SdkBody;
use labelrelay_core::{BackEndError, EventSourceError, QueueError, QueueErrorKind};
use labelrelay_event::Digest;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// Largest answer that is read: ten messages of a mebibyte, each byte of which JSON may write as six.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// Longest wait for an answer, beyond the time that SQS itself was told to wait.
const PATIENCE: Duration = Duration::from_secs(30);

/// Requests of a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Receive,
    Delete,
    Hide,
    Attributes,
    Send,
}

impl Action {
    fn target(self) -> &'static str {
        match self {
            Self::Receive => "AmazonSQS.ReceiveMessage",
            Self::Delete => "AmazonSQS.DeleteMessageBatch",
            Self::Hide => "AmazonSQS.ChangeMessageVisibilityBatch",
            Self::Attributes => "AmazonSQS.GetQueueAttributes",
            Self::Send => "AmazonSQS.SendMessage",
        }
    }

    fn permission(self) -> &'static str {
        match self {
            Self::Receive => "sqs:ReceiveMessage",
            Self::Delete => "sqs:DeleteMessage",
            Self::Hide => "sqs:ChangeMessageVisibility",
            Self::Attributes => "sqs:GetQueueAttributes",
            Self::Send => "sqs:SendMessage",
        }
    }
}

/// One queue, and a client that may ask it.
pub(crate) struct SqsRequests {
    signed: SignedClient,
    pub(super) location: QueueLocation,
}

impl SqsRequests {
    pub(crate) fn new(signed: SignedClient, location: QueueLocation) -> Self {
        Self { signed, location }
    }

    /// Another queue of the same region.
    pub(crate) fn beside(&self, location: QueueLocation) -> Self {
        Self {
            signed: self.signed.clone(),
            location,
        }
    }

    /// Tells whether both are the same queue. Its URL has several forms: other hosts, and other schemes.
    pub(super) fn is_same_queue(&self, other: &Self) -> bool {
        let (own, others) = (&self.location, &other.location);
        self.signed.region == other.signed.region
            && own.account == others.account
            && own.name == others.name
    }

    /// Location of this queue.
    pub(crate) fn location(&self) -> &QueueLocation {
        &self.location
    }

    /// Asks for `action`. SQS may take `wait` before it answers.
    pub(super) async fn call(
        &self,
        action: Action,
        mut request: Value,
        wait: Duration,
    ) -> Result<Value, QueueError> {
        if let Some(members) = request.as_object_mut() {
            members.insert("QueueUrl".to_owned(), json!(self.location.url));
        }
        let body = request.to_string();
        let content = Content {
            sha256: Digest::of(body.as_bytes()).to_hex(),
            body: SdkBody::from(body),
        };
        let headers = [
            ("content-type", "application/x-amz-json-1.0"),
            ("x-amz-target", action.target()),
        ];
        let asked = self.signed.send("POST", "/", &headers, content, MAX_ANSWER);
        // Dropped when the time is up, it retires its connection.
        let answer = match timeout(PATIENCE.saturating_add(wait), asked).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                let kind = kind_of(error.is_permanent());
                return Err(QueueError::new(kind, error.to_string()));
            }
            Err(_) => {
                let origin = &self.location.origin;
                return Err(unavailable(format!("{origin} does not answer in time")));
            }
        };
        let members = members(&answer);
        if answer.is_success() {
            return members.ok_or_else(|| {
                answer_digests::unproven(format!(
                    "what answered ({}) is not SQS, or something in between",
                    answer.status
                ))
            });
        }
        let text = |name: &str| members.as_ref()?.get(name)?.as_str();
        let code = text("__type").unwrap_or_default();
        let said = text("message").or_else(|| text("Message"));
        Err(self.stated(action, answer.status, code, said.unwrap_or_default()))
    }

    /// Meaning of an error that SQS states, of a request or of one entry of it.
    pub(super) fn stated(&self, action: Action, status: u16, code: &str, said: &str) -> QueueError {
        let said = quoted(said);
        let is_refusal = status < 500 && code.contains("InvalidParameterValue");
        if is_refusal && action != Action::Send {
            let message = format!("SQS refuses the request ({})", or_code(&said, code));
            return QueueError::new(QueueErrorKind::Misconfigured, message);
        }
        let context = SqsErrorContext {
            location: &self.location,
            region: &self.signed.region,
            permission: action.permission(),
        };
        context.stated(status, &quoted(code), &said)
    }

    /// A failure as the consumer is told of it.
    pub(super) fn source_error(&self, error: &QueueError) -> EventSourceError {
        let (problem, cure) = self.problem_and_cure(error);
        let told = EventSourceError::new(&self.location.url, problem, cure);
        if error.retryable {
            told.retryable()
        } else {
            told
        }
    }

    /// A failure as whoever opens the queue is told of it.
    pub(super) fn back_end_error(&self, error: &QueueError) -> BackEndError {
        let (problem, cure) = self.problem_and_cure(error);
        let told = BackEndError::new(&self.location.url, format!("fails: {problem}"), cure);
        if error.retryable {
            told.retryable()
        } else {
            told
        }
    }

    /// The parts of a message that says both.
    fn problem_and_cure<'a>(&self, error: &'a QueueError) -> (&'a str, &'a str) {
        let name = format!("queue {}: ", self.location.name);
        let text = error.message.strip_prefix(&name).unwrap_or(&error.message);
        match (told_apart(text), error.kind) {
            (Some(both), _) => both,
            (None, QueueErrorKind::Denied) => ("access is denied", text),
            (None, _) if error.retryable => (text, "it may pass"),
            (None, _) => (
                text,
                "look for what changed at the queue or in these settings",
            ),
        }
    }
}

/// Splits at the first semicolon outside of brackets. SQS's own words stand in brackets.
fn told_apart(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_i32;
    let at = text.find(|character| {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        character == ';' && depth == 0
    })?;
    let (problem, cure) = text.split_at_checked(at)?;
    Some((problem, cure.strip_prefix("; ")?))
}

fn unavailable(message: String) -> QueueError {
    QueueError::new(QueueErrorKind::Unavailable, message)
}

fn or_code<'a>(said: &'a str, code: &'a str) -> &'a str {
    if said.is_empty() { code } else { said }
}

/// The answer's body, if it is a JSON object. SQS may answer a success with nothing at all.
fn members(answer: &Answer) -> Option<Value> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    body.is_object().then_some(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red if a semicolon in SQS's own words cuts the problem in two.
    #[test]
    fn problem_and_cure_are_told_apart_outside_of_quotations() {
        for (text, expected) in [
            ("gone; make it (x; y)", Some(("gone", "make it (x; y)"))),
            ("slow (a; (b; c)); wait", Some(("slow (a; (b; c))", "wait"))),
            ("SQS answered 500 X (a; b)", None),
            ("a;b", None),
            ("", None),
        ] {
            assert_eq!(told_apart(text), expected, "{text}");
        }
    }
}
