//! The HTTP client beneath all of Azure's: hyper and rustls, which are linked for the server anyway.

mod pool;

use async_trait::async_trait;
use azure_core::error::{Error, ErrorKind, Result};
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{
    AsyncRawResponse, Body, ClientOptions, HttpClient, Request, RetryOptions, Transport,
};
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use http_body_util::{BodyDataStream, Full};
use pool::Pool;
use std::sync::{Arc, OnceLock};

/// Options of every client of the SDK: our connections, and no retries but core's.
pub(crate) fn options(client: &Arc<dyn HttpClient>) -> ClientOptions {
    ClientOptions {
        retry: RetryOptions::none(),
        transport: Some(Transport::new(Arc::clone(client))),
        ..ClientOptions::default()
    }
}

/// One client for everything: a connection that the check has opened serves the first delivery.
pub(crate) fn client() -> Arc<dyn HttpClient> {
    Arc::new(LazyPool::default())
}

/// Made with the first request: reading whom this machine trusts takes longer than the rest of a start.
#[derive(Debug, Default)]
struct LazyPool(OnceLock<Pool>);

#[async_trait]
impl HttpClient for LazyPool {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let request = convert(request)?;
        let pool = self.0.get_or_init(Pool::new);
        let _slot = pool.slot().await;
        // Dropped without an answer, by an error or by whoever gave up waiting, it takes the connections
        // that are open now out of use.
        let attempt = pool.attempt();
        let client = pool.client(&attempt);
        let response = client.request(request).await.map_err(failed)?;
        attempt.answered();
        let (head, body) = response.into_parts();
        let headers: Headers = head
            .headers
            .iter()
            .filter_map(|(name, value)| {
                let name = HeaderName::from(name.as_str().to_owned());
                Some((name, HeaderValue::from(value.to_str().ok()?.to_owned())))
            })
            .collect::<std::collections::HashMap<_, _>>()
            .into();
        let body = BodyDataStream::new(body)
            .map_err(|error| Error::with_error(ErrorKind::Io, error, "the answer broke off"));
        Ok(AsyncRawResponse::new(
            head.status.as_u16().into(),
            headers,
            Box::pin(body),
        ))
    }
}

fn convert(request: &Request) -> Result<http::Request<Full<Bytes>>> {
    let Body::Bytes(body) = request.body() else {
        let message = "larger bodies are sent in blocks, never as streams";
        return Err(Error::with_message(ErrorKind::Other, message));
    };
    let mut built = http::Request::builder()
        .method(request.method().as_str())
        .uri(request.url().as_str());
    for (name, value) in request.headers().iter() {
        built = built.header(name.as_str(), value.as_str());
    }
    // The error's text may hold the URL, and that a signature.
    built
        .body(Full::new(body.clone()))
        .map_err(|_| Error::with_message(ErrorKind::Other, "a header or the URL is not one"))
}

fn failed(error: hyper_util::client::legacy::Error) -> Error {
    let kind = if error.is_connect() {
        ErrorKind::Connection
    } else {
        ErrorKind::Io
    };
    Error::new(kind, error)
}
