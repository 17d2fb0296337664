//! Requests to services that have no SDK here: signed by AWS's own signer, sent over the shared client.

use crate::credentials::{CredentialsSource, no_credentials};
use crate::http::{Answer, Http, read};
use crate::quoted_text::chain;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use labelrelay_event::Digest;
use std::error::Error as StdError;
use std::fmt;
use std::time::SystemTime;

/// One service in one region.
#[derive(Clone)]
pub(crate) struct SignedClient {
    pub(crate) http: Http,
    pub(crate) credentials: CredentialsSource,
    pub(crate) region: String,
    /// As signatures name it.
    pub(crate) service: &'static str,
    /// Scheme, host and port.
    pub(crate) endpoint: String,
}

/// A request's body, and its SHA-256 in hex.
pub(crate) struct Content {
    pub(crate) body: SdkBody,
    pub(crate) sha256: String,
}

impl Content {
    /// A request without a body.
    pub(crate) fn empty() -> Self {
        Self {
            body: SdkBody::empty(),
            sha256: Digest::of(b"").to_hex(),
        }
    }
}

type BoxError = Box<dyn StdError + Send + Sync>;

/// No answer came that could be read.
#[derive(Debug, thiserror::Error)]
#[error("{}", told(endpoint, &**source))]
pub(crate) struct NoResponse {
    endpoint: String,
    source: BoxError,
}

impl NoResponse {
    /// Our identity is wrong, and stays so until somebody mends it.
    pub(crate) fn is_permanent(&self) -> bool {
        no_credentials(&*self.source).is_some_and(|error| error.is_permanent)
    }
}

fn told(endpoint: &str, source: &(dyn StdError + Send + Sync + 'static)) -> String {
    match no_credentials(source) {
        // Nobody was asked.
        Some(error) => error.to_string(),
        None => format!("{endpoint} does not answer: {}", chain(source)),
    }
}

impl SignedClient {
    /// Connections of its own: for what is asked so rarely that kept ones are dead ones.
    pub(crate) fn with_own_connections(&self) -> Self {
        Self {
            http: self.http.with_own_connections(),
            credentials: self.credentials.clone(),
            region: self.region.clone(),
            endpoint: self.endpoint.clone(),
            ..*self
        }
    }

    /// Sends a request for `path`, which is encoded already, and reads an answer of at most `max` bytes.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        content: Content,
        max: usize,
    ) -> Result<Answer, NoResponse> {
        let attempt = self.http.attempt();
        let exchanged = async {
            let identity = Identity::from(self.credentials.get().await?);
            let request = self.signed(&identity, method, path, headers, content)?;
            let response = self.http.call(request).await?;
            read(response, max).await
        };
        let answer = exchanged.await.map_err(|source| NoResponse {
            endpoint: self.endpoint.clone(),
            source,
        })?;
        // After a 5xx the connection is retired: another server behind the same name may be well.
        if answer.status < 500 {
            attempt.answered();
        }
        Ok(answer)
    }

    fn signed(
        &self,
        identity: &Identity,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        content: Content,
    ) -> Result<HttpRequest, BoxError> {
        let url = format!("{}{path}", self.endpoint);
        let params = v4::SigningParams::builder()
            .identity(identity)
            .region(&self.region)
            .name(self.service)
            .time(SystemTime::now())
            .settings(self.settings())
            .build()?
            .into();
        let body = SignableBody::Precomputed(content.sha256);
        let signable = SignableRequest::new(method, &url, headers.iter().copied(), body)?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        let mut request = http::Request::builder().method(method).uri(&url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(content.body)?;
        instructions.apply_to_request_http1x(&mut request);
        Ok(request.try_into()?)
    }

    /// S3 signs paths as they are and wants the body's digest in a header; the others do not.
    fn settings(&self) -> SigningSettings {
        let mut settings = SigningSettings::default();
        if self.service == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        settings
    }
}

impl fmt::Debug for SignedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SignedClient({} {} [redacted])",
            self.service, self.endpoint
        )
    }
}
