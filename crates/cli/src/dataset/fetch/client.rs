//! Gets media over HTTP, from the hosts that were named and from nobody else.
//!
//! Addresses come from whoever may write tasks on the platform. So they must lead to no host that the user did not name, and
//! a name of a host must not lead into a network of one's own, nor may a redirect do either.

use super::origin::Origin;
use crate::serve::is_refused;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_ENCODING, LOCATION, USER_AGENT};
use http::{HeaderMap, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use labelrelay_http_client::{Connection, TrustedRoots};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tokio::net::lookup_host;

/// Redirects of one medium: stores use one, to where the bytes are.
const MAX_REDIRECTS: usize = 5;

pub(super) struct Client {
    named: Vec<Origin>,
    /// Private addresses that a host may have.
    private: Vec<IpAddr>,
    roots: TrustedRoots,
}

impl Client {
    pub(super) fn new(named: &[Origin], private: &[IpAddr]) -> Self {
        Self {
            named: named.to_vec(),
            private: private.iter().map(IpAddr::to_canonical).collect(),
            roots: TrustedRoots::default(),
        }
    }

    /// The origin of a URL, if it was named.
    pub(super) fn named(&self, uri: &Uri) -> Option<Origin> {
        Origin::of(uri).filter(|origin| self.named.contains(origin))
    }

    /// The answer that brings what is at this URL, and the connection that its body comes over.
    pub(super) async fn get(&self, uri: Uri) -> Result<(Response<Incoming>, Connection), String> {
        let mut uri = uri;
        for _ in 0..=MAX_REDIRECTS {
            let Some(origin) = self.named(&uri) else {
                let host = Origin::of(&uri).map_or_else(
                    || "an address that is not of HTTP".to_owned(),
                    |origin| origin.to_string(),
                );
                return Err(format!(
                    "it is redirected to {host}: name that with --from as well, if you trust it"
                ));
            };
            let addresses = self.addresses(&origin).await?;
            let connection = Connection::open_at(&uri, &addresses, &self.roots).await;
            let mut connection = connection.map_err(|error| error.to_string())?;
            let response = connection.exchange(request(&uri)?).await;
            let response = response.map_err(|broken| broken.message)?;
            if !is_redirect(response.status()) {
                check(response.status(), response.headers())?;
                return Ok((response, connection));
            }
            let to = response.headers().get(LOCATION);
            let to = to.and_then(|to| resolve(&uri, to.to_str().ok()?));
            uri = to.ok_or_else(|| "it is redirected to nowhere".to_owned())?;
        }
        Err(format!("it is redirected more than {MAX_REDIRECTS} times"))
    }

    /// The addresses of a host that may be connected to. An address that was named itself may be any.
    async fn addresses(&self, origin: &Origin) -> Result<Vec<SocketAddr>, String> {
        let (host, port) = (origin.host(), origin.port());
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let found = lookup_host((host, port)).await;
        let found = found.map_err(|error| format!("no address of {host} is known: {error}"))?;
        let is_allowed = |address: IpAddr| {
            !is_private(address) || self.private.contains(&address.to_canonical())
        };
        let (allowed, refused): (Vec<SocketAddr>, Vec<SocketAddr>) =
            found.partition(|found| is_allowed(found.ip()));
        match (allowed.is_empty(), refused.first()) {
            (false, _) => Ok(allowed),
            (true, Some(refused)) => {
                let address = refused.ip();
                Err(format!(
                    "{host} has the private address {address}: if it is yours, allow it with --private {address}"
                ))
            }
            (true, None) => Err(format!("{host} has no address")),
        }
    }
}

/// Tells whether an address is of a network of one's own, or leads to one.
fn is_private(address: IpAddr) -> bool {
    let address = address.to_canonical();
    let IpAddr::V6(v6) = address else {
        return is_refused(address);
    };
    // NAT64, 6to4, and the addresses that were IPv4's before mapped ones: an IPv4 address is in them.
    let inner = match v6.segments() {
        [0x64, 0xff9b, .., high, low] | [0, 0, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            Some((high, low))
        }
        _ => None,
    };
    let inner = inner.map(|(high, low)| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    is_refused(address) || inner.is_some_and(|v4| is_refused(v4.into()))
}

fn request(uri: &Uri) -> Result<Request<Bytes>, String> {
    let request = Request::get(uri.clone())
        .header(
            USER_AGENT,
            concat!("labelrelay/", env!("CARGO_PKG_VERSION")),
        )
        .header(CONNECTION, "close")
        .body(Bytes::new());
    request.map_err(|error| error.to_string())
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Refuses an answer that does not bring the bytes as they are.
fn check(status: StatusCode, headers: &HeaderMap) -> Result<(), String> {
    if status != StatusCode::OK {
        return Err(format!("its host answered {}", status.as_u16()));
    }
    let encoding = headers.get(CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| encoding != "identity") {
        return Err("it came compressed, which nobody asked for".to_owned());
    }
    Ok(())
}

/// The URL that a redirect means.
fn resolve(from: &Uri, to: &str) -> Option<Uri> {
    let to = to.split('#').next()?;
    let is_whole = to.split_once("://").is_some_and(|(scheme, _)| {
        let mut scheme = scheme.bytes();
        scheme.all(|byte| byte.is_ascii_alphanumeric())
    });
    if is_whole {
        return to.parse().ok();
    }
    let (scheme, authority) = (from.scheme_str()?, from.authority()?.as_str());
    let url = if to.starts_with("//") {
        format!("{scheme}:{to}")
    } else if to.starts_with('/') {
        format!("{scheme}://{authority}{to}")
    } else {
        let (folder, _) = from.path().rsplit_once('/').unwrap_or_default();
        format!("{scheme}://{authority}{folder}/{to}")
    };
    url.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_lead_into_a_network_of_ones_own_are_private() {
        for private in [
            "127.0.0.1",
            "10.0.0.5",
            "169.254.169.254",
            "::1",
            "::ffff:10.0.0.5",
            "::10.0.0.5",
            "64:ff9b::10.0.0.5",
            "2002:a00:5::1",
            "fd00::1",
            "fe80::1",
        ] {
            assert!(is_private(private.parse().unwrap()), "{private}");
        }
        for public in [
            "1.1.1.1",
            "2606:4700::1",
            "64:ff9b::1.1.1.1",
            "::ffff:1.1.1.1",
        ] {
            assert!(!is_private(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn redirects_are_read_as_they_are_meant() {
        let from: Uri = "https://h:8443/cars/7.jpg?a=b".parse().unwrap();
        for (to, expected) in [
            ("https://other/x?y#z", "https://other/x?y"),
            ("//other/x", "https://other/x"),
            ("/x?u=http://h", "https://h:8443/x?u=http://h"),
            ("8.jpg", "https://h:8443/cars/8.jpg"),
        ] {
            assert_eq!(resolve(&from, to).unwrap().to_string(), expected);
        }
        assert!(resolve(&from, "https://two words").is_none());
    }
}
