//! Requests to Labelbox's GraphQL API, and the meaning of its answers.

use crate::http::{Answer, HttpClient};
use crate::platform::PlatformError;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use jiff::Timestamp;
use labelrelay_core::Secret;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Endpoint of Labelbox's own client.
pub const ENDPOINT: &str = "https://api.labelbox.com/graphql";

/// Of a message from the other side, so much is shown.
const SHOWN_CHARACTERS: usize = 200;

/// An answer to a change: the one thing that was changed.
const LARGEST_CHANGE: usize = 16 * 1024 * 1024;

/// One workspace, seen with one key.
pub(super) struct Api {
    client: HttpClient,
    endpoint: Uri,
    key: Secret,
    authorization: HeaderValue,
    /// Right that the member whose key it is must have.
    right: &'static str,
}

/// An answer's content.
pub(super) struct GraphqlAnswer<T> {
    /// The data that was asked for; `None` when there is no such thing.
    pub(super) data: Option<T>,
    /// Labelbox's time.
    pub(super) now: Option<Timestamp>,
}

/// The beginning of what Labelbox says to a key that asks too often, with whatever status, as its own client knows it.
const TOO_OFTEN: &str = "You have exceeded";

#[derive(Deserialize)]
struct Answered<T> {
    data: Option<T>,
    #[serde(default)]
    errors: Vec<GraphqlError>,
    /// In place of both, where the question was not even looked at.
    message: Option<String>,
}

#[derive(Deserialize)]
struct GraphqlError {
    #[serde(default)]
    message: String,
    #[serde(default)]
    extensions: Extensions,
}

#[derive(Deserialize, Default)]
struct Extensions {
    #[serde(default)]
    code: String,
    /// The cause in Labelbox's own words; its member `status` is one of HTTP.
    #[serde(default)]
    exception: Value,
}

impl Extensions {
    /// Tells whether Labelbox failed, so that the same question may be answered later. It calls many mistakes of whoever
    /// asks an error of its own; those have a status of 4xx.
    fn is_failure(&self) -> bool {
        let status = self.exception.get("status");
        let number = status.and_then(|status| match status {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64(),
        });
        self.code == "INTERNAL_SERVER_ERROR" && number.is_none_or(|number: u64| number >= 500)
    }
}

impl Api {
    pub(super) fn new(
        client: HttpClient,
        endpoint: &str,
        key: Secret,
        right: &'static str,
    ) -> Result<Self, PlatformError> {
        let endpoint = endpoint.parse().map_err(|error| {
            PlatformError::permanent(format!(
                "`{endpoint}` is not a URL ({error}); write it as {ENDPOINT}"
            ))
        })?;
        let value = [b"Bearer ", key.expose()].concat();
        let mut authorization = HeaderValue::from_bytes(&value).map_err(|_| {
            PlatformError::permanent(
                "the API key holds characters that no key has: see that it is alone in its place, on one line",
            )
        })?;
        authorization.set_sensitive(true);
        Ok(Self {
            client,
            endpoint,
            key,
            authorization,
            right,
        })
    }

