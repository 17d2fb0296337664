//! One request of the host's, from its head to its answer.

use crate::json_response::json;
use crate::redrive;
use crate::route::{Route, route};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use labelrelay_core::Relay;
use labelrelay_http::{Tasks, respond};
use std::net::IpAddr;
use std::sync::Arc;
use tracing::Instrument as _;

/// Header by which the host names an invocation: in requests of its own, and in those that it proxies.
const INVOCATION: [&str; 2] = ["x-azure-functions-invocationid", "x-ms-invocation-id"];

/// Answers what the host sends. Cheap to clone.
#[derive(Clone)]
pub struct Handler {
    relay: Arc<Relay>,
}

impl Handler {
    /// A handler that hands deliveries to `relay`.
    pub fn new(relay: Arc<Relay>) -> Self {
        Self { relay }
    }

    /// Answers one request. The invocation's id stands on every line that it logs.
    pub fn answer(
        &self,
        tasks: Tasks,
        peer: IpAddr,
        mut request: Request<Incoming>,
    ) -> impl Future<Output = Response<Full<Bytes>>> + Send + use<> {
        let relay = Arc::clone(&self.relay);
        let invocation_id = invocation_id(request.headers());
        let span = tracing::error_span!("invocation", invocation_id);
        let answered = async move {
            match route(request.method(), request.uri()) {
                Route::Outside(uri) => {
                    *request.uri_mut() = uri;
                    respond(relay, tasks, Some(peer), request).await
                }
                Route::Redrive => redrive::answer(&relay).await,
                Route::Ping => json(StatusCode::OK, "{}".into()),
                Route::Nowhere => json(StatusCode::NOT_FOUND, "{}".into()),
            }
        };
        answered.instrument(span)
    }
}

/// At most 64 visible characters: in what the host proxies, a sender may have written one of the two.
fn invocation_id(headers: &HeaderMap) -> Option<String> {
    let value = INVOCATION.iter().find_map(|name| headers.get(*name))?;
    let text = value.to_str().ok()?;
    (text.len() <= 64 && text.bytes().all(|b| b.is_ascii_graphic())).then(|| text.to_owned())
}
