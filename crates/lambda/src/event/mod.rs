//! The event of one invocation, read as far as a delivery needs it.
//!
//! Whatever front it is of, its head has the type that `lambda_http` has for the commonest,
//! [`ApiGatewayV2httpRequest`]; reading it is our own work, for four reasons. The reader of `lambda_http` copies the
//! whole event as text and parses it again, once for each kind of event that it may be, with one more copy of the body:
//! 12 ms for an event of 5 MB, where the two passes below take 6.6 (base64: 4.9 and 3.3). It refuses the whole event for
//! one member of another kind, an invalid header or a `null`, and a delivery would be lost. Its `Request` panics on
//! invalid base64. And of two lines of a header it keeps one, where the front is a REST API, so that two signatures
//! would pass for one. `differential.rs` holds both readers to the same result for the documents' samples.
//!
//! So: one pass of `serde_json` finds the few members that matter and leaves them where they are; a
//! second one turns the body's text into bytes. Nothing here fails but text that is no JSON at all:
//! errors of `serde` quote what they met, and end up in a log.

mod body;
mod fields;
mod front;
mod mapping;

pub use body::Undecodable;
pub use front::Front;

use crate::event::fields::{Context, Fields};
use crate::event::front::Unserved;
use bytes::Bytes;
use http::{HeaderMap, Method};
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use serde::{Deserialize, Deserializer};

/// The event of an invocation.
#[derive(Debug)]
pub enum Event {
    /// A request.
    Http(Box<HttpEvent>),
    /// A request through a front that is not served, and whose it is.
    OtherHttp(&'static str),
    /// No request at all: a schedule, a test of the console, another service.
    NotHttp,
}

/// A request. `Debug` shows neither headers nor body.
pub struct HttpEvent {
    pub(crate) front: Front,
    /// Path, headers, method, stage, address and time of the request; no body, and nothing else. The stage is there
    /// only where the path may begin with it.
    pub(crate) request: ApiGatewayV2httpRequest,
    pub(crate) body: Result<Bytes, Undecodable>,
}

impl std::fmt::Debug for HttpEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpEvent")
            .field("front", &self.front)
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
        let front = match Front::of(&fields, &context) {
            Ok(front) => front,
            Err(Unserved::Request(whose)) => return Self::OtherHttp(whose),
            Err(Unserved::Other) => return Self::NotHttp,
        };
        let body = fields.body();
        let request = match front {
            Front::PayloadV2 => payload_v2(&fields, context),
            Front::PayloadV1 => payload_v1(&fields, context),
            Front::LoadBalancer { .. } => load_balancer(&fields),
        };
        Self::Http(Box::new(HttpEvent {
            front,
            request,
            body,
        }))
    }
}

fn payload_v2(fields: &Fields<'_>, context: Context) -> ApiGatewayV2httpRequest {
    let mut request = ApiGatewayV2httpRequest::default();
    request.raw_path = fields.raw_path();
    request.headers = fields.headers();
    let of_request = &mut request.request_context;
    of_request.stage = context.stage;
    of_request.time_epoch = context.time_epoch.unwrap_or_default();
    let http = context.http.unwrap_or_default();
    of_request.http.method = method(http.method);
    of_request.http.source_ip = http.source_ip;
    request
}

fn payload_v1(fields: &Fields<'_>, context: Context) -> ApiGatewayV2httpRequest {
    let mut request = ApiGatewayV2httpRequest::default();
    let of_route = fields.path_of_route();
    request.headers = fields.all_header_lines();
    let of_request = &mut request.request_context;
    if of_route.is_none() {
        // An HTTP API with a named stage has it in the path, and its route `$default` says nothing of it.
        of_request.stage = context.stage;
    }
    of_request.time_epoch = context.time_epoch.unwrap_or_default();
    of_request.http.method = method(fields.method());
    of_request.http.source_ip = context.source_ip;
    request.raw_path = of_route.or_else(|| fields.path());
    request
}

/// A load balancer says neither when the request came nor, but in a header, where from.
fn load_balancer(fields: &Fields<'_>) -> ApiGatewayV2httpRequest {
    let mut request = ApiGatewayV2httpRequest::default();
    request.raw_path = fields.path();
    request.headers = fields.all_header_lines();
    let http = &mut request.request_context.http;
    http.method = method(fields.method());
    http.source_ip = last_forwarded(&request.headers);
    request
}

/// No path takes TRACE, so it stands for whatever is no method.
fn method(text: Option<String>) -> Method {
    let text = text.unwrap_or_default();
    Method::from_bytes(text.as_bytes()).unwrap_or(Method::TRACE)
}

/// The address that connected to a load balancer: the balancer appends it. Which of several lines it has appended to,
/// no document says, so of several lines none counts: a sender may have written the last one.
fn last_forwarded(headers: &HeaderMap) -> Option<String> {
    let mut lines = headers.get_all("x-forwarded-for").iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return None;
    };
    let last = line.to_str().ok()?.rsplit(',').next()?.trim();
    (!last.is_empty()).then(|| last.to_owned())
}

#[cfg(test)]
mod differential;
#[cfg(test)]
mod tests;
