//! Proxies that stand between this machine and the platforms, as the environment names them.

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use std::net::IpAddr;
use std::sync::Arc;

/// Proxies by which servers are asked; by default none.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    matcher: Option<Arc<Matcher>>,
    /// Variables that hold no URL of a proxy, though they are set.
    unusable: Vec<&'static str>,
}

impl Proxies {
    /// Names of the variables: for all URLs, for `http://`, for `https://`, and for hosts without a proxy. The second of
    /// each counts where the first is not set.
    pub const VARIABLES: [[&'static str; 2]; 4] = [
        ["ALL_PROXY", "all_proxy"],
        ["HTTP_PROXY", "http_proxy"],
        ["HTTPS_PROXY", "https_proxy"],
        ["NO_PROXY", "no_proxy"],
    ];

    /// Those of `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY`, but for the hosts of `NO_PROXY`; `variable` looks them up.
    /// The names in small letters count where those in capitals are not set.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |names: [&'static str; 2]| {
            let set = names.into_iter().find_map(|name| {
                let value = variable(name)?.trim().to_owned();
                (!value.is_empty()).then_some((name, value))
            });
            set.unwrap_or_default()
        };
        let [all, http, https, (_, no)] = Self::VARIABLES.map(set);
        let mut unusable = Vec::new();
        for (name, value) in [&all, &http, &https] {
            if !value.is_empty() && !is_proxy(value) {
                unusable.push(*name);
            }
        }
        let matcher = Matcher::builder().all(all.1).http(http.1).https(https.1);
        Self {
            matcher: Some(Arc::new(matcher.no(no).build())),
            unusable,
        }
    }

    /// The proxy that leads to `uri`; `None` where it is asked directly. No proxy leads to this machine itself.
    pub(super) fn to(&self, uri: &Uri) -> Option<Intercept> {
        let matcher = self.matcher.as_ref()?;
        if is_this_machine(uri.host()?) {
            return None;
        }
        matcher.intercept(uri)
    }

    /// Header with which a request to `uri` shows itself to its proxy. Behind TLS the proxy sees no header: it is told
    /// when the connection is made.
    pub(super) fn authorization(&self, uri: &Uri) -> Option<HeaderValue> {
        if is_encrypted(uri) {
            return None;
        }
        self.to(uri)?.basic_auth().cloned()
    }

    /// Words about the proxy of `uri`, for messages; nothing where nobody means there to be one. Shows no password.
    pub(super) fn words(&self, uri: &Uri) -> String {
        if let Some(proxy) = self.to(uri) {
            let proxy = proxy.uri();
            return format!(" by the proxy {proxy} (HTTPS_PROXY, HTTP_PROXY, NO_PROXY)");
        }
        if self.unusable.is_empty() || uri.host().is_none_or(is_this_machine) {
            return String::new();
        }
        let unusable = self.unusable.join(", ");
        format!(" without a proxy (there is no URL of one in {unusable})")
    }
}

/// Tells whether `value` names a proxy; of what does not, nothing is asked.
fn is_proxy(value: &str) -> bool {
    let alone = Matcher::builder().all(value).build();
    alone.intercept(&Uri::from_static("http://any")).is_some()
}

/// Tells whether requests to `uri` go through TLS.
pub(super) fn is_encrypted(uri: &Uri) -> bool {
    uri.scheme_str() == Some("https")
}

fn is_this_machine(host: &str) -> bool {
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = plain.parse::<IpAddr>() {
        let address = address.to_canonical();
        // The second is what a server prints that listens everywhere.
        return address.is_loopback() || address.is_unspecified();
    }
    let name = plain.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &'static [(&str, &str)]) -> Proxies {
        Proxies::of(move |name| {
            let mut set = variables.iter();
            let found = set.find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn proxy(proxies: &Proxies, uri: &str) -> Option<String> {
        let found = proxies.to(&uri.parse().unwrap());
        found.map(|proxy| proxy.uri().to_string())
    }

    #[test]
    fn each_scheme_has_its_proxy_and_some_hosts_have_none() {
        let set = proxies(&[
            ("HTTP_PROXY", " http://one:3128\n"),
            ("https_proxy", "two:3128"),
            ("NO_PROXY", "inside.test, 10.0.0.0/8"),
        ]);
        for (uri, expected) in [
            ("http://ls.test/x", Some("http://one:3128/")),
            ("https://ls.test/x", Some("http://two:3128/")),
            ("https://inside.test", None),
            ("https://deep.inside.test", None),
            ("http://10.1.2.3:8080", None),
            ("http://localhost:8080", None),
            ("http://127.0.0.1:8080", None),
            ("http://[::1]:8080", None),
            ("http://0.0.0.0:8080", None),
        ] {
            assert_eq!(proxy(&set, uri).as_deref(), expected, "{uri}");
        }
        let all = proxies(&[("ALL_PROXY", "http://all:1"), ("HTTP_PROXY", " ")]);
        assert_eq!(
            proxy(&all, "http://ls.test").as_deref(),
            Some("http://all:1/")
        );
        assert_eq!(proxy(&Proxies::default(), "http://ls.test"), None);
        assert_eq!(proxy(&proxies(&[]), "http://ls.test"), None);
    }

    #[test]
    fn a_password_is_shown_to_the_proxy_alone() {
        let set = proxies(&[("ALL_PROXY", "http://me:hidden@all:1")]);
        let (plain, encrypted) = (
            Uri::from_static("http://ls.test"),
            Uri::from_static("https://ls.test"),
        );
        assert!(set.authorization(&plain).unwrap().is_sensitive());
        assert_eq!(set.authorization(&encrypted), None);
        let said = format!("{set:?} {} {}", set.words(&plain), set.words(&encrypted));
        assert!(!said.contains("hidden"), "{said}");
        assert!(said.contains("by the proxy http://all:1/"), "{said}");
    }

    #[test]
    fn a_variable_that_names_no_proxy_is_named() {
        let set = proxies(&[
            ("https_proxy", "http://me:hid den@one:1"),
            ("HTTP_PROXY", "http://two:2"),
        ]);
        let said = set.words(&Uri::from_static("https://ls.test"));
        assert_eq!(
            said,
            " without a proxy (there is no URL of one in https_proxy)"
        );
        assert_eq!(set.words(&Uri::from_static("https://localhost")), "");
        let said = set.words(&Uri::from_static("http://ls.test"));
        assert!(said.starts_with(" by the proxy http://two:2/"), "{said}");
    }
}
