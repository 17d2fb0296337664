//! The second, loopback address: metrics for Prometheus, and reasons, which are not for senders.

mod log_lines;
mod metrics;
mod queue;

pub use metrics::Metrics;
pub use queue::QueueFigures;

use crate::accept::{Accept, Accepted};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use labelrelay_core::Relay;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// A few scrapers, and a person who looks.
const MAX_CONNECTIONS: usize = 32;

/// Serves `/metrics` and `/ready` on `listener` until `shutdown` completes.
pub async fn serve_admin(
    listener: TcpListener,
    metrics: Arc<Metrics>,
    relay: Arc<Relay>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let mut shutdown = std::pin::pin!(shutdown);
    let mut accept = Accept::new(listener, MAX_CONNECTIONS);
    loop {
        let accepted = std::pin::pin!(accept.next());
        let Accepted { stream, slot, .. } =
            match futures_util::future::select(&mut shutdown, accepted).await {
                futures_util::future::Either::Left(_) => return,
                futures_util::future::Either::Right((accepted, _)) => accepted,
            };
        let (metrics, relay) = (Arc::clone(&metrics), Arc::clone(&relay));
        let service = service_fn(move |request| {
            let (metrics, relay) = (Arc::clone(&metrics), Arc::clone(&relay));
            async move { Ok::<_, Infallible>(answer(&metrics, &relay, &request).await) }
        });
        tokio::spawn(async move {
            let _slot = slot;
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(10))
                .serve_connection(TokioIo::new(stream), service);
            // A scraper that hangs up is no concern of anybody's.
            let _ = connection.await;
        });
    }
}

async fn answer(
    metrics: &Metrics,
    relay: &Relay,
    request: &Request<Incoming>,
) -> Response<Full<Bytes>> {
    let (status, kind, body) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => (StatusCode::OK, Metrics::MEDIA_TYPE, metrics.encode()),
        (&Method::GET, "/ready") => match relay.check().await {
            Ok(()) => (
                StatusCode::OK,
                "text/plain; charset=utf-8",
                format!("ready\n{}", metrics.queue_lines()),
            ),
            Err(error) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "text/plain; charset=utf-8",
                format!("not ready: {error}\n{}", metrics.queue_lines()),
            ),
        },
        _ => (
            StatusCode::NOT_FOUND,
            "text/plain; charset=utf-8",
            "GET /metrics or /ready\n".to_owned(),
        ),
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
