//! Google's JSON APIs: one request, one answer, no retries.

use crate::identity::{NoCredentials, no_credentials};
use bytes::Bytes;
use google_cloud_auth::credentials::{CacheableResource, Credentials};
use http::{Extensions, Method, StatusCode};
use reqwest::{RequestBuilder, Response};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One of Google's services.
#[derive(Debug, Clone)]
pub(crate) struct Rest {
    pub(crate) http: reqwest::Client,
    /// Scheme and host.
    pub(crate) base: String,
    /// `None` for emulators.
    pub(crate) credentials: Option<Credentials>,
}

/// Why there is no answer that helps.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RestError {
    #[error("cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    // Without its cause, which would quote what came: that may be a token.
    #[error("{}", told(.0))]
    Credentials(google_cloud_gax::error::CredentialsError),
    #[error("answered {status}: {message}")]
    Refused {
        status: StatusCode,
        message: String,
        /// The service's words on parts of the request, by the parts' names.
        parts: BTreeMap<String, String>,
    },
    // Without its cause, which would quote what came: that may be a secret.
    #[error("sent an answer that cannot be understood")]
    Garbled,
}

impl RestError {
    /// A refusal of the whole request.
    pub(crate) fn refused(status: StatusCode, message: String) -> Self {
        Self::Refused {
            status,
            message,
            parts: BTreeMap::new(),
        }
    }

    pub(crate) fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The error of our identity, if it is one.
    pub(crate) fn identity(&self) -> Option<&NoCredentials> {
        match self {
            Self::Credentials(error) => no_credentials(error),
            _ => None,
        }
    }

    /// Tells whether the same request may succeed if it is made again at once.
    pub(crate) fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Garbled => true,
            Self::Credentials(error) => error.is_transient(),
            Self::Refused { status, .. } => {
                status.is_server_error() || [408, 409, 429].contains(&status.as_u16())
            }
        }
    }
}

fn told(error: &google_cloud_gax::error::CredentialsError) -> String {
    match no_credentials(error) {
        Some(told) => told.to_string(),
        None => "is not asked, for no credentials can be got".to_owned(),
    }
}

/// Reads an answer.
pub(crate) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, RestError> {
    serde_json::from_slice(body).map_err(|_| RestError::Garbled)
}

/// Body of a refusal by one of Google's services.
#[derive(Deserialize)]
struct Refusal {
    error: Reason,
}

#[derive(Deserialize)]
struct Reason {
    message: String,
    /// Of several types. An `ErrorInfo` has `metadata`: names and texts.
    #[serde(default)]
    details: Vec<Value>,
}

impl Rest {
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    /// Tells whether an emulator answers here.
    pub(crate) fn is_emulator(&self) -> bool {
        self.credentials.is_none()
    }

    /// Sends a request with our credentials; its answer's body.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Bytes, RestError> {
        let answer = self.open(request).await?;
        answer.bytes().await.map_err(RestError::Unreachable)
    }

    /// The same, with the body still to be read.
    pub(crate) async fn open(&self, request: RequestBuilder) -> Result<Response, RestError> {
        let request = match &self.credentials {
            Some(credentials) => request.headers(headers(credentials).await?),
            None => request,
        };
        let answer = request.send().await.map_err(RestError::Unreachable)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let body = answer.bytes().await.map_err(RestError::Unreachable)?;
        let (message, parts) = reason(&body);
        Err(RestError::Refused {
            status,
            message,
            parts,
        })
    }
}

async fn headers(credentials: &Credentials) -> Result<http::HeaderMap, RestError> {
    match credentials.headers(Extensions::new()).await {
        Ok(CacheableResource::New { data, .. }) => Ok(data),
        // Said to callers that show what they have; we never do.
        Ok(CacheableResource::NotModified) => Ok(http::HeaderMap::new()),
        Err(error) => Err(RestError::Credentials(error)),
    }
}

/// The service's own words, or nothing; and those on parts of the request.
fn reason(body: &[u8]) -> (String, BTreeMap<String, String>) {
    const MAX: usize = 300;
    let Ok(refusal) = serde_json::from_slice::<Refusal>(body) else {
        return ("no reason given".to_owned(), BTreeMap::new());
    };
    let said = refusal.error.message.chars();
    let message = said.filter(|c| !c.is_control()).take(MAX).collect();
    let metadata = refusal.error.details.into_iter().filter_map(|mut detail| {
        let metadata = detail.get_mut("metadata")?.take();
        serde_json::from_value::<BTreeMap<String, String>>(metadata).ok()
    });
    (message, metadata.flatten().collect())
}