    /// Asks; values go as variables, never into the text.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        query: &str,
        variables: Value,
    ) -> Result<GraphqlAnswer<T>, PlatformError> {
        let answer = self.client.send(&self.request(query, &variables)).await?;
        self.read(&answer)
    }

    /// Asks once, for what makes something. An error that is retryable says that nobody knows whether it was made.
    pub(super) async fn ask_once<T: DeserializeOwned>(
        &self,
        query: &str,
        variables: Value,
    ) -> Result<GraphqlAnswer<T>, PlatformError> {
        let request = self.request(query, &variables);
        let answer = self.client.send_once(&request, LARGEST_CHANGE).await?;
        if answer.status.is_server_error() {
            return Err(passing(format!(
                "{}: answered {}",
                self.endpoint, answer.status
            )));
        }
        self.read(&answer)
    }

    fn request(&self, query: &str, variables: &Value) -> Request<Bytes> {
        let body = serde_json::json!({ "query": query, "variables": variables });
        let mut request = Request::new(Bytes::from(body.to_string()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.clone();
        let json = HeaderValue::from_static("application/json");
        let headers = request.headers_mut();
        headers.insert(ACCEPT, json.clone());
        headers.insert(CONTENT_TYPE, json);
        headers.insert(AUTHORIZATION, self.authorization.clone());
        request
    }

    fn read<T: DeserializeOwned>(
        &self,
        answer: &Answer,
    ) -> Result<GraphqlAnswer<T>, PlatformError> {
        if matches!(
            answer.status,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        ) {
            return Err(self.refused(answer.status.as_str()));
        }
        let answered: Answered<T> = serde_json::from_slice(&answer.body).map_err(|error| {
            PlatformError::permanent(format!(
                "{}: answered {}, and not what Labelbox's API answers ({error}); see that the URL is its GraphQL endpoint",
                self.endpoint, answer.status
            ))
        })?;
        let too_often = answered
            .message
            .filter(|message| message.starts_with(TOO_OFTEN));
        if let Some(message) = too_often {
            return Err(passing(format!(
                "Labelbox is asked too often with the API key {}, from here or by others ({}): wait some minutes, then try again",
                self.key.name(),
                shown(&message)
            )));
        }
        let now = answer.date();
        match answered.errors.first() {
            // Nothing without a reason is no answer: it must not pass for "there is no such thing".
            None if answered.data.is_none() || !answer.status.is_success() => {
                Err(PlatformError::permanent(format!(
                    "{}: answered {}, and does not say what it was asked; see that the URL is Labelbox's GraphQL endpoint",
                    self.endpoint, answer.status
                )))
            }
            None => Ok(GraphqlAnswer {
                data: answered.data,
                now,
            }),
            Some(error) => self
                .explain(error)
                .map(|()| GraphqlAnswer { data: None, now }),
        }
    }

    /// `Ok` when the error only says that there is no such thing.
    fn explain(&self, error: &GraphqlError) -> Result<(), PlatformError> {
        match error.extensions.code.as_str() {
            "RESOURCE_NOT_FOUND" => Ok(()),
            code @ ("AUTHENTICATION_ERROR" | "AUTHORIZATION_ERROR") => Err(self.refused(code)),
            code => Err(PlatformError {
                is_retryable: error.extensions.is_failure(),
                ..PlatformError::permanent(format!(
                    "Labelbox answered an error ({}): {}",
                    shown(code),
                    shown(&error.message)
                ))
            }),
        }
    }

    fn refused(&self, how: &str) -> PlatformError {
        PlatformError::permanent(format!(
            "Labelbox refuses the API key ({}, fingerprint {}, answer {how}): see that it is whole, not revoked, and of a member who may {}",
            self.key.name(),
            self.key.fingerprint(),
            self.right
        ))
    }

    /// The bytes of a part of an export. The address is its own proof: the key is not shown to it.
    pub(super) async fn download(&self, url: &str) -> Result<Bytes, PlatformError> {
        let uri: Uri = url.parse().map_err(|error| {
            PlatformError::permanent(format!("Labelbox names a file that has no URL ({error})"))
        })?;
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri;
        let answer = self.client.send(&request).await?;
        if answer.status != StatusCode::OK {
            return Err(PlatformError::permanent(format!(
                "a part of the export was answered with {}; the next run asks for another export",
                answer.status
            )));
        }
        Ok(answer.body)
    }
}

/// An error that may pass by itself.
fn passing(message: String) -> PlatformError {
    PlatformError {
        is_retryable: true,
        ..PlatformError::permanent(message)
    }
}

/// The beginning of a text from the other side, as it may stand in a message.
pub(super) fn shown(text: &str) -> String {
    let beginning: String = text.chars().take(SHOWN_CHARACTERS).collect();
    beginning.escape_debug().to_string()
}
