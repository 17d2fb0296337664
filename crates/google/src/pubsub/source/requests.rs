//! Requests about one subscription: one answer within a time, no retries.

use super::message::Pulled;
use crate::rest::{Rest, RestError};
use bytes::{Bytes, BytesMut};
use http::Method;
use labelrelay_core::{EventSourceError, Settled, chain};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// Longest wait for an answer that nobody has to wait for.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most that is read of an answer to a pull: it is in memory several times. One message, in base64, has 13.4 MB.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// Beginnings of what a subscription that delivers exactly once says of an id: whether the same request may succeed later.
const TRANSIENT: &str = "TRANSIENT_FAILURE";
const PERMANENT: &str = "PERMANENT_FAILURE";

/// The roles that a consumer needs on its subscription.
const ROLES: &str =
    "roles/pubsub.subscriber, and roles/pubsub.viewer to see its dead-letter policy";

pub(super) struct Subscription {
    pub(super) rest: Rest,
    /// Name in Google's cloud.
    pub(super) resource: String,
}

impl Subscription {
    /// The subscription's settings, in JSON.
    pub(super) async fn settings(&self) -> Result<Bytes, EventSourceError> {
        let asked = async {
            let path = format!("/v1/{}", self.resource);
            self.rest.send(self.rest.request(Method::GET, &path)).await
        };
        self.within_patience(asked).await
    }

    /// Settles messages by their ids, a thousand at most; the outcomes are in the ids' order.
    pub(super) async fn settle(
        &self,
        method: &str,
        ids: &[&str],
        seconds: Option<u64>,
    ) -> Result<Vec<Settled>, EventSourceError> {
        let body = match seconds {
            Some(seconds) => json!({ "ackIds": ids, "ackDeadlineSeconds": seconds }),
            None => json!({ "ackIds": ids }),
        };
        let asked = self.rest.send(self.call(method, &body));
        match timeout(PATIENCE, asked).await {
            Ok(Ok(_)) => Ok(vec![Settled::Done; ids.len()]),
            Ok(Err(error)) => self.settled_in_part(&error, ids),
            Err(_) => Err(self.late()),
        }
    }

    /// Outcomes of a request that was refused. A subscription that delivers exactly once names the ids that it did not
    /// settle, and has settled the others.
    fn settled_in_part(
        &self,
        error: &RestError,
        ids: &[&str],
    ) -> Result<Vec<Settled>, EventSourceError> {
        let RestError::Refused { parts, .. } = error else {
            return Err(self.failed(error));
        };
        let outcome = |id: &&str| parts.get(*id).map_or("", String::as_str);
        let any = |beginning: &str| ids.iter().any(|id| outcome(id).starts_with(beginning));
        if any(TRANSIENT) {
            let problem = "some messages could not be settled right now";
            return Err(self.error(problem, "it may pass").retryable());
        }
        if !any(PERMANENT) {
            return Err(self.failed(error));
        }
        let settled = |id: &&str| match outcome(id) {
            "" => Settled::Done,
            _ => Settled::Stale,
        };
        Ok(ids.iter().map(settled).collect())
    }

    /// Pulls, waiting for so long; without `wait`, for as long as an answer takes. A wait that is given up says nothing about
    /// the subscription, which may not be reached at all.
    pub(super) async fn pull(
        &self,
        body: &Value,
        wait: Option<Duration>,
    ) -> Result<Pulled, EventSourceError> {
        let asked = self.read_pull(body);
        let Some(wait) = wait else {
            return self.within_patience(asked).await;
        };
        match timeout(wait, asked).await {
            Ok(answer) => answer.map_err(|error| self.failed(&error)),
            Err(_) => Ok(Pulled::Nothing),
        }
    }

    async fn read_pull(&self, body: &Value) -> Result<Pulled, RestError> {
        let mut answer = self.rest.open(self.call("pull", body)).await?;
        let mut read = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(RestError::Unreachable)? {
            if read.len() + chunk.len() > MAX_ANSWER {
                return Ok(Pulled::TooMuch);
            }
            read.extend_from_slice(&chunk);
        }
        Ok(Pulled::Body(read.freeze()))
    }

    fn call(&self, method: &str, body: &Value) -> reqwest::RequestBuilder {
        let path = format!("/v1/{}:{method}", self.resource);
        self.rest
            .request(Method::POST, &path)
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(body.to_string())
    }

    async fn within_patience<T>(
        &self,
        asked: impl Future<Output = Result<T, RestError>>,
    ) -> Result<T, EventSourceError> {
        match timeout(PATIENCE, asked).await {
            Ok(answer) => answer.map_err(|error| self.failed(&error)),
            Err(_) => Err(self.late()),
        }
    }

    /// An error of this subscription.
    pub(super) fn error(&self, problem: &str, cure: &str) -> EventSourceError {
        EventSourceError::new(&self.resource, problem, cure)
    }

    fn late(&self) -> EventSourceError {
        let late = self.error("no answer came in time", "it may pass");
        late.retryable()
    }

    fn failed(&self, error: &RestError) -> EventSourceError {
        let said = format!("Pub/Sub {}", chain(error));
        if error.is_retryable() {
            return self.error(&said, "it may pass").retryable();
        }
        match error.status().map(|status| status.as_u16()) {
            None => match error.identity() {
                Some(told) => {
                    let problem =
                        format!("no credentials from {}: {}", told.identity, told.problem);
                    self.error(&problem, told.cure)
                }
                None => self.error(
                    &chain(error),
                    "run where a service account is at hand, or set GOOGLE_APPLICATION_CREDENTIALS",
                ),
            },
            Some(404) => self.error("it does not exist", "create it, or correct its URL"),
            Some(401 | 403) => self.error(&said, &format!("give this identity {ROLES}")),
            Some(_) => self.error(&said, "correct its settings, or these"),
        }
    }
}
