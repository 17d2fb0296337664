//! What Lambda hands over: the event of one invocation, read as far as a delivery needs it.
//!
//! `lambda_http` has types for these events, but they are not used. Its `Request` panics on base64 that
//! is none. What lies under it, `LambdaRequest`, keeps a copy of the whole event as text, then parses it
//! again, with one more copy of the body: 12 ms for an event of 5 MB, where the two passes below take 6.6
//! (base64: 4.9 and 3.3). And it has types for every platform, of which this function serves one.
//!
//! So: one pass of `serde_json` finds the few members that matter and leaves them where they are; a
//! second one turns the body's text into bytes. Nothing here fails but text that is no JSON at all:
//! errors of `serde` quote what they met, and end up in a log.

mod body;
mod fields;

pub use body::Undecodable;

use crate::event::fields::Fields;
use bytes::Bytes;
use serde::{Deserialize, Deserializer};

/// The event of an invocation.
#[derive(Debug)]
pub enum Event {
    /// A request, in payload format 2.0: a function URL's or an HTTP API's.
    Http(Box<HttpEvent>),
    /// A request in another format, and whose it is.
    OtherHttp(&'static str),
    /// No request at all: a schedule, a test of the console, another service.
    NotHttp,
}

/// A request in payload format 2.0. `Debug` shows neither headers nor body.
pub struct HttpEvent {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) stage: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) source_ip: Option<String>,
    /// When the platform got the request, in milliseconds since 1970.
    pub(crate) at: Option<i64>,
    pub(crate) body: Result<Bytes, Undecodable>,
}

impl std::fmt::Debug for HttpEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpEvent")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Fields::deserialize(deserializer).map(Self::from)
    }
}

impl From<Fields<'_>> for Event {
    fn from(fields: Fields<'_>) -> Self {
        let context = fields.context();
        let http = context.as_ref().and_then(|context| context.http.as_ref());
        if let (Some(context), Some(http)) = (&context, http)
            && fields.version().as_deref() == Some("2.0")
        {
            return Self::Http(Box::new(HttpEvent {
                method: http.method.clone().unwrap_or_default(),
                path: fields.path().unwrap_or_default(),
                stage: context.stage.clone(),
                headers: fields.headers(),
                source_ip: http.source_ip.clone(),
                at: context.time_epoch,
                body: fields.body(),
            }));
        }
        match context {
            Some(context) if context.elb => Self::OtherHttp("a load balancer"),
            Some(context) if context.websocket => Self::OtherHttp("a WebSocket API"),
            _ if fields.has_http_method => {
                Self::OtherHttp("an API Gateway with payload format 1.0")
            }
            _ => Self::NotHttp,
        }
    }
}

#[cfg(test)]
mod tests;
