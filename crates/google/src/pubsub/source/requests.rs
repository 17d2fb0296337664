//! Requests about one subscription: one answer within a time, no retries.

use super::message::Pulled;
use crate::rest::{Rest, RestError};
use bytes::{Bytes, BytesMut};
use http::Method;
use labelrelay_core::{EventSourceError, chain};
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;

/// Longest wait for an answer that nobody has to wait for.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most that is read of an answer to a pull: it is in memory several times. One message, in base64, has 13.4 MB.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// The roles that a consumer needs on its subscription.
const ROLES: &str =
    "roles/pubsub.subscriber, and roles/pubsub.viewer to see its dead-letter policy";

pub(super) struct Subscription {
    pub(super) rest: Rest,
    /// Name in Google's cloud.
    pub(super) resource: String,
}

/// Why there is no answer that helps.
enum Failed {
    Rest(RestError),
    Late,
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

    /// Calls a method of the subscription whose answer says nothing.
    pub(super) async fn post(&self, method: &str, body: &Value) -> Result<(), EventSourceError> {
        let asked = async { self.rest.send(self.call(method, body)).await };
        self.within_patience(asked).await.map(drop)
    }

    /// Pulls, waiting for so long; without `wait`, for as long as an answer takes.
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
            Ok(answer) => answer.map_err(|error| self.failed(&Failed::Rest(error))),
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
        let answer = match timeout(PATIENCE, asked).await {
            Ok(answer) => answer.map_err(Failed::Rest),
            Err(_) => Err(Failed::Late),
        };
        answer.map_err(|failed| self.failed(&failed))
    }

    /// An error of this subscription.
    pub(super) fn error(&self, problem: &str, cure: &str) -> EventSourceError {
        EventSourceError::new(&self.resource, problem, cure)
    }

    fn failed(&self, failed: &Failed) -> EventSourceError {
        let Failed::Rest(error) = failed else {
            return self
                .error("no answer came in time", "it may pass")
                .passing();
        };
        let said = format!("Pub/Sub {}", chain(error));
        if error.is_retryable() {
            return self.error(&said, "it may pass").passing();
        }
        match error.status().map(|status| status.as_u16()) {
            None => self.error(
                &chain(error),
                "run where a service account is at hand, or set GOOGLE_APPLICATION_CREDENTIALS",
            ),
            Some(404) => self.error("it does not exist", "create it, or correct its URL"),
            Some(401 | 403) => self.error(&said, &format!("give this identity {ROLES}")),
            Some(_) => self.error(&said, "correct its settings, or these"),
        }
    }
}
