//! Rules of HTTP/1.1 that the parser does not check: where two programs in a row understand a request differently,
//! a stranger hides a request in another one.

use http::header::{HOST, TRANSFER_ENCODING};
use http::uri::Authority;
use http::{HeaderMap, Request, Version};

/// The problem in the head of `request`, and the cure.
pub(crate) fn problem<B>(request: &Request<B>) -> Option<&'static str> {
    let headers = request.headers();
    hosts(headers, request.version()).or_else(|| codings(headers))
}

fn hosts(headers: &HeaderMap, version: Version) -> Option<&'static str> {
    let mut hosts = headers.get_all(HOST).iter();
    let Some(host) = hosts.next() else {
        return (version == Version::HTTP_11)
            .then_some("the request has no Host header; HTTP/1.1 asks for one");
    };
    if hosts.next().is_some() {
        return Some("the request has more than one Host header; send one");
    }
    let host = host.as_bytes();
    // Empty where what is asked for has no host.
    let good = host.is_empty()
        || is_plain(host)
        || (!host.contains(&b'@') && Authority::try_from(host).is_ok());
    (!good).then_some("the Host header is not a host; send HOST or HOST:PORT")
}

/// Tells whether a host is a name or an IPv4 address, with a port or without: nearly all are, and need no parser.
fn is_plain(host: &[u8]) -> bool {
    let mut parts = host.split(|byte| *byte == b':');
    let name = parts.next().unwrap_or_default();
    let port = parts.next().unwrap_or(b"80");
    let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || b".-".contains(byte);
    parts.next().is_none()
        && !name.is_empty()
        && name.iter().all(in_name)
        && (1..=5).contains(&port.len())
        && port.iter().all(u8::is_ascii_digit)
}

fn codings(headers: &HeaderMap) -> Option<&'static str> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let coding = codings.next()?;
    let chunked = coding
        .as_bytes()
        .trim_ascii()
        .eq_ignore_ascii_case(b"chunked");
    (!chunked || codings.next().is_some()).then_some(
        "the body has a transfer coding other than chunked; send it chunked alone, or with Content-Length",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(version: Version, lines: &[(&'static str, &'static str)]) -> bool {
        let mut request = Request::builder().version(version);
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        problem(&request.body(()).unwrap()).is_none()
    }

    #[test]
    fn only_one_host_and_only_chunked_coding_are_accepted() {
        let one = Version::HTTP_11;
        for host in [
            "relay",
            "relay:80",
            "127.0.0.1:8090",
            "[::1]:8090",
            "",
            "a_b.example",
        ] {
            assert!(of(one, &[("host", host)]), "{host}");
        }
        for host in ["a b", "a/b", "user@a", "a:b:c", "[::1", "a?"] {
            assert!(!of(one, &[("host", host)]), "{host}");
        }
        assert!(!of(one, &[]));
        assert!(of(Version::HTTP_10, &[]) && of(Version::HTTP_2, &[]));
        for version in [one, Version::HTTP_10] {
            assert!(!of(version, &[("host", "a"), ("host", "a")]));
        }
        let coded = |lines: &[&'static str]| {
            let mut all = vec![("host", "a")];
            all.extend(lines.iter().map(|line| ("transfer-encoding", *line)));
            of(one, &all)
        };
        assert!(coded(&[]) && coded(&["chunked"]) && coded(&[" Chunked\t"]));
        for wrong in [
            &["gzip, chunked"][..],
            &["gzip", "chunked"],
            &["chunked", "chunked"],
            &["chunked, chunked"],
            &["identity"],
            &["chunked;q=1"],
            &["xchunked"],
            &[",chunked"],
            &[""],
        ] {
            assert!(!coded(wrong), "{wrong:?}");
        }
    }

    /// Red if the quick look takes a host that the parser would refuse.
    #[test]
    fn a_plain_host_is_one_for_the_parser_too() {
        for byte in 0..=u8::MAX {
            for host in [
                &[byte][..],
                &[byte, b'a'],
                &[b'a', byte],
                &[b'a', byte, b'8'],
                &[b'a', b':', byte],
                &[b'a', b':', b'8', byte],
            ] {
                assert!(
                    !is_plain(host) || Authority::try_from(host).is_ok(),
                    "{host:?}"
                );
            }
        }
        for host in ["relay.example.org:8090", "127.0.0.1", "a:00080"] {
            assert!(is_plain(host.as_bytes()), "{host}");
        }
        for host in ["", ":80", "a:", "a:800000", "a:b", "a:1:2", "u@a", "[::1]"] {
            assert!(!is_plain(host.as_bytes()), "{host}");
        }
    }
}
