//! Check of a request's `Host`: the loopback address answers those alone that name it as such.
//!
//! A web page that somebody on this machine has open reaches loopback addresses too, once its own name
//! resolves to one (DNS rebinding). Its browser then sends that name.

use super::text_response::{PLAIN, text};
use bytes::Bytes;
use http::header::HOST;
use http::uri::Authority;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use std::net::IpAddr;

/// The answer to a request that names another host, or none.
pub(super) fn refusal<B>(request: &Request<B>) -> Option<Response<Full<Bytes>>> {
    let in_target = request.uri().authority().map(Authority::as_str);
    let in_header = request.headers().get_all(HOST).iter();
    let named: Vec<&str> = in_header
        .map(|host| host.to_str().unwrap_or_default())
        .chain(in_target)
        .collect();
    if !named.is_empty() && named.iter().all(|host| is_loopback(host)) {
        return None;
    }
    let named = named
        .iter()
        .map(|host| format!("`{}`", host.escape_debug()))
        .collect::<Vec<_>>()
        .join(", ");
    let named = if named.is_empty() {
        "no host".to_owned()
    } else {
        named
    };
    let body = format!(
        "this address answers only to 127.0.0.1, [::1] or localhost as Host, with or without a port; the request named {named}\n"
    );
    Some(text(StatusCode::MISDIRECTED_REQUEST, PLAIN, body))
}

fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    if host.contains('@') {
        return false;
    }
    let name = authority.host();
    let address = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(name);
    match address.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => name
            .strip_suffix('.')
            .unwrap_or(name)
            .eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_host_names_are_accepted() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:9090",
            "127.8.9.10:1",
            "[::1]",
            "[::1]:9090",
            "[::ffff:127.0.0.1]:80",
            "localhost",
            "LocalHost:9090",
            "localhost.",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:9090",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "127.0.0.1@evil.example",
            "evil@127.0.0.1",
            "192.0.2.1",
            "0.0.0.0",
            "[::]",
            "[2001:db8::1]",
            "::1",
            "127.0.0.1, evil.example",
            "2130706433",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn every_host_name_of_a_request_is_checked() {
        let refused = |uri: &str, hosts: &[&str]| {
            let mut request = Request::get(uri);
            for host in hosts {
                request = request.header(HOST, *host);
            }
            refusal(&request.body(()).unwrap()).map(|answer| answer.status().as_u16())
        };
        assert_eq!(refused("/ready", &["localhost"]), None);
        assert_eq!(refused("http://localhost/ready", &["localhost"]), None);
        for (uri, hosts) in [
            ("/ready", &[][..]),
            ("/ready", &["evil.example"]),
            ("/ready", &["localhost", "evil.example"]),
            ("http://evil.example/ready", &["localhost"]),
        ] {
            assert_eq!(refused(uri, hosts), Some(421), "{uri} {hosts:?}");
        }
    }
}
