//! A bucket and a prefix in it, and requests to them.

use crate::arn_and_dns_suffix::dns_suffix;
use crate::credentials::CredentialsSource;
use crate::http::{Answer, Http};
use crate::signed_client::{Content, NoResponse, SignedClient};
use labelrelay_core::BackEndError;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// A bucket and a prefix in it, with a client for them.
#[derive(Clone)]
pub(crate) struct S3Location {
    pub(super) bucket: String,
    /// Without slashes around it; may be empty.
    pub(super) prefix: String,
    pub(super) region: String,
    signed: SignedClient,
    /// Path before the key.
    base: String,
}

const CURE: &str = "write s3://bucket/prefix";

/// The characters that are escaped in a path; S3 takes the others as they are.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/');

impl S3Location {
    pub(crate) fn new(
        url: &str,
        region: String,
        endpoint: Option<&str>,
        credentials: CredentialsSource,
        http: Http,
    ) -> Result<Self, BackEndError> {
        let invalid = |problem| BackEndError::new(url, problem, CURE);
        let rest = url
            .strip_prefix("s3://")
            .ok_or_else(|| invalid("is not the URL of a bucket"))?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if !is_bucket(bucket) {
            return Err(invalid("names no bucket that S3 would have"));
        }
        let prefix = prefix.trim_matches('/');
        let odd = |part: &str| matches!(part, "" | "." | "..");
        let printable = prefix.bytes().all(|byte| byte.is_ascii_graphic());
        if !printable || (!prefix.is_empty() && prefix.split('/').any(odd)) {
            return Err(invalid(
                "has a prefix that is not plain words between slashes",
            ));
        }
        // A name with dots is no name that the certificate covers; an endpoint of one's own has no
        // names for buckets.
        let (endpoint, base) = match endpoint {
            Some(endpoint) => (endpoint.to_owned(), format!("/{bucket}")),
            None if bucket.contains('.') => (
                format!("https://s3.{region}.{}", dns_suffix(&region)),
                format!("/{bucket}"),
            ),
            None => (
                format!("https://{bucket}.s3.{region}.{}", dns_suffix(&region)),
                String::new(),
            ),
        };
        let signed = SignedClient {
            http,
            credentials,
            region: region.clone(),
            service: "s3",
            endpoint,
        };
        Ok(Self {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            region,
            signed,
            base,
        })
    }

    /// The whole key of what the relay calls `key`.
    pub(super) fn key(&self, key: &str) -> String {
        if self.prefix.is_empty() {
            key.to_owned()
        } else {
            format!("{}/{key}", self.prefix)
        }
    }

    /// The resource that a policy names.
    pub(super) fn arn(&self) -> String {
        let partition = match self.region.as_str() {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        format!("arn:{partition}:s3:::{}", self.bucket)
    }

    /// A request about the object under the whole `key`.
    pub(super) async fn object(
        &self,
        method: &str,
        key: &str,
        headers: &[(&str, &str)],
        content: Content,
        max: usize,
    ) -> Result<Answer, NoResponse> {
        let path = format!("{}/{}", self.base, utf8_percent_encode(key, ESCAPED));
        self.signed.send(method, &path, headers, content, max).await
    }

    /// A request about the bucket.
    pub(super) async fn list(
        &self,
        query: &[(&str, &str)],
        max: usize,
    ) -> Result<Answer, NoResponse> {
        const ALL: &AsciiSet = &ESCAPED.add(b'/');
        let query: Vec<_> = query
            .iter()
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, ALL)))
            .collect();
        let path = format!("{}/?{}", self.base, query.join("&"));
        self.signed
            .send("GET", &path, &[], Content::empty(), max)
            .await
    }
}

/// AWS's rules for names of buckets.
fn is_bucket(name: &str) -> bool {
    let good = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'.';
    (3..=63).contains(&name.len())
        && name.bytes().all(good)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_credential_types::Credentials;
    use aws_smithy_http_client::tls::TlsContext;

    fn located(url: &str, endpoint: Option<&str>) -> Result<S3Location, BackEndError> {
        let credentials = Credentials::new("test", "test", None, None, "test");
        let credentials = CredentialsSource::Fixed(credentials);
        let http = Http::new(TlsContext::default());
        S3Location::new(url, "eu-west-1".to_owned(), endpoint, credentials, http)
    }

    #[test]
    fn a_bucket_is_addressed_by_a_name_that_its_certificate_covers() {
        let cases = [
            (
                "s3://bucket/a/b/",
                None,
                "https://bucket.s3.eu-west-1.amazonaws.com",
                "",
            ),
            (
                "s3://a.bucket",
                None,
                "https://s3.eu-west-1.amazonaws.com",
                "/a.bucket",
            ),
            (
                "s3://bucket",
                Some("http://127.0.0.1:1"),
                "http://127.0.0.1:1",
                "/bucket",
            ),
        ];
        for (url, given, endpoint, base) in cases {
            let location = located(url, given).expect(url);
            assert_eq!(
                (location.signed.endpoint.as_str(), location.base.as_str()),
                (endpoint, base)
            );
        }
        let location = located("s3://bucket/a/b/", None).expect("a location");
        assert_eq!(location.key("c"), "a/b/c");
        assert_eq!(
            located("s3://bucket", None).expect("a location").key("c"),
            "c"
        );
    }

    #[test]
    fn an_invalid_bucket_is_refused_with_the_cure() {
        for url in [
            "",
            "bucket",
            "s3://",
            "s3:///a",
            "s3://B",
            "s3://ab",
            "s3://bu_cket",
            "s3://bucket/a//b",
            "s3://bucket/../b",
            "s3://bucket/a b",
            "https://bucket.s3.amazonaws.com/",
        ] {
            let error = located(url, None).map(drop).expect_err(url).to_string();
            assert!(error.contains("s3://bucket/prefix"), "{error}");
        }
    }
}
