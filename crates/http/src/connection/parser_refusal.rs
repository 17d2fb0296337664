//! Requests that never became one: the HTTP parser refused them, or their head did not come in time. They are
//! counted and told as every other refusal is, because a delivery may have been meant.

use crate::options::ServeOptions;
use labelrelay_core::{Outcome, Report};
use std::error::Error;
use std::net::IpAddr;

const TLS: &str = "TLS came to a port that speaks plain HTTP; write http:// where it was sent from, or let a proxy in front take the TLS off";
const PROXY: &str = "a load balancer sent the PROXY protocol; switch it off there: `trusted_proxies` takes the sender's address from X-Forwarded-For";
const HTTP2: &str =
    "HTTP/2 came to a port that speaks HTTP/1.1; set the proxy in front to HTTP/1.1";

/// The report of a connection that ended with `error`, if the parser made it. `first` are the connection's
/// first bytes.
pub(super) fn by_parser(
    error: &(dyn Error + 'static),
    first: &[u8],
    peer: IpAddr,
) -> Option<Report> {
    let error = error.downcast_ref::<hyper::Error>()?;
    if !error.is_parse() {
        return None;
    }
    let reason = if let Some(known) = spoken(first) {
        known.to_owned()
    } else if error.is_parse_too_large() {
        format!(
            "the head is too large ({error}): 100 headers and {} bytes are the most; the answer was 431, or 414 for the path alone",
            crate::options::READ_BUFFER_BYTES
        )
    } else {
        format!("not a request of HTTP/1.1 ({error})")
    };
    Some(Report::refused(Outcome::Malformed, reason, Some(peer)))
}

/// A head that has begun and did not end.
pub(super) fn late_head(options: &ServeOptions, peer: IpAddr) -> Report {
    let reason = format!(
        "the request's head was not complete after {} s",
        options.head_timeout.as_secs_f64()
    );
    Report::refused(Outcome::Timeout, reason, Some(peer))
}

/// The protocol of a peer that does not speak HTTP/1.
fn spoken(first: &[u8]) -> Option<&'static str> {
    // A record of the kind `handshake`, of any version.
    if first.starts_with(&[0x16, 0x03]) {
        return Some(TLS);
    }
    if first.starts_with(b"PROXY ") || first.starts_with(b"\r\n\r\n\0\r\nQUIT\n") {
        return Some(PROXY);
    }
    first.starts_with(b"PRI * HTTP/2").then_some(HTTP2)
}
