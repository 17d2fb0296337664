//! Label Studio refuses to deliver to some URLs. Whoever is shown one that it refuses is told so with it, and not by
//! its error page.
//!
//! Measured on 1.23.2: an address that is not public, or a name that resolves to one, is refused from 1.23.1 on
//! unless a switch allows it, when the webhook is made and at each delivery again. A name without a dot is none for
//! its forms, whatever is set.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const PRIVATE: &str = "\
\x20   Label Studio 1.23.1 and newer refuses this URL, because its address is not a public one. Start Label Studio
\x20   with SSRF_PROTECTION_ENABLED=false, or with USE_DEFAULT_BANNED_SUBNETS=false and a list of your own; or give
\x20   --public-url with a public address. As it is, `labelrelay connect label-studio URL` lets this relay pull instead
";

const NO_DOT: &str = "\
\x20   Label Studio refuses this URL, because the name in it is one without a dot: give --public-url with a name
\x20   that has one, or with an address. Where that is not public, Label Studio 1.23.1 and newer also needs
\x20   SSRF_PROTECTION_ENABLED=false. As it is, `labelrelay connect label-studio URL` lets this relay pull instead
";

/// Reach of a URL's host, as far as it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Everybody, unless its name resolves to something else.
    Public,
    /// This machine, or its own network.
    Private,
    /// A name that only a network of its own knows.
    NoDot,
}

/// Hint below a URL that is printed for Label Studio.
pub(super) fn hint(base: &str) -> Option<&'static str> {
    match reach(base)? {
        Reach::Public => None,
        Reach::Private => Some(PRIVATE),
        Reach::NoDot => Some(NO_DOT),
    }
}

/// `None` where it is no URL.
pub(crate) fn reach(base: &str) -> Option<Reach> {
    let uri: http::Uri = base.parse().ok()?;
    let host = uri.host()?;
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = plain.parse::<IpAddr>() {
        return Some(if is_refused(address) {
            Reach::Private
        } else {
            Reach::Public
        });
    }
    let name = plain.trim_end_matches('.').to_ascii_lowercase();
    // The names that are given to machines of one's own network, without asking what they resolve to here: for
    // the platform they may resolve to something else.
    let is_local = name == "localhost"
        || [".localhost", ".local", ".internal", ".lan", ".home.arpa"]
            .iter()
            .any(|end| name.ends_with(end));
    Some(if is_local {
        Reach::Private
    } else if name.contains('.') {
        Reach::Public
    } else {
        Reach::NoDot
    })
}

/// Tells whether an address is not public: the list that Label Studio brings along.
pub(crate) fn is_refused(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_refused_v4(v4),
        IpAddr::V6(v6) => is_refused_v6(v6),
    }
}

fn is_refused_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    a == 0
        || a >= 224
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation()
        || a == 100 && b & 0b1100_0000 == 64
        || a == 198 && b & 0b1111_1110 == 18
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
}

fn is_refused_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || (a, b) == (0x2001, 0x0db8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_label_studio_refuses() {
        for (base, expected) in [
            ("http://127.0.0.1:8090", Some(PRIVATE)),
            ("http://10.0.0.1", Some(PRIVATE)),
            ("http://172.16.0.1", Some(PRIVATE)),
            ("http://172.31.255.255", Some(PRIVATE)),
            ("http://172.32.0.1", None),
            ("http://192.168.0.1/hooks", Some(PRIVATE)),
            ("http://100.63.0.1", None),
            ("http://100.64.0.1", Some(PRIVATE)),
            ("http://100.127.255.255", Some(PRIVATE)),
            ("http://100.128.0.1", None),
            ("http://169.254.169.254", Some(PRIVATE)),
            ("http://[::1]:8090", Some(PRIVATE)),
            ("http://[::ffff:10.0.0.1]:8090", Some(PRIVATE)),
            ("http://[fd00::1]", Some(PRIVATE)),
            ("http://[2606:4700::1111]", None),
            ("http://1.1.1.1", None),
            ("http://localhost:8090", Some(PRIVATE)),
            ("http://host.docker.internal:8090", Some(PRIVATE)),
            ("http://labelrelay:8090", Some(NO_DOT)),
            ("https://relay.example.com", None),
            ("https://abc.ngrok.app", None),
        ] {
            assert_eq!(hint(base), expected, "{base}");
        }
    }
}
