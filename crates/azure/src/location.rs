//! Locations that URLs name: an account, a queue or a container, a prefix. Errors never repeat a URL: a query may
//! be a signature.

use crate::connection_string::ConnectionString;
use azure_core::http::Url;
use labelrelay_core::BackEndError;

/// A queue or a container of a storage account.
#[derive(Clone)]
pub(crate) struct StorageLocation {
    /// URL of the queue or container, the signature as its query if there is one.
    pub(crate) url: Url,
    /// `true` if the URL is signed; else a source of tokens is needed.
    pub(crate) is_signed: bool,
    pub(crate) account: String,
    /// Queue or container.
    pub(crate) name: String,
    /// Path behind the name, without slashes at its ends.
    pub(crate) prefix: String,
    /// Parameters that are ours.
    pub(crate) own: Vec<(String, String)>,
}

/// A URL or a reference, as errors show it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SettingValue<'a>(pub(crate) &'a str);

impl SettingValue<'_> {
    pub(crate) fn error(&self, problem: &str, cure: &str) -> BackEndError {
        BackEndError::new(self.0, problem, cure)
    }
}

/// Splits a query into our own parameters and those of a signature.
pub(crate) fn own_parameters(query: &str, known: &[&str]) -> (Vec<(String, String)>, String) {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let (own, others): (Vec<_>, Vec<_>) =
        pairs.partition(|pair| known.contains(&pair.split('=').next().unwrap_or_default()));
    let own = own.into_iter().map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name.to_owned(), value.to_owned())
    });
    (own.collect(), others.join("&"))
}

impl StorageLocation {
    /// Reads `SCHEME://ACCOUNT/NAME…` or a full URL of `service` (`queue`, `blob`).
    pub(crate) fn parse(
        text: &str,
        service: &str,
        known: &[&str],
        connection: Option<&ConnectionString>,
        setting: SettingValue<'_>,
    ) -> Result<Self, BackEndError> {
        let cure = match service {
            "queue" => "write azure-queue://ACCOUNT/QUEUE, or the full URL of the queue",
            _ => "write az://ACCOUNT/CONTAINER/PREFIX, or the full URL of the container",
        };
        let wrong = |problem: &str| setting.error(problem, cure);
        let (bare, query) = text.split_once('?').unwrap_or((text, ""));
        let (own, query) = own_parameters(query, known);
        let (scheme, rest) = bare
            .split_once("://")
            .ok_or_else(|| wrong("is not a URL"))?;
        let full = matches!(scheme, "http" | "https");
        let (endpoint, account, path) = if full {
            from_full(bare).ok_or_else(|| wrong("names no account, or nothing of it"))?
        } else {
            let (account, path) = rest.split_once('/').unwrap_or((rest, ""));
            let endpoint = connection
                .and_then(|connection| connection.endpoint(service, account))
                .unwrap_or_else(|| format!("https://{account}.{service}.core.windows.net"));
            (endpoint, account.to_owned(), path.to_owned())
        };
        let path = path.trim_matches('/');
        let (name, prefix) = path.split_once('/').unwrap_or((path, ""));
        if account.is_empty() || !is_name(&account) {
            return Err(wrong("names no account"));
        }
        if !is_name(name) || (service == "queue" && !prefix.is_empty()) {
            return Err(wrong("does not name one queue or container"));
        }
        let from_connection = connection
            .filter(|connection| !full && connection.endpoint(service, &account).is_some())
            .map(|connection| {
                connection.signature().ok_or_else(|| {
                    setting.error(
                        "AZURE_STORAGE_CONNECTION_STRING holds an account key and no shared access signature",
                        "give it `SharedAccessSignature=…`, or remove it and use a managed identity: account keys open everything and are not supported",
                    )
                })
            })
            .transpose()?;
        let signature = if query.is_empty() {
            from_connection.unwrap_or_default()
        } else {
            &query
        };
        let is_signed = signature.split('&').any(|pair| pair.starts_with("sig="));
        if !signature.is_empty() && !is_signed {
            return Err(setting.error(
                "has a query that is neither a shared access signature nor a known parameter",
                cure,
            ));
        }
        let mut url =
            Url::parse(&format!("{endpoint}/{name}")).map_err(|_| wrong("is not a URL"))?;
        url.set_query(is_signed.then_some(signature));
        if !is_signed && url.scheme() != "https" {
            return Err(setting.error(
                "would send a token without TLS",
                "use https, or a shared access signature",
            ));
        }
        Ok(Self {
            url,
            is_signed,
            account,
            name: name.to_owned(),
            prefix: prefix.to_owned(),
            own,
        })
    }

    /// A queue beside this one, with the same signature; `None` when that is no name of one.
    pub(crate) fn sibling(&self, name: &str) -> Option<Self> {
        let mut url = self.url.clone();
        url.path_segments_mut().ok()?.pop().push(name);
        // The service takes three characters or more, single hyphens, and none of them at an end.
        let is_name = is_name(name)
            && name.len() >= 3
            && !name.contains("--")
            && !name.starts_with('-')
            && !name.ends_with('-');
        is_name.then(|| Self {
            url,
            name: name.to_owned(),
            ..self.clone()
        })
    }

