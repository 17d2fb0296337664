//! Hosts that media are fetched from: scheme, host and port, as the user named them.

use http::Uri;
use std::fmt;
use std::str::FromStr;

/// A scheme, a host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    is_tls: bool,
    /// In lower case, without the brackets of IPv6.
    host: String,
    port: u16,
}

impl Origin {
    /// The origin of a URL; `None` if it is none of HTTP.
    pub(super) fn of(uri: &Uri) -> Option<Self> {
        let is_tls = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
        (!host.is_empty()).then(|| Self {
            is_tls,
            host: host.to_ascii_lowercase(),
            port: uri.port_u16().unwrap_or(default_port(is_tls)),
        })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Name of the folder for what it has.
    pub(super) fn folder(&self) -> String {
        let host = self.host.replace(':', "_");
        match (self.is_tls, self.port) {
            (true, 443) => host,
            (_, port) => format!("{host}_{port}"),
        }
    }
}

fn default_port(is_tls: bool) -> u16 {
    if is_tls { 443 } else { 80 }
}

impl fmt::Display for Origin {
    /// As addresses begin that are there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]", self.host)?;
        } else {
            write!(f, "{scheme}://{}", self.host)?;
        }
        if self.port == default_port(self.is_tls) {
            return Ok(());
        }
        write!(f, ":{}", self.port)
    }
}

impl FromStr for Origin {
    type Err = String;

    /// Reads `HOST`, `HOST:PORT`, or a URL of these alone. Without a scheme it is https.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write a host, such as cdn.example.org or http://10.0.0.5:9000".to_owned();
        let url = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let is_origin_alone = matches!(uri.path(), "" | "/") && uri.query().is_none();
        let origin = Self::of(&uri).filter(|_| is_origin_alone && !url.contains(['@', '#']));
        origin.ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_https_unless_it_is_said() {
        for (text, origin, folder) in [
            (
                "CDN.example.org",
                "https://cdn.example.org",
                "cdn.example.org",
            ),
            (
                "https://cdn.example.org:443/",
                "https://cdn.example.org",
                "cdn.example.org",
            ),
            (
                "cdn.example.org:8443",
                "https://cdn.example.org:8443",
                "cdn.example.org_8443",
            ),
            ("http://10.0.0.5", "http://10.0.0.5", "10.0.0.5_80"),
            ("http://[::1]:9000", "http://[::1]:9000", "__1_9000"),
        ] {
            let read: Origin = text.parse().unwrap();
            assert_eq!(
                (read.to_string(), read.folder()),
                (origin.to_owned(), folder.to_owned())
            );
        }
        for wrong in [
            "",
            "s3://bucket",
            "https://h/path",
            "https://h?x",
            "https://user@h",
            "h/path",
            "two words",
        ] {
            assert!(wrong.parse::<Origin>().is_err(), "{wrong}");
        }
    }
}
