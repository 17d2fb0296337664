//! Requests to Label Studio's API, and what its answers mean.

use super::error::wrong;
use super::token::Token;
use crate::http::{Answer, HttpClient};
use crate::platform::PlatformError;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use serde::Deserialize;
use serde_json::Value;

/// An answer that cannot be asked for in smaller parts: one task with all that is in it. What does not fit does
/// not fit into the queue either.
pub(super) const LARGEST_ANSWER: usize = 512 * 1024 * 1024;

/// An answer to a change: the one thing that was changed.
const LARGEST_CHANGE: usize = 16 * 1024 * 1024;

/// Number of times that a request may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tries {
    /// Until it is answered: it changes nothing, or the same however often it is sent.
    Several,
    /// Once: it makes something.
    One,
}

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
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri.clone();
        let answer = self.exchange(request, max_bytes, Tries::Several).await?;
        match answer.status {
            StatusCode::OK => Ok(Some(answer)),
            StatusCode::NOT_FOUND => Ok(None),
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                Err(self.token.refused(status))
            }
            status => Err(wrong(&uri, status)),
        }
    }

    /// Sends a change. The answer may be a refusal, but for that of the token.
    pub(super) async fn change(
        &self,
        method: Method,
        path: &str,
        value: Option<&Value>,
        tries: Tries,
    ) -> Result<Answer, PlatformError> {
        let body = value.map(ToString::to_string).unwrap_or_default();
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri(&self.base, path)?;
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
        let answer = self.exchange(request, LARGEST_CHANGE, tries).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            return Err(self.token.refused(answer.status));
        }
        Ok(answer)
    }

    /// Shows the token with a request, and another access token where the first one has run out: what was refused
    /// with 401 was not carried out.
    async fn exchange(
        &self,
        mut request: Request<Bytes>,
        max_bytes: usize,
        tries: Tries,
    ) -> Result<Answer, PlatformError> {
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(ACCEPT, json);
        let shown = self.token.shown(&self.client, &self.refresh, None).await?;
        request.headers_mut().insert(AUTHORIZATION, shown.clone());
        let answer = self.send(&request, max_bytes, tries).await?;
        if answer.status != StatusCode::UNAUTHORIZED || !self.token.is_personal() {
            return Ok(answer);
        }
        let refresh = &self.refresh;
        let fresh = self.token.shown(&self.client, refresh, Some(&shown));
        request.headers_mut().insert(AUTHORIZATION, fresh.await?);
        self.send(&request, max_bytes, tries).await
    }

    async fn send(
        &self,
        request: &Request<Bytes>,
        max_bytes: usize,
        tries: Tries,
    ) -> Result<Answer, PlatformError> {
        Ok(match tries {
            Tries::Several => self.client.send_for(request, max_bytes).await?,
            Tries::One => self.client.send_once(request, max_bytes).await?,
        })
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
