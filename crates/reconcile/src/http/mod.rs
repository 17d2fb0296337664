//! A client of management APIs: keeps its connections, tries again within bounds, and is never faster than
//! it was told to be.

mod connector;
mod error;
mod proxies;
mod rate_limiter;
mod retry;

pub use error::HttpError;
pub use proxies::Proxies;

use bytes::{Bytes, BytesMut};
use connector::Connector;
use http::header::{DATE, PROXY_AUTHORIZATION, RETRY_AFTER};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Body as _;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use jiff::Timestamp;
use labelrelay_core::Entropy;
use rate_limiter::RateLimiter;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Settings by which a client treats a server.
#[derive(Clone)]
#[non_exhaustive]
pub struct HttpOptions {
    /// One attempt takes no longer, from the connection to the last byte of the answer.
    pub timeout: Duration,
    /// Attempts of one request in all.
    pub attempts: u32,
    /// `true` if a request is sent again after its answer did not come in time. `false` where somebody waits for the
    /// outcome: one time-out is enough.
    pub retries_late: bool,
    /// Requests a second, at most; `None`: as many as are answered.
    pub per_second: Option<f64>,
    /// Largest answer in bytes: all of it is in memory.
    pub max_answer_bytes: usize,
    /// Proxies by which the server is asked.
    pub proxies: Proxies,
    /// Spreads the pauses between attempts.
    pub entropy: Arc<dyn Entropy>,
}

impl HttpOptions {
    /// The usual ones.
    pub fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self {
            timeout: Duration::from_secs(120),
            attempts: 6,
            retries_late: true,
            per_second: None,
            max_answer_bytes: 512 * 1024 * 1024,
            proxies: Proxies::default(),
            entropy,
        }
    }
}

impl fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpOptions")
            .field("timeout", &self.timeout)
            .field("attempts", &self.attempts)
            .field("retries_late", &self.retries_late)
            .field("per_second", &self.per_second)
            .field("max_answer_bytes", &self.max_answer_bytes)
            .field("proxies", &self.proxies)
            .finish_non_exhaustive()
    }
}

/// A client of one server.
#[derive(Debug)]
pub struct HttpClient {
    pool: Pool<HttpsConnector<Connector>, Full<Bytes>>,
    options: HttpOptions,
    rate_limiter: RateLimiter,
}

/// An answer that came whole, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Answer {
    /// The server's time.
    pub fn date(&self) -> Option<Timestamp> {
        let text = self.headers.get(DATE)?.to_str().ok()?;
        jiff::fmt::rfc2822::parse(text)
            .ok()
            .map(|time| time.timestamp())
    }

    /// Time for which the server asks us to stay away.
    fn retry_after(&self) -> Option<Duration> {
        let text = self.headers.get(RETRY_AFTER)?.to_str().ok()?;
        if let Ok(seconds) = text.trim().parse() {
            return Some(Duration::from_secs(seconds));
        }
        // An HTTP date: counted by the server's own clock, for ours may differ.
        let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
        Duration::try_from(until.duration_since(self.date()?)).ok()
    }
}

impl HttpClient {
    /// A client that trusts the certificate authorities of this machine.
    ///
    /// # Errors
    /// When there are none.
    pub fn new(options: HttpOptions) -> Result<Self, HttpError> {
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| HttpError::no_authorities(&error))?
            .https_or_http()
            .enable_http1()
            .wrap_connector(Connector::new(options.proxies.clone()));
        let pool = Pool::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(connector);
        let rate_limiter = RateLimiter::new(options.per_second);
        Ok(Self {
            pool,
            options,
            rate_limiter,
        })
    }

    /// Sends a request until there is an answer that trying again would not change. Only for requests that
    /// change nothing, or the same however often they are sent.
    ///
    /// # Errors
    /// [`HttpError`] when there is none after all attempts, or when it is too large.
    pub async fn send(&self, request: &Request<Bytes>) -> Result<Answer, HttpError> {
        self.send_for(request, self.options.max_answer_bytes).await
    }

    /// The same, for an answer of `max_bytes` at most.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_for(
        &self,
        request: &Request<Bytes>,
        max_bytes: usize,
    ) -> Result<Answer, HttpError> {
        let mut attempt = 1;
        loop {
            self.rate_limiter.wait().await;
            let outcome = self.attempt(request, max_bytes).await;
            let last = attempt >= self.options.attempts;
            let pause = match &outcome {
                Ok(answer) if retry::is_retryable(answer.status) => answer.retry_after(),
                Err(error) if error.is_late() && !self.options.retries_late => return outcome,
                Err(error) if error.is_retryable() => None,
                _ => return outcome,
            };
            if last {
                return match outcome {
                    Ok(answer) => Err(HttpError::keeps_failing(request.uri(), answer.status)),
                    Err(error) => Err(error),
                };
            }
            let pause = retry::pause(attempt, pause, &*self.options.entropy);
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    /// Sends a request that makes something once; the answer, whatever its status. Without an answer nobody knows
    /// whether it was made, and a second request would make it twice. Only a server that is asked too often (429) is
    /// asked again, after a pause: it sends requests away before it looks at them.
    ///
    /// # Errors
    /// [`HttpError`] when there is no answer, when it is too large, or when it is 429 to every attempt.
    pub async fn send_once(
        &self,
        request: &Request<Bytes>,
        max_bytes: usize,
    ) -> Result<Answer, HttpError> {
        let mut attempt = 1;
        loop {
            self.rate_limiter.wait().await;
            let answer = self.attempt(request, max_bytes).await?;
            if answer.status != StatusCode::TOO_MANY_REQUESTS {
                return Ok(answer);
            }
            if attempt >= self.options.attempts {
                return Err(HttpError::keeps_failing(request.uri(), answer.status));
            }
            let pause = retry::pause(attempt, answer.retry_after(), &*self.options.entropy);
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    async fn attempt(
        &self,
        request: &Request<Bytes>,
        max_bytes: usize,
    ) -> Result<Answer, HttpError> {
        let uri = request.uri();
        match tokio::time::timeout(self.options.timeout, self.exchange(request, max_bytes)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(HttpError::late(uri, self.options.timeout)),
        }
    }

    async fn exchange(
        &self,
        request: &Request<Bytes>,
        max_bytes: usize,
    ) -> Result<Answer, HttpError> {
        let uri = request.uri();
        let proxies = &self.options.proxies;
        let mut sent = request.clone().map(Full::new);
        if let Some(authorization) = proxies.authorization(uri) {
            let headers = sent.headers_mut();
            headers.insert(PROXY_AUTHORIZATION, authorization);
        }
        let answer = self.pool.request(sent).await;
        let (head, mut body) = answer
            .map_err(|error| HttpError::no_answer(uri, &proxies.words(uri), &error))?
            .into_parts();
        if head.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            return Err(HttpError::proxy_refuses(uri, &proxies.words(uri)));
        }
        let hint = usize::try_from(body.size_hint().lower()).unwrap_or_default();
        let mut bytes = BytesMut::with_capacity(hint.min(max_bytes));
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| HttpError::broke_off(uri, &error))?;
            if let Some(data) = frame.data_ref() {
                if bytes.len() + data.len() > max_bytes {
                    return Err(HttpError::too_large(uri, max_bytes));
                }
                bytes.extend_from_slice(data);
            }
        }
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: bytes.freeze(),
        })
    }
}
