//! Responses, with the headers that all of them have.

use crate::data::DataError;
use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName,
    REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

/// Scripts and styles are files of ours, and nothing else is asked for, from anywhere. Frames are documents of ours, too:
/// see [`media_document`]. `default-src` does not cover the last three.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

pub(crate) const PLAIN: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const BINARY: &str = "application/octet-stream";

/// A request that is not answered: the status, and why.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) words: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, words: impl Into<String>) -> Self {
        Self {
            status,
            words: words.into(),
        }
    }

    /// As text, for people who opened an address.
    pub(crate) fn as_text(&self) -> Response<Bytes> {
        let words = format!("{}\n", self.words);
        response(self.status, PLAIN, words.into())
    }

    /// As JSON, for the page's script.
    pub(crate) fn as_json(&self) -> Response<Bytes> {
        #[derive(Serialize)]
        struct Words<'a> {
            error: &'a str,
        }
        let words = Words { error: &self.words };
        let body = serde_json::to_vec(&words).unwrap_or_default();
        response(self.status, JSON, body.into())
    }
}

impl From<DataError> for Refusal {
    fn from(error: DataError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error.0)
    }
}

pub(crate) fn response(
    status: StatusCode,
    media_type: &'static str,
    body: Bytes,
) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let fixed = [
        (CONTENT_TYPE, media_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        // Bodies hold personal data: no cache on a disk gets them.
        (CACHE_CONTROL, "no-store"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (OPENER_POLICY, "same-origin"),
    ];
    for (name, value) in fixed {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

pub(crate) fn json(value: &impl Serialize) -> Response<Bytes> {
    match serde_json::to_vec(value) {
        Ok(body) => response(StatusCode::OK, JSON, body.into()),
        Err(error) => {
            let words = format!("the answer cannot be written: {error}");
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, words).as_json()
        }
    }
}

/// The sender's bytes, which a browser saves and never shows.
pub(crate) fn body_file(body: Vec<u8>) -> Response<Bytes> {
    attachment(body, "attachment; filename=\"body\"")
}

/// An event as it is on the queue, which a browser saves as well.
pub(crate) fn event_file(message: Vec<u8>) -> Response<Bytes> {
    attachment(message, "attachment; filename=\"event.json\"")
}

fn attachment(contents: Vec<u8>, disposition: &'static str) -> Response<Bytes> {
    let mut response = response(StatusCode::OK, BINARY, contents.into());
    response
        .headers_mut()
        .insert(CONTENT_DISPOSITION, HeaderValue::from_static(disposition));
    response
}

/// A document with a medium of this origin, for a frame of the page. It runs nothing, has no origin itself, and loads
/// nothing but what `directive` names from that one. The origin has no sign that means something in a policy.
pub(crate) fn media_document(
    document: String,
    media_type: &'static str,
    directive: &'static str,
    origin: &str,
) -> Response<Bytes> {
    let mut response = response(StatusCode::OK, media_type, document.into());
    let policy = format!(
        "default-src 'none'; {directive} {origin}; sandbox; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
    );
    let headers = response.headers_mut();
    // An origin's letters fit into a header. If they did not, the policy of all answers would let nothing load.
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    // It opens nothing, and a browser shows no document that asks for this in a sandbox.
    headers.remove(OPENER_POLICY);
    response
}

/// The answer to another method than this one.
pub(crate) fn wrong_method(right: &'static str) -> Response<Bytes> {
    let words = format!("this address answers {right} alone");
    let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, words);
    let mut response = refusal.as_text();
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(right));
    response
}

/// Lets the browser keep the token. No script reads it, and no other site's request brings it.
pub(crate) fn set_cookie(response: &mut Response<Bytes>, name: &str, token: &str) {
    let cookie = format!("{name}={token}; Path=/; HttpOnly; SameSite=Strict");
    // A token's letters, and a name of ours, fit into a header.
    if let Ok(mut value) = HeaderValue::try_from(cookie) {
        value.set_sensitive(true);
        response.headers_mut().insert(SET_COOKIE, value);
    }
}
