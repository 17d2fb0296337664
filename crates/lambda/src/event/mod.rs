//! The event of one invocation, read as far as a delivery needs it.
//!
//! Its head has the type of `lambda_http`, [`ApiGatewayV2httpRequest`]; reading it is our own work, for three
//! reasons. The reader of `lambda_http` copies the whole event as text and parses it again, with one more copy
//! of the body: 12 ms for an event of 5 MB, where the two passes below take 6.6 (base64: 4.9 and 3.3). It
//! refuses the whole event for one member of another kind, an invalid header or a `null`, and a delivery
//! would be lost. And its `Request` panics on invalid base64. `differential.rs` holds both readers to the
//! same result for the documents' samples.
//!
//! So: one pass of `serde_json` finds the few members that matter and leaves them where they are; a
//! second one turns the body's text into bytes. Nothing here fails but text that is no JSON at all:
//! errors of `serde` quote what they met, and end up in a log.

mod body;
mod fields;

pub use body::Undecodable;

use crate::event::fields::Fields;
use bytes::Bytes;
use http::Method;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
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
    /// Path, headers, method, stage, address and time of the request; no body, and nothing else.
    pub(crate) request: ApiGatewayV2httpRequest,
    pub(crate) body: Result<Bytes, Undecodable>,
}

impl std::fmt::Debug for HttpEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpEvent")
            .field("method", &self.request.request_context.http.method)
            .field("path", &self.request.raw_path)
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
            let mut request = ApiGatewayV2httpRequest::default();
            request.raw_path = fields.path();
            request.headers = fields.headers();
            let of_request = &mut request.request_context;
            of_request.stage.clone_from(&context.stage);
            of_request.time_epoch = context.time_epoch.unwrap_or_default();
            let method = http.method.as_deref().unwrap_or_default();
            // No path takes TRACE, so it stands for whatever is no method.
            of_request.http.method = Method::from_bytes(method.as_bytes()).unwrap_or(Method::TRACE);
            of_request.http.source_ip.clone_from(&http.source_ip);
            return Self::Http(Box::new(HttpEvent {
                request,
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
mod differential;
#[cfg(test)]
mod tests;
