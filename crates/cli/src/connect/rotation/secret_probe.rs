//! Asks a relay whether it takes a secret, without an event.
//!
//! Labelbox's question for models is signed and makes no event. For a header's secret, a request announces a body
//! that is too large: the relay says so only to those who have shown the secret. One elsewhere, behind programs that may
//! want to see the announced body first, gets an empty one instead, which is no event either.
//!
//! A yes counts only where a secret that nobody has gets a no: what answers may be something in front of the relay.

use crate::random_secret::new_secret;
use crate::serve::secret_header;
use bytes::Bytes;
use http::Request;
use labelrelay_core::Secret;
use labelrelay_core::config::SourceConfig;
use labelrelay_core::provider::Provider;
use labelrelay_core::signature::{SIGNATURE_HEADER, sign_sha1};
use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);

/// The first line of an answer is not longer.
const LINE: usize = 64;

/// The relay that is asked.
pub(super) enum Asked {
    /// The `serve` that runs here.
    Here(SocketAddr),
    /// The URL of the source at a relay elsewhere.
    At(String),
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(address) => address.fmt(f),
            Self::At(url) => url.fmt(f),
        }
    }
}

/// Asks the relay whether it takes `secret` for `source`; a problem if its answer says neither.
pub(super) async fn ask(
    relay: &Asked,
    source: &SourceConfig,
    secret: &Secret,
) -> Result<bool, String> {
    if !says_yes(relay, source, secret).await? {
        return Ok(false);
    }
    let nobody_s = new_secret().map_err(|_| "this system gives no random bytes")?;
    let nobody_s = Secret::new("nobody's", nobody_s).map_err(|error| error.message)?;
    if says_yes(relay, source, &nobody_s).await? {
        return Err(
            "it gives the same answer to a secret that nobody has: what answers there is not the relay, or does not check secrets"
                .to_owned(),
        );
    }
    Ok(true)
}

async fn says_yes(relay: &Asked, source: &SourceConfig, secret: &Secret) -> Result<bool, String> {
    let (status, yes) = match relay {
        Asked::Here(address) => {
            let address = *address;
            let (head, yes) = question(address, source, secret)?;
            let asked = tokio::task::spawn_blocking(move || status(address, head.as_bytes()));
            let status = asked.await.map_err(|error| error.to_string())?;
            (status.map_err(|error| error.to_string())?, yes)
        }
        Asked::At(url) => {
            let (request, yes) = request(url, source, secret)?;
            let answer = labelrelay_http_client::send(request).await;
            (answer.map_err(|error| error.to_string())?.status, yes)
        }
    };
    match status {
        401 => Ok(false),
        status if status == yes => Ok(true),
        403 => Err(match relay {
            Asked::Here(_) => "it answers 403: this machine's address is not on the source's `allow`; add 127.0.0.1",
            Asked::At(_) => "it answers 403: this machine's address is not on the source's `allow`, or something in front of the relay refuses it",
        }
        .to_owned()),
        status => Err(format!("it answers {status}; its log says why")),
    }
}

/// The request to a relay elsewhere, and the status that says yes.
fn request(
    url: &str,
    source: &SourceConfig,
    secret: &Secret,
) -> Result<(Request<Bytes>, u16), String> {
    let (request, yes) = if source.provider == Provider::Labelbox {
        let signature = sign_sha1(secret.expose(), b"");
        let request = Request::get(format!("{url}/models"));
        (request.header(SIGNATURE_HEADER, signature), 200)
    } else {
        let text = std::str::from_utf8(secret.expose()).map_err(|_| "a secret that is no text")?;
        let (header, value) = secret_header(source, text);
        (Request::post(url).header(header, value), 400)
    };
    let request = request.body(Bytes::new());
    Ok((request.map_err(|error| error.to_string())?, yes))
}

/// The head of a request without a body, and the status that says yes.
fn question(
    relay: SocketAddr,
    source: &SourceConfig,
    secret: &Secret,
) -> Result<(String, u16), String> {
    let name = &source.name;
    if source.provider == Provider::Labelbox {
        let signature = sign_sha1(secret.expose(), b"");
        return Ok((
            format!(
                "GET /{name}/models HTTP/1.1\r\nHost: {relay}\r\n{SIGNATURE_HEADER}: {signature}\r\nConnection: close\r\n\r\n"
            ),
            200,
        ));
    }
    let text = std::str::from_utf8(secret.expose()).map_err(|_| "a secret that is no text")?;
    let (header, value) = secret_header(source, text);
    let length = source.max_body_bytes.saturating_add(1);
    Ok((
        format!(
            "POST /{name} HTTP/1.1\r\nHost: {relay}\r\n{header}: {value}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        ),
        413,
    ))
}

/// The status of the answer.
fn status(relay: SocketAddr, head: &[u8]) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect_timeout(&relay, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(head)?;
    let mut line = Vec::new();
    stream.take(LINE as u64).read_to_end(&mut line)?;
    let line = String::from_utf8_lossy(&line);
    let status = line
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    status.ok_or_else(|| std::io::Error::other("what answers there is not HTTP"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_core::config::Config;
    use std::io::{BufRead as _, BufReader};
    use std::net::TcpListener;

    /// Answers of something that looks at no secret, as many as `statuses`.
    fn answers(statuses: &'static [u16]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for status in statuses {
                let (mut stream, _) = listener.accept().unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let head = lines.map_while(Result::ok);
                assert!(head.take_while(|line| !line.is_empty()).count() > 1);
                write!(
                    stream,
                    "HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )
                .unwrap();
            }
        });
        address
    }

    #[tokio::test]
    async fn a_yes_counts_where_an_unknown_secret_gets_a_no() {
        let secret = Secret::new("a test's", "a-secret-of-this-test").unwrap();
        for (provider, here, elsewhere) in [
            ("labelbox", &[200, 200][..], &[200, 200][..]),
            ("label-studio", &[413, 413], &[400, 400]),
        ] {
            let text = format!(
                "[[source]]\nname = \"x\"\nprovider = \"{provider}\"\nsecret = \"env:X\"\n"
            );
            let none = |_: &str| None;
            let config = Config::from_toml(&text, "x", ".".into(), &none).unwrap();
            let source = config.sources.first().unwrap();
            let asked = [
                Asked::Here(answers(here)),
                Asked::At(format!("http://{}/x", answers(elsewhere))),
            ];
            for relay in asked {
                let said = ask(&relay, source, &secret).await.unwrap_err();
                assert!(said.contains("a secret that nobody has"), "{said}");
            }
        }
        let config = Config::from_toml(
            "[[source]]\nname = \"x\"\nprovider = \"labelbox\"\nsecret = \"env:X\"\n",
            "x",
            ".".into(),
            &|_: &str| None,
        );
        let config = config.unwrap();
        let source = config.sources.first().unwrap();
        for (statuses, takes) in [(&[200, 401][..], true), (&[401], false)] {
            let relay = Asked::Here(answers(statuses));
            assert_eq!(ask(&relay, source, &secret).await, Ok(takes));
        }
    }
}
