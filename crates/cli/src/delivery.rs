//! A delivery as a platform would make it: its headers, and its credential over the exact bytes.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request};
use labelrelay_core::Secret;
use labelrelay_core::signature::{SecretHeader, sign_sha1};

/// Proof of origin.
#[derive(Debug, Clone)]
pub(crate) enum Credential {
    /// Labelbox's: HMAC-SHA1 of the body.
    Signature,
    /// Label Studio's: a header with the secret.
    Header(SecretHeader),
}

/// A whole request. `url` was parsed before; what cannot stand in a header is said, not sent.
pub(crate) struct Delivery<'a> {
    pub(crate) url: &'a str,
    pub(crate) body: Bytes,
    pub(crate) secret: &'a Secret,
    pub(crate) credential: &'a Credential,
    /// `X-Labelbox-Event`.
    pub(crate) topic: Option<&'a str>,
    /// `X-Labelbox-Id`.
    pub(crate) id: Option<&'a str>,
}

impl Delivery<'_> {
    pub(crate) fn request(self) -> Result<Request<Bytes>, String> {
        let mut request = Request::new(self.body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self
            .url
            .parse()
            .map_err(|error| format!("{}: {error}", self.url.escape_debug()))?;
        let mut lines: Vec<(HeaderName, HeaderValue)> = Vec::new();
        let mut line = |name: &'static str, value: &[u8]| {
            HeaderValue::from_bytes(value)
                .map(|value| lines.push((HeaderName::from_static(name), value)))
                .map_err(|_| format!("the value for {name} cannot stand in a header"))
        };
        match self.credential {
            Credential::Signature => {
                let signature = sign_sha1(self.secret.expose(), request.body());
                line(
                    "user-agent",
                    concat!("labelrelay/", env!("CARGO_PKG_VERSION")).as_bytes(),
                )?;
                line("accept", b"*/*")?;
                line("x-hub-signature", signature.as_bytes())?;
                if let Some(id) = self.id {
                    line("x-labelbox-id", id.as_bytes())?;
                }
                if let Some(topic) = self.topic {
                    line("x-labelbox-event", topic.as_bytes())?;
                }
            }
            Credential::Header(scheme) => {
                // As recorded from Label Studio 1.23.2.
                line("user-agent", b"python-requests/2.34.2")?;
                line("accept-encoding", b"gzip, deflate")?;
                line("accept", b"*/*")?;
                line("connection", b"keep-alive")?;
                match scheme {
                    SecretHeader::Authorization => line(
                        "authorization",
                        &[b"Bearer ", self.secret.expose()].concat(),
                    )?,
                    SecretHeader::Named(name) => {
                        let value = HeaderValue::from_bytes(self.secret.expose())
                            .map_err(|_| "the secret cannot stand in a header".to_owned())?;
                        lines.push((name.clone(), value));
                    }
                }
            }
        }
        lines.push((
            http::header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ));
        request.headers_mut().extend(lines);
        Ok(request)
    }
}
