//! Requests to Label Studio's API, and what its answers mean.

use super::error::wrong;
use super::token::Token;
use crate::http::{Answer, HttpClient};
use crate::platform::PlatformError;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderValue, Request, StatusCode, Uri};
use serde::Deserialize;

/// An answer that cannot be asked for in smaller parts: one task with all that is in it. What does not fit does
/// not fit into the queue either.
pub(super) const LARGEST_ANSWER: usize = 512 * 1024 * 1024;

/// One installation, seen with one token.
pub(super) struct Api {
    client: HttpClient,
    /// Without a slash at its end.
    base: String,
    refresh: Uri,
    token: Token,
}

impl Api {
    pub(super) fn new(client: HttpClient, base: &str, token: Token) -> Result<Self, PlatformError> {
        let base = base.trim_end_matches('/').to_owned();
        let refresh = uri(&base, "/api/token/refresh/")?;
        Ok(Self {
            client,
            base,
            refresh,
            token,
        })
    }

    /// Gets `path`; `None` when there is nothing.
    pub(super) async fn get(&self, path: &str) -> Result<Option<Answer>, PlatformError> {
        self.get_for(path, LARGEST_ANSWER).await
    }

    /// The same, for an answer of `max_bytes` at most.
    pub(super) async fn get_for(
        &self,
        path: &str,
        max_bytes: usize,
    ) -> Result<Option<Answer>, PlatformError> {
        let uri = uri(&self.base, path)?;
        let mut shown = self.token.shown(&self.client, &self.refresh, None).await?;
        let mut answer = self.send(&uri, &shown, max_bytes).await?;
        if answer.status == StatusCode::UNAUTHORIZED && self.token.is_personal() {
            // The access token has run out.
            shown = self
                .token
                .shown(&self.client, &self.refresh, Some(&shown))
                .await?;
            answer = self.send(&uri, &shown, max_bytes).await?;
        }
        match answer.status {
            StatusCode::OK => Ok(Some(answer)),
            StatusCode::NOT_FOUND => Ok(None),
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                Err(self.token.refused(status))
            }
            status => Err(wrong(&uri, status)),
        }
    }

    async fn send(
        &self,
        uri: &Uri,
        shown: &HeaderValue,
        max_bytes: usize,
    ) -> Result<Answer, PlatformError> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri.clone();
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(AUTHORIZATION, shown.clone());
        Ok(self.client.send_for(&request, max_bytes).await?)
    }
}

/// Reads an answer of the API.
pub(super) fn read<'a, T: Deserialize<'a>>(
    what: &str,
    answer: &'a Answer,
) -> Result<T, PlatformError> {
    serde_json::from_slice(&answer.body).map_err(|error| {
        let looks_like_a_page = answer.body.trim_ascii_start().starts_with(b"<");
        let cure = if looks_like_a_page {
            "it is a web page: see that the URL is that of Label Studio itself, and that no login stands before it"
        } else {
            "see that the URL is that of a Label Studio, of a version that this program knows (1.20 to 1.23)"
        };
        PlatformError::permanent(format!("{what}: is not what Label Studio's API answers ({error}); {cure}"))
    })
}

fn uri(base: &str, path: &str) -> Result<Uri, PlatformError> {
    format!("{base}{path}").parse().map_err(|error| {
        PlatformError::permanent(format!(
            "`{base}` is not the URL of a server ({error}); write it as http://HOST:PORT"
        ))
    })
}
