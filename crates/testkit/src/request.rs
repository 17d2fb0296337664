//! Requests as the platforms make them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{Stream, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use labelrelay_core::relay::BodyError;
use labelrelay_core::signature::sign_sha1;
use labelrelay_core::{Clock, RequestHead};

/// A request that a test builds and a relay receives.
#[derive(Debug, Clone)]
pub struct TestRequest {
    /// Method.
    pub method: Method,
    /// Path.
    pub path: String,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Vec<u8>,
}

impl TestRequest {
    /// A bare request.
    pub fn new(method: Method, path: &str, body: &[u8]) -> Self {
        Self {
            method,
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body: body.to_vec(),
        }
    }

    /// As Labelbox delivers: signed with HMAC-SHA1 over the raw body.
    pub fn labelbox(secret: &str, event: &str, delivery_id: &str, body: &[u8]) -> Self {
        Self::new(Method::POST, "/labelbox", body)
            .header("x-hub-signature", &sign_sha1(secret.as_bytes(), body))
            .header("x-labelbox-event", event)
            .header("x-labelbox-id", delivery_id)
            .header("content-type", "application/json")
    }

    /// As Label Studio delivers, with the header that its user set.
    pub fn label_studio(secret: &str, body: &[u8]) -> Self {
        Self::new(Method::POST, "/label-studio", body)
            .header("authorization", &format!("Bearer {secret}"))
            .header("content-type", "application/json")
    }

    /// With one more header line.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.append(
            name.parse::<HeaderName>().unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
        self
    }

    /// Without a header.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// Tells whether no header stands twice.
    pub fn has_single_lines(&self) -> bool {
        self.headers.len() == self.headers.keys_len()
    }

    /// At another path.
    #[must_use]
    pub fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// A request as it was recorded: request line, header lines, body.
    pub fn parse(raw: &[u8]) -> Self {
        let end = raw.windows(4).position(|window| window == b"\r\n\r\n");
        let end = end.expect("a head");
        let head = std::str::from_utf8(&raw[..end]).expect("a head of text");
        let mut lines = head.split("\r\n");
        let mut parts = lines.next().unwrap().split(' ');
        let method = parts.next().unwrap().parse().unwrap();
        let request = Self::new(method, parts.next().unwrap(), &raw[end + 4..]);
        lines.fold(request, |request, line| {
            let (name, value) = line.split_once(':').unwrap();
            request.header(name, value.trim())
        })
    }

    /// As it goes over a connection, with the headers that HTTP/1.1 asks for.
    pub fn raw(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path).into_bytes();
        for (name, value) in &self.headers {
            head.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        for (name, value) in [
            ("host", "localhost".to_owned()),
            ("content-length", self.body.len().to_string()),
        ] {
            if !self.headers.contains_key(name) {
                head.extend(format!("{name}: {value}\r\n").into_bytes());
            }
        }
        [&*head, b"\r\n", &self.body].concat()
    }

    /// The last one on its connection.
    #[must_use]
    pub fn close(self) -> Self {
        self.without("connection").header("connection", "close")
    }

    /// The head that an adapter would make of it, arriving now.
    pub fn head(&self, clock: &dyn Clock) -> RequestHead {
        RequestHead {
            method: self.method.clone(),
            path: self.path.clone(),
            headers: self.headers.clone(),
            peer: Some("127.0.0.1".parse().unwrap()),
            arrived: clock.monotonic(),
        }
    }

    /// Body, in pieces of `piece` bytes.
    pub fn stream(
        &self,
        piece: usize,
    ) -> impl Stream<Item = Result<Bytes, BodyError>> + Send + use<> {
        let pieces: Vec<_> = self
            .body
            .chunks(piece.max(1))
            .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
            .collect();
        stream::iter(pieces)
    }
}

/// The value of a Basic `Authorization` header.
pub fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
