//! A sender of webhooks and of telemetry: one connection, one request, one answer. Follows no redirect, as a followed
//! one would turn a delivery into a GET without body.
//!
//! It trusts what this machine trusts, and knows neither a proxy nor a pool: whoever wants a connection kept keeps it.

mod trusted_roots;

pub use trusted_roots::TrustedRoots;

use bytes::Bytes;
use http::header::{CONNECTION, HOST};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::ServerName;

/// An answer of a relay is a small JSON object; whatever else is there, this much of it is enough.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Longer than any platform waits.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A whole answer.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Body.
    pub body: Bytes,
}

/// Reason why there is no answer.
#[derive(Debug)]
#[non_exhaustive]
pub struct NoAnswer {
    message: String,
    /// Nobody listens there.
    pub refused: bool,
    /// It stays so until somebody puts it right, here or there.
    pub needs_mending: bool,
}

impl From<String> for NoAnswer {
    fn from(message: String) -> Self {
        Self {
            message,
            refused: false,
            needs_mending: false,
        }
    }
}

/// An exchange without an answer.
#[derive(Debug)]
pub struct BrokeOff {
    /// What happened.
    pub message: String,
    /// The other side ended the connection before it said anything.
    pub is_end: bool,
}

impl From<String> for BrokeOff {
    fn from(message: String) -> Self {
        Self {
            message,
            is_end: false,
        }
    }
}

impl From<BrokeOff> for NoAnswer {
    fn from(broken: BrokeOff) -> Self {
        broken.message.into()
    }
}

impl std::fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

/// Sends `request`, whose URI is whole, and waits for the answer.
///
/// # Errors
/// [`NoAnswer`] if there is none within 30 s.
pub async fn send(request: Request<Bytes>) -> Result<Answer, NoAnswer> {
    match tokio::time::timeout(TIMEOUT, exchange(request)).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("no answer within {} s", TIMEOUT.as_secs()).into()),
    }
}

async fn exchange(request: Request<Bytes>) -> Result<Answer, NoAnswer> {
    let uri = request.uri().clone();
    let mut connection = Connection::open(&uri, &TrustedRoots::default()).await?;
    let response = connection.exchange(request).await?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES)
        .collect()
        .await
        .map_err(|error| format!("the answer broke off: {error}"))?
        .to_bytes();
    Ok(Answer { status, body })
}

/// What a URL says of a connection.
struct Target<'u> {
    host: &'u str,
    /// The host without the brackets of IPv6.
    bare: &'u str,
    port: u16,
    is_tls: bool,
}

impl<'u> Target<'u> {
    fn of(uri: &'u Uri) -> Result<Self, String> {
        let host = uri
            .host()
            .ok_or_else(|| "the URL names no host".to_owned())?;
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err("the URL begins with neither http:// nor https://".to_owned()),
        };
        Ok(Self {
            host,
            bare: host.trim_start_matches('[').trim_end_matches(']'),
            port: uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 }),
            is_tls,
        })
    }
}