    /// Tells whether both are the same queue or container. Its URL has several forms: other hosts, and other schemes.
    pub(crate) fn is_of(&self, other: &Self) -> bool {
        self.account == other.account && self.name == other.name
    }

    /// The URL without its signature.
    pub(crate) fn public_url(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        url.to_string()
    }

    /// The value of one of our parameters.
    pub(crate) fn own(&self, name: &str) -> Option<&str> {
        let found = self.own.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Endpoint, account and path of a full URL. Emulators answer at an address, with the account as the first
/// part of the path.
fn from_full(bare: &str) -> Option<(String, String, String)> {
    let url = Url::parse(bare).ok()?;
    let host = url.host_str()?;
    let origin = bare.split('/').take(3).collect::<Vec<_>>().join("/");
    let path = url.path().trim_start_matches('/');
    let is_address =
        host == "localhost" || host.parse::<std::net::Ipv4Addr>().is_ok() || host.starts_with('[');
    if is_address {
        let (account, path) = path.split_once('/')?;
        Some((
            format!("{origin}/{account}"),
            account.to_owned(),
            path.to_owned(),
        ))
    } else {
        Some((origin, host.split('.').next()?.to_owned(), path.to_owned()))
    }
}

/// Accounts, queues and containers: lower-case letters, digits, hyphens (`$web` and `$root` are not ours).
fn is_name(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(text: &str, connection: Option<&str>) -> Result<StorageLocation, BackEndError> {
        let connection = connection.map(|text| ConnectionString::parse(text).unwrap());
        StorageLocation::parse(
            text,
            "queue",
            &["ttl_s"],
            connection.as_ref(),
            SettingValue(text),
        )
    }

    #[test]
    fn queue_urls_are_parsed() {
        for (text, url, signed) in [
            (
                "azure-queue://a/events",
                "https://a.queue.core.windows.net/events",
                false,
            ),
            (
                "azure-queue://a/events?ttl_s=60",
                "https://a.queue.core.windows.net/events",
                false,
            ),
            (
                "https://a.queue.core.chinacloudapi.cn/events",
                "https://a.queue.core.chinacloudapi.cn/events",
                false,
            ),
            (
                "https://a.queue.core.windows.net/events?sv=1&sig=x%3D&ttl_s=5",
                "https://a.queue.core.windows.net/events?sv=1&sig=x%3D",
                true,
            ),
            (
                "http://127.0.0.1:10001/a/events?sig=x",
                "http://127.0.0.1:10001/a/events?sig=x",
                true,
            ),
        ] {
            let location = queue(text, None).unwrap();
            assert_eq!(location.url.as_str(), url);
            assert_eq!(
                (location.is_signed, location.account.as_str()),
                (signed, "a")
            );
        }
    }

    #[test]
    fn a_queue_beside_another_has_its_signature() {
        let location = queue("http://127.0.0.1:1/a/events?sig=x", None).unwrap();
        let poison = location.sibling("events-poison").unwrap();
        assert_eq!(
            poison.url.as_str(),
            "http://127.0.0.1:1/a/events-poison?sig=x"
        );
        assert_eq!(
            (poison.name.as_str(), poison.is_signed),
            ("events-poison", true)
        );
        let long = format!("{}-poison", "x".repeat(57));
        for name in ["", "ab", "a--b", "-ab", "ab-", "Abc", "a/b", &long] {
            assert!(location.sibling(name).is_none(), "{name}");
        }
    }

    #[test]
    fn a_connection_string_signs_for_its_own_account_alone() {
        let connection = "QueueEndpoint=http://127.0.0.1:1/a;SharedAccessSignature=sv=1&sig=x";
        let own = queue("azure-queue://a/events", Some(connection)).unwrap();
        assert_eq!(own.url.as_str(), "http://127.0.0.1:1/a/events?sv=1&sig=x");
        let other = queue("azure-queue://b/events", Some(connection)).unwrap();
        assert_eq!(
            other.url.as_str(),
            "https://b.queue.core.windows.net/events"
        );
        assert!(!other.is_signed);
        let key = "AccountName=a;AccountKey=c2VjcmV0";
        let error = queue("azure-queue://a/events", Some(key)).err().unwrap();
        assert!(error.to_string().contains("SharedAccessSignature"));
        assert!(!error.to_string().contains("c2VjcmV0"));
    }

    #[test]
    fn an_invalid_queue_url_is_refused_and_not_repeated() {
        for text in [
            "azure-queue://",
            "azure-queue://a",
            "azure-queue://a/",
            "azure-queue://a/b/c",
            "azure-queue://a/Upper",
            "azure-queue://a/b?what=secret",
            "http://a.queue.core.windows.net/events",
            "http://127.0.0.1:10001/events?sig=secret",
            "secret",
        ] {
            let error = queue(text, None).err().unwrap_or_else(|| panic!("{text}"));
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
