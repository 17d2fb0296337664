//! A request as the adapter received it.

use http::{HeaderMap, Method};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// Everything of a request but its body. `Debug` shows names of headers, never their values: one of
/// them is the credential.
#[derive(Clone)]
pub struct RequestHead {
    /// Method.
    pub method: Method,
    /// Path as it was sent, without the query; still percent-encoded.
    pub path: String,
    /// Headers as they were sent: names lower-cased, values as bytes, repeated lines kept apart.
    pub headers: HeaderMap,
    /// Address of the other end of the connection, or what the platform vouches for. Never from a header.
    pub peer: Option<IpAddr>,
    /// [`Clock::monotonic`](crate::Clock::monotonic) when the request arrived.
    pub arrived: Duration,
}

impl RequestHead {
    /// The only line of the header `name`.
    ///
    /// # Errors
    /// [`Repeated`] when there are several: a proxy and the relay could take different ones for true.
    pub fn single(&self, name: &str) -> Result<Option<&[u8]>, Repeated> {
        let mut lines = self.headers.get_all(name).iter();
        match (lines.next(), lines.next()) {
            (None, _) => Ok(None),
            (Some(line), None) => Ok(Some(line.as_bytes())),
            (Some(_), Some(_)) => Err(Repeated),
        }
    }

    /// The only line of the header `name`, when it is visible ASCII; for what is not worth an error.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.single(name)
            .ok()
            .flatten()
            .and_then(|line| std::str::from_utf8(line).ok())
    }

    /// Length of the body that the head announces.
    pub fn content_length(&self) -> Option<u64> {
        self.text("content-length")?.parse().ok()
    }
}

impl fmt::Debug for RequestHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.keys().map(http::HeaderName::as_str).collect();
        f.debug_struct("RequestHead")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("headers", &names)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// A header that must stand once stands more often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the header stands more than once")]
pub struct Repeated;