/// A connection to the host of a URL.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    task: JoinHandle<hyper::Result<()>>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Connection {
    /// Connects to the host of `uri`.
    ///
    /// # Errors
    /// [`NoAnswer`] if the URL names no host that can be reached and, with `https`, trusted.
    pub async fn open(uri: &Uri, roots: &TrustedRoots) -> Result<Self, NoAnswer> {
        let target = Target::of(uri)?;
        let stream = TcpStream::connect((target.bare, target.port)).await;
        Self::on(stream, &target, roots).await
    }

    /// The same, to one of these addresses, which whoever calls looked up and approved of.
    ///
    /// # Errors
    /// As those of [`open`](Self::open).
    pub async fn open_at(
        uri: &Uri,
        addresses: &[SocketAddr],
        roots: &TrustedRoots,
    ) -> Result<Self, NoAnswer> {
        let target = Target::of(uri)?;
        let stream = TcpStream::connect(addresses).await;
        Self::on(stream, &target, roots).await
    }

    async fn on(
        stream: std::io::Result<TcpStream>,
        target: &Target<'_>,
        roots: &TrustedRoots,
    ) -> Result<Self, NoAnswer> {
        let Target {
            host,
            bare,
            port,
            is_tls,
        } = *target;
        let stream = stream.map_err(|error| NoAnswer {
            message: format!("cannot connect to {host}:{port}: {error}"),
            refused: error.kind() == ErrorKind::ConnectionRefused,
            needs_mending: false,
        })?;
        // One request in two segments would wait for the other side's delayed acknowledgement.
        let _ = stream.set_nodelay(true);
        if !is_tls {
            return Ok(Self::over(stream).await?);
        }
        let name =
            ServerName::try_from(bare.to_owned()).map_err(|error| format!("{host}: {error}"))?;
        let stream = roots
            .connector()
            .await?
            .connect(name, stream)
            .await
            .map_err(|error| NoAnswer {
                message: format!("{host}:{port}: {}", no_tls(&error)),
                refused: false,
                needs_mending: is_mistrust(&error),
            })?;
        Ok(Self::over(stream).await?)
    }

    async fn over<S>(stream: S) -> Result<Self, String>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = hyper::client::conn::http1::Builder::new()
            // Header names as the platforms write them.
            .title_case_headers(true)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| failed(&error))?;
        let task = tokio::spawn(connection);
        Ok(Self { sender, task })
    }

    /// Tells whether the other side has ended it, as far as is known.
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Sends `request`, whose URI is whole, and waits for the head of the answer.
    ///
    /// # Errors
    /// [`BrokeOff`] if none came.
    pub async fn exchange(
        &mut self,
        request: Request<Bytes>,
    ) -> Result<Response<Incoming>, BrokeOff> {
        let request = with_host(request)?;
        let broke_off = |error: hyper::Error| BrokeOff {
            message: failed(&error),
            is_end: is_end(&error),
        };
        self.sender.ready().await.map_err(broke_off)?;
        let answer = self.sender.send_request(request).await;
        answer.map_err(broke_off)
    }
}

/// Tells whether the other side ended the connection, and not by an answer.
fn is_end(error: &hyper::Error) -> bool {
    let source = std::error::Error::source(error);
    let broken = source.and_then(|source| source.downcast_ref::<std::io::Error>());
    let is_broken = broken.is_some_and(|error| {
        matches!(
            error.kind(),
            ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe
        )
    });
    is_broken || error.is_canceled() || error.is_closed() || error.is_incomplete_message()
}

/// Tells whether a handshake failed for what no time mends: a certificate, or a port that speaks no TLS.
fn is_mistrust(error: &std::io::Error) -> bool {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    matches!(
        cause,
        Some(
            rustls::Error::InvalidCertificate(_)
                | rustls::Error::InvalidMessage(_)
                | rustls::Error::NoCertificatesPresented
        )
    )
}

fn failed(error: &hyper::Error) -> String {
    if error.is_parse() {
        format!("what answers there is not HTTP; a port for TLS needs https:// ({error})")
    } else {
        format!("the exchange broke off: {error}")
    }
}

/// A failed handshake, in words where the usual cause is a port that speaks no TLS.
fn no_tls(error: &std::io::Error) -> String {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    if let Some(rustls::Error::InvalidMessage(_)) = cause {
        return format!("what answers there does not speak TLS; write http:// ({error})");
    }
    match error.kind() {
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset => format!(
            "the other side ended the TLS handshake; if it does not speak TLS, write http:// ({error})"
        ),
        _ => error.to_string(),
    }
}

/// The request with the path alone in its first line, and the host in its header.
fn with_host(request: Request<Bytes>) -> Result<Request<Full<Bytes>>, String> {
    let uri = request.uri().clone();
    let authority = uri
        .authority()
        .map(http::uri::Authority::as_str)
        .unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = HeaderValue::from_str(host).map_err(|error| error.to_string())?;
    let path = uri
        .path_and_query()
        .map_or("/", http::uri::PathAndQuery::as_str);
    let (mut head, body) = request.into_parts();
    head.uri = path
        .parse()
        .map_err(|error: http::uri::InvalidUri| error.to_string())?;
    head.headers.insert(HOST, host);
    head.headers
        .entry(CONNECTION)
        .or_insert(HeaderValue::from_static("keep-alive"));
    Ok(Request::from_parts(head, Full::new(body)))
}
