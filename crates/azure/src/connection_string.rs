//! Connection strings, as the portal hands them out: `Name=value;Name=value`.

use azure_core::http::Url;
use std::fmt;

/// The parts of a connection string that we use. `Debug` shows none of them: some are secrets.
#[derive(Clone)]
pub(crate) struct ConnectionString(Vec<(String, String)>);

impl ConnectionString {
    /// `None` when `text` is no connection string.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let pairs = text
            .split(';')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let pairs: Option<Vec<_>> = pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=')?;
                Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
            })
            .collect();
        pairs.filter(|pairs| !pairs.is_empty()).map(Self)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self
            .0
            .iter()
            .find(|(known, _)| *known == name.to_ascii_lowercase());
        found.map(|(_, value)| value.as_str())
    }

    /// The shared access signature, without a question mark.
    pub(crate) fn signature(&self) -> Option<&str> {
        self.get("SharedAccessSignature")
            .map(|signature| signature.trim_start_matches('?'))
            .filter(|signature| !signature.is_empty())
    }

    /// Endpoint of `service` (`queue`, `blob`) of `account`, without a slash at its end; `None` when this is
    /// about another account.
    pub(crate) fn endpoint(&self, service: &str, account: &str) -> Option<String> {
        let named = self.get("AccountName").is_some_and(|name| name == account);
        if let Some(endpoint) = self.get(&format!("{service}Endpoint")) {
            let endpoint = endpoint.trim_end_matches('/');
            let url = Url::parse(endpoint).ok()?;
            let by_host = url.host_str()?.split('.').next() == Some(account);
            let by_path = url.path().trim_start_matches('/') == account;
            return (named || by_host || by_path).then(|| endpoint.to_owned());
        }
        let protocol = self.get("DefaultEndpointsProtocol").unwrap_or("https");
        let suffix = self.get("EndpointSuffix").unwrap_or("core.windows.net");
        named.then(|| format!("{protocol}://{account}.{service}.{suffix}"))
    }
}

impl fmt::Debug for ConnectionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConnectionString([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_finds_its_endpoints_and_no_other_does() {
        let text = "BlobEndpoint=https://a.blob.core.windows.net/;QueueEndpoint=http://127.0.0.1:10001/a;SharedAccessSignature=?sv=1&sig=x%3D";
        let parsed = ConnectionString::parse(text).unwrap();
        assert_eq!(
            parsed.endpoint("queue", "a").as_deref(),
            Some("http://127.0.0.1:10001/a")
        );
        assert_eq!(
            parsed.endpoint("blob", "a").as_deref(),
            Some("https://a.blob.core.windows.net")
        );
        assert_eq!(parsed.endpoint("queue", "b"), None);
        assert_eq!(parsed.signature(), Some("sv=1&sig=x%3D"));
        assert!(!format!("{parsed:?}").contains("sig"));
    }

    #[test]
    fn an_account_by_name_has_the_usual_endpoints() {
        let text = "DefaultEndpointsProtocol=https;AccountName=a;SharedAccessSignature=sig=x;EndpointSuffix=core.chinacloudapi.cn";
        let parsed = ConnectionString::parse(text).unwrap();
        let expected = Some("https://a.queue.core.chinacloudapi.cn".to_owned());
        assert_eq!(parsed.endpoint("queue", "a"), expected);
        assert!(ConnectionString::parse("nonsense").is_none());
    }
}
