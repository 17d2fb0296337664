//! Source addresses: the allowlist, and which address counts.

use crate::request::RequestHead;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// Addresses that may deliver to a source. An addition to verification, never a replacement.
///
/// ```
/// use labelrelay_core::address::Allowlist;
/// let list: Allowlist = ["35.223.142.181".to_owned(), "10.0.0.0/8".to_owned()].as_slice().try_into().unwrap();
/// assert!(list.contains("::ffff:10.1.2.3".parse().unwrap()));
/// assert!(!list.contains("35.223.142.182".parse().unwrap()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowlist(Vec<IpNet>);

impl Allowlist {
    /// Tells whether `address` is on the list. An IPv4 address that is written as IPv6 counts as the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|net| net.contains(&address))
    }
}

impl TryFrom<&[String]> for Allowlist {
    type Error = InvalidAddress;

    /// # Errors
    /// When an entry is neither an address nor a CIDR block.
    fn try_from(entries: &[String]) -> Result<Self, InvalidAddress> {
        entries
            .iter()
            .map(|entry| parse_net(entry))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn parse_net(entry: &str) -> Result<IpNet, InvalidAddress> {
    let invalid = || InvalidAddress(entry.to_owned());
    if let Ok(address) = entry.parse::<IpAddr>() {
        return Ok(IpNet::from(address.to_canonical()));
    }
    let net: IpNet = entry.parse().map_err(|_| invalid())?;
    match net {
        // `::ffff:10.0.0.0/104` means `10.0.0.0/8`.
        IpNet::V6(v6) => match (v6.addr().to_ipv4_mapped(), v6.prefix_len().checked_sub(96)) {
            (Some(v4), Some(prefix)) => ipnet::Ipv4Net::new(v4, prefix)
                .map(IpNet::V4)
                .map_err(|_| invalid()),
            _ => Ok(net),
        },
        IpNet::V4(_) => Ok(net),
    }
}

/// An entry of an allowlist that is neither an address nor a CIDR block.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither an IP address nor a CIDR block such as 203.0.113.0/24")]
pub struct InvalidAddress(String);

/// The address that counts as the sender's.
///
/// With no trusted proxy it is the connection's. With `trusted_proxies` = n, the n proxies in front of
/// the relay each appended the address they saw to `X-Forwarded-For`, so the n-th entry from the right
/// is the first one that no sender can have written; everything left of it may be forged.
///
/// Empty elements at the end of the list are none: a proxy that writes a comma too many wrote them, because senders
/// write only what is left of it. Any other empty element counts, and is no address: what it stands for is not known,
/// and to pass over it could make an entry count that a sender wrote.
///
/// `None` when that entry is missing or is not an address: such a request came past the proxies.
pub fn client_address(head: &RequestHead, trusted_proxies: usize) -> Option<IpAddr> {
    let Some(from_right) = trusted_proxies.checked_sub(1) else {
        return head.peer.map(|peer| peer.to_canonical());
    };
    let lines = head.headers.get_all("x-forwarded-for").iter().rev();
    // Repeated lines are one list (RFC 9110, section 5.3): the last line holds the newest entries.
    let entries = lines.flat_map(|line| line.as_bytes().rsplit(|&b| b == b','));
    let mut entries = entries
        .map(<[u8]>::trim_ascii)
        .skip_while(|entry| entry.is_empty());
    let entry = entries.nth(from_right)?;
    forwarded_address(std::str::from_utf8(entry).ok()?)
}

/// The address in an entry of `X-Forwarded-For`, which may be in brackets, and have a port behind it. Azure, load
/// balancers of AWS and some proxies write it so. `None` when it is no address.
pub fn forwarded_address(entry: &str) -> Option<IpAddr> {
    let unbracketed = entry
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(entry);
    IpAddr::from_str(unbracketed)
        .or_else(|_| SocketAddr::from_str(entry).map(|socket| socket.ip()))
        .ok()
        .map(|a| a.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, HeaderValue, Method};
    use std::time::Duration;

    fn head(lines: &[&'static str]) -> RequestHead {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_static(line));
        }
        let peer = Some("::ffff:192.0.2.1".parse().unwrap());
        RequestHead {
            method: Method::POST,
            path: "/".into(),
            headers,
            peer,
            arrived: Duration::ZERO,
        }
    }

    #[test]
    fn the_nth_entry_from_the_right_counts_over_all_lines() {
        let cases: [(&[&'static str], usize, Option<&str>); 11] = [
            (&["203.0.113.9"], 0, Some("192.0.2.1")),
            (&["203.0.113.9"], 1, Some("203.0.113.9")),
            (&["6.6.6.6, 203.0.113.9"], 1, Some("203.0.113.9")),
            (&["6.6.6.6", "203.0.113.9"], 1, Some("203.0.113.9")),
            (
                &["6.6.6.6", "203.0.113.9, 10.0.0.1"],
                2,
                Some("203.0.113.9"),
            ),
            (&["203.0.113.9:4711"], 1, Some("203.0.113.9")),
            (&["[2001:db8::1]:4711"], 1, Some("2001:db8::1")),
            (&["[2001:db8::1]"], 1, Some("2001:db8::1")),
            (&["::ffff:203.0.113.9"], 1, Some("203.0.113.9")),
            (&["203.0.113.9"], 2, None),
            (&["203.0.113.9, unknown"], 1, None),
        ];
        for (lines, proxies, expected) in cases {
            let expected: Option<IpAddr> = expected.map(|e| e.parse().unwrap());
            assert_eq!(
                client_address(&head(lines), proxies),
                expected,
                "{lines:?} with {proxies}"
            );
        }
    }

    #[test]
    fn empty_elements_count_unless_they_end_the_list() {
        let cases: [(&[&'static str], usize, Option<&str>); 12] = [
            (&["6.6.6.6, 203.0.113.9,"], 1, Some("203.0.113.9")),
            (&["6.6.6.6, 203.0.113.9 , ,\t"], 1, Some("203.0.113.9")),
            (&["6.6.6.6, 203.0.113.9", ""], 1, Some("203.0.113.9")),
            (&["6.6.6.6, 203.0.113.9, 10.0.0.1,"], 2, Some("203.0.113.9")),
            // An entry of the sender's does not move to where a proxy's entry has to be.
            (&["6.6.6.6,,203.0.113.9"], 1, Some("203.0.113.9")),
            (&["6.6.6.6,,203.0.113.9"], 2, None),
            (&["6.6.6.6,, 10.0.0.1"], 2, None),
            (&["6.6.6.6,", "10.0.0.1"], 2, None),
            (&["6.6.6.6", "", "10.0.0.1"], 2, None),
            (&["6.6.6.6,"], 2, None),
            (&[",,"], 1, None),
            (&[""], 1, None),
        ];
        for (lines, proxies, expected) in cases {
            let expected: Option<IpAddr> = expected.map(|e| e.parse().unwrap());
            assert_eq!(
                client_address(&head(lines), proxies),
                expected,
                "{lines:?} with {proxies}"
            );
        }
    }

    #[test]
    fn an_address_may_have_brackets_and_a_port() {
        for (entry, expected) in [
            ("203.0.113.9", Some("203.0.113.9")),
            ("203.0.113.9:4711", Some("203.0.113.9")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("[2001:db8::1]:4711", Some("2001:db8::1")),
            ("[2001:db8::1", None),
            ("unknown", None),
            ("", None),
        ] {
            let expected = expected.map(|address| address.parse::<IpAddr>().unwrap());
            assert_eq!(forwarded_address(entry), expected, "{entry}");
        }
    }

    #[test]
    fn mapped_blocks_and_bad_entries() {
        let list = Allowlist::try_from(
            ["::ffff:10.0.0.0/104".to_owned(), "2001:db8::/32".to_owned()].as_slice(),
        )
        .unwrap();
        assert!(list.contains("10.255.0.1".parse().unwrap()));
        assert!(list.contains("2001:db8:1::1".parse().unwrap()));
        assert!(!list.contains("11.0.0.1".parse().unwrap()));
        for bad in ["", "10.0.0.0/33", "example.com", "10.0.0"] {
            assert!(
                Allowlist::try_from([bad.to_owned()].as_slice()).is_err(),
                "{bad}"
            );
        }
    }
}
