//! Connections to servers: direct ones, and those through a proxy.

use super::proxies::{Proxies, is_encrypted};
use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;
use std::error::Error as StdError;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::net::TcpStream;
use tower_service::Service;

type BoxError = Box<dyn StdError + Send + Sync>;

/// Makes connections. TLS to the server, where there is any, goes on top.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    direct: HttpConnector,
    proxies: Proxies,
}

impl Connector {
    pub(super) fn new(proxies: Proxies) -> Self {
        let mut direct = HttpConnector::new();
        // The schemes are looked at by what stands on top.
        direct.enforce_http(false);
        Self { direct, proxies }
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.direct.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let direct = self.direct.clone();
        let proxy = self.proxies.to(&uri);
        Box::pin(connect(direct, proxy, uri))
    }
}

async fn connect(
    mut direct: HttpConnector,
    proxy: Option<Intercept>,
    uri: Uri,
) -> Result<Stream, BoxError> {
    let Some(proxy) = proxy else {
        return Ok(Stream {
            io: direct.call(uri).await?,
            is_of_proxy: false,
        });
    };
    if proxy.uri().scheme_str() != Some("http") {
        let problem = "only a proxy that is named by http:// can be used";
        return Err(io::Error::other(problem).into());
    }
    if !is_encrypted(&uri) {
        return Ok(Stream {
            io: direct.call(proxy.uri().clone()).await?,
            is_of_proxy: true,
        });
    }
    let mut tunnel = Tunnel::new(proxy.uri().clone(), direct);
    if let Some(authorization) = proxy.basic_auth() {
        tunnel = tunnel.with_auth(authorization.clone());
    }
    Ok(Stream {
        io: tunnel.call(uri).await?,
        is_of_proxy: false,
    })
}

/// A connection to a server, through a tunnel or without one, or to a proxy that passes requests on.
#[derive(Debug)]
pub(super) struct Stream {
    io: TokioIo<TcpStream>,
    /// `true` if the other end is a proxy, which has to be told the whole URL.
    is_of_proxy: bool,
}

impl Stream {
    fn io(self: Pin<&mut Self>) -> Pin<&mut TokioIo<TcpStream>> {
        Pin::new(&mut self.get_mut().io)
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.io.connected().proxy(self.is_of_proxy)
    }
}

impl Read for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        self.io().poll_read(context, buffer)
    }
}

impl Write for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.io().poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io().poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.io().poll_write_vectored(context, slices)
    }
}
