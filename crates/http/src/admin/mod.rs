//! The second, loopback address: metrics for Prometheus, reasons, which are not for senders, and a page, where somebody
//! mounts one.

mod host;
mod pages;
mod text_response;

pub use labelrelay_metrics::{ArchiveGauges, LedgerGauges, Metrics, QueueGauges};
pub use pages::PageAnswer;

use crate::options::ServeOptions;
use crate::server::serve_with;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use labelrelay_core::{NoObserver, Relay};
use pages::Page;
use std::sync::Arc;
use std::time::Duration;
use text_response::{PLAIN, text};
use tokio::net::TcpListener;

/// A few scrapers, and a person or two who look.
const MAX_CONNECTIONS: usize = 32;

/// Serves `/metrics` and `/ready` on `listener` until `shutdown` completes, and `page` on every other path. Its
/// connections are counted apart from those of senders: who takes all of theirs takes none of these.
pub async fn serve_admin(
    listener: TcpListener,
    metrics: Arc<Metrics>,
    relay: Arc<Relay>,
    page: Option<PageAnswer>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let page = page.map(Page::new);
    let answer = move |_, _, request| {
        let (metrics, relay) = (Arc::clone(&metrics), Arc::clone(&relay));
        let page = page.clone();
        async move {
            match host::refusal(&request) {
                Some(refused) => refused,
                None => answer(&metrics, &relay, page.as_ref(), request).await,
            }
        }
    };
    serve_with(listener, answer, Arc::new(NoObserver), shutdown, options()).await;
}

/// Serves `page` alone on `listener` until `shutdown` completes.
pub async fn serve_page(
    listener: TcpListener,
    page: PageAnswer,
    shutdown: impl Future<Output = ()> + Send,
) {
    let page = Page::new(page);
    let answer = move |_, _, request| {
        let page = page.clone();
        async move {
            match host::refusal(&request) {
                Some(refused) => refused,
                None => page.answer(request).await,
            }
        }
    };
    serve_with(listener, answer, Arc::new(NoObserver), shutdown, options()).await;
}

fn options() -> ServeOptions {
    ServeOptions::default()
        .with_max_connections(MAX_CONNECTIONS)
        .with_drain(Duration::ZERO)
}

async fn answer(
    metrics: &Metrics,
    relay: &Relay,
    page: Option<&Page>,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let (status, kind, body) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => (StatusCode::OK, Metrics::MEDIA_TYPE, metrics.encode()),
        (&Method::GET, "/ready") => match relay.check().await {
            Ok(()) => (
                StatusCode::OK,
                PLAIN,
                format!("ready\n{}", metrics.queue_lines()),
            ),
            Err(error) => (
                StatusCode::SERVICE_UNAVAILABLE,
                PLAIN,
                format!("not ready: {error}\n{}", metrics.queue_lines()),
            ),
        },
        _ => match page {
            Some(page) => return page.answer(request).await,
            None => (
                StatusCode::NOT_FOUND,
                PLAIN,
                "GET /metrics or /ready\n".to_owned(),
            ),
        },
    };
    text(status, kind, body)
}
