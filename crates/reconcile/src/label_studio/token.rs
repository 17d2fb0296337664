//! The credential: a legacy token is sent unchanged; a personal access token (a JWT) is exchanged for one
//! that lives for minutes.

use super::error::wrong;
use crate::http::HttpClient;
use crate::platform::PlatformError;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use labelrelay_core::Secret;
use serde::Deserialize;
use tokio::sync::Mutex;

/// Shows that we may ask.
pub(super) struct Token {
    secret: Secret,
    /// The access token that a personal access token was last exchanged for.
    access: Mutex<Option<HeaderValue>>,
}

#[derive(Deserialize)]
struct Exchanged {
    access: String,
}

impl Token {
    pub(super) fn new(secret: Secret) -> Self {
        Self {
            secret,
            access: Mutex::new(None),
        }
    }

    /// Three parts between dots; a legacy token has none.
    pub(super) fn is_personal(&self) -> bool {
        self.secret.expose().split(|b| *b == b'.').count() == 3
    }

    /// The value of the header `Authorization`. `used` was refused just now: a new one is fetched, unless
    /// somebody else did.
    pub(super) async fn shown(
        &self,
        client: &HttpClient,
        refresh: &Uri,
        used: Option<&HeaderValue>,
    ) -> Result<HeaderValue, PlatformError> {
        if !self.is_personal() {
            return header("Token", self.secret.expose());
        }
        let mut access = self.access.lock().await;
        if let Some(access) = access.as_ref().filter(|access| used != Some(*access)) {
            return Ok(access.clone());
        }
        let fresh = self.exchange(client, refresh).await?;
        *access = Some(fresh.clone());
        Ok(fresh)
    }

    async fn exchange(&self, client: &HttpClient, uri: &Uri) -> Result<HeaderValue, PlatformError> {
        let token = String::from_utf8_lossy(self.secret.expose());
        let body = serde_json::json!({ "refresh": token }).to_string();
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri.clone();
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
        let answer = client.send(&request).await?;
        match answer.status {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST => {
                return Err(PlatformError::permanent(format!(
                    "Label Studio refuses the personal access token ({}, answer {}): it ran out or was revoked; make a new one (Account & Settings) and put it there",
                    self.secret.name(),
                    answer.status.as_u16()
                )));
            }
            status => return Err(wrong(uri, status)),
        }
        let exchanged: Exchanged = serde_json::from_slice(&answer.body).map_err(|error| {
            PlatformError::permanent(format!(
                "{}: is no answer of Label Studio ({error}); see that the URL is its address",
                uri.path()
            ))
        })?;
        header("Bearer", exchanged.access.as_bytes())
    }

    /// The error for a token that is refused.
    pub(super) fn refused(&self, status: StatusCode) -> PlatformError {
        let kind = if self.is_personal() {
            "personal access token"
        } else {
            "token"
        };
        let right = if status == StatusCode::FORBIDDEN {
            "that its user has the right to this, "
        } else {
            ""
        };
        PlatformError::permanent(format!(
            "Label Studio refuses the {kind} ({}, fingerprint {}, answer {}): see {right}that it is whole, of this installation, and that its kind is allowed (Organization, API tokens settings)",
            self.secret.name(),
            self.secret.fingerprint(),
            status.as_u16()
        ))
    }
}

fn header(scheme: &str, token: &[u8]) -> Result<HeaderValue, PlatformError> {
    let value = [scheme.as_bytes(), b" ", token].concat();
    let mut value = HeaderValue::from_bytes(&value).map_err(|_| {
        PlatformError::permanent(
            "the token holds characters that no token has: see that it is alone in its place, on one line",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}
