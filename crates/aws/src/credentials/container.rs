//! The role of a container: an address of its platform gives the keys out. ECS, and EKS's Pod Identity.

use super::failure::NoCredentials;
use crate::http::{Http, read};
use crate::quoted_text::chain;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use jiff::Timestamp;
use labelrelay_core::BackEndError;
use labelrelay_core::config::Lookup;
use serde_json::Value;
use std::fmt;
use std::path::PathBuf;
use std::time::SystemTime;

/// Address at which ECS gives a task its role's keys.
const ECS: &str = "http://169.254.170.2";

/// Besides loopback, the only addresses that are asked without TLS: ECS, and EKS's Pod Identity.
const LINK_LOCAL: [&str; 3] = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"];

const MAX_ANSWER_BYTES: usize = 64 * 1024;

const OF_ECS: &str = "give the task a role (`taskRoleArn`), and let its trust policy allow sts:AssumeRole to ecs-tasks.amazonaws.com";
const OF_EKS: &str = "associate the pod's service account with a role (aws eks create-pod-identity-association), let the role's trust policy allow sts:AssumeRole and sts:TagSession to pods.eks.amazonaws.com, and see that the cluster runs the Pod Identity agent";

/// The address that gives a container its role's keys.
pub(crate) struct Container {
    url: String,
    token: Option<Token>,
    http: Http,
    identity: String,
    cure: &'static str,
}

/// Token that is sent along, so that not everybody near gets the keys.
enum Token {
    Text(String),
    /// Read each time: the platform renews it.
    File(PathBuf),
}

impl Container {
    /// The address that the environment names, if it names one. It is not asked yet.
    ///
    /// # Errors
    /// [`BackEndError`] when the address is not to be trusted with the token.
    pub(crate) fn find(lookup: Lookup<'_>, http: &Http) -> Result<Option<Self>, BackEndError> {
        let relative = lookup.text("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")?;
        let full = lookup.text("AWS_CONTAINER_CREDENTIALS_FULL_URI")?;
        let (url, identity) = match (relative, full) {
            // The path is all that keeps others from asking: it is not told.
            (Some(path), _) => (
                format!("{ECS}{path}"),
                format!("the role of this task, at {ECS}"),
            ),
            (None, Some(url)) if may_be_asked(&url) => {
                let shown = url.split('?').next().unwrap_or_default();
                let identity = format!("the role of this container, at {shown}");
                (url, identity)
            }
            (None, Some(_)) => {
                return Err(BackEndError::of_variable(
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                    "is neither https nor an address that only this machine reaches",
                    "leave it as ECS or EKS has set it",
                ));
            }
            (None, None) => return Ok(None),
        };
        let token = match lookup.text("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")? {
            Some(path) => Some(Token::File(path.into())),
            None => lookup
                .text("AWS_CONTAINER_AUTHORIZATION_TOKEN")?
                .map(Token::Text),
        };
        let cure = match token {
            Some(Token::File(_)) => OF_EKS,
            _ => OF_ECS,
        };
        Ok(Some(Self {
            url,
            token,
            // Asked every few hours: a kept connection is a dead one.
            http: http.with_own_connections(),
            identity,
            cure,
        }))
    }

    /// Whose keys they are.
    pub(crate) fn identity(&self) -> &str {
        &self.identity
    }

    async fn fetch(&self) -> Result<Credentials, NoCredentials> {
        let mut request = http::Request::builder().uri(&self.url);
        if let Some(token) = &self.token {
            request = request.header("authorization", self.text_of(token)?.trim_end());
        }
        // Neither error is told: either may quote the token.
        let request = request
            .body(SdkBody::empty())
            .map_err(|_| self.permanent("its address or its token is none".to_owned()))?;
        let request = HttpRequest::try_from(request)
            .map_err(|_| self.permanent("its address or its token is none".to_owned()))?;
        let response = self.http.call(request).await;
        let response = response
            .map_err(|error| self.passing(format!("it does not answer: {}", chain(&error))))?;
        let answer = read(response, MAX_ANSWER_BYTES)
            .await
            .map_err(|error| self.passing(format!("its answer broke off: {}", chain(&*error))))?;
        if !answer.is_success() {
            let problem = format!("it answers {}", answer.status);
            return Err(match answer.status {
                400 | 401 | 403 | 404 => self.permanent(problem),
                _ => self.passing(problem),
            });
        }
        parse(&answer.body).ok_or_else(|| self.passing("it answers with no credentials".to_owned()))
    }

    fn text_of(&self, token: &Token) -> Result<String, NoCredentials> {
        match token {
            Token::Text(text) => Ok(text.clone()),
            Token::File(path) => std::fs::read_to_string(path).map_err(|error| {
                let path = path.display();
                self.permanent(format!(
                    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names {path}, which cannot be read: {error}"
                ))
            }),
        }
    }

    fn permanent(&self, problem: String) -> NoCredentials {
        NoCredentials {
            is_permanent: true,
            ..self.passing(problem)
        }
    }

    fn passing(&self, problem: String) -> NoCredentials {
        NoCredentials {
            identity: self.identity.clone(),
            problem,
            cure: self.cure.to_owned(),
            is_permanent: false,
        }
    }
}

impl ProvideCredentials for Container {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            self.fetch().await.map_err(CredentialsError::provider_error)
        })
    }
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Container([redacted])")
    }
}

fn parse(answer: &[u8]) -> Option<Credentials> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let text = |name: &str| answer.get(name)?.as_str().map(str::to_owned);
    let end = text("Expiration").map(|end| end.parse::<Timestamp>());
    let end = end.transpose().ok()?.map(SystemTime::from);
    Some(Credentials::new(
        text("AccessKeyId")?,
        text("SecretAccessKey")?,
        text("Token"),
        end,
        "container",
    ))
}

fn may_be_asked(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else {
        return false;
    };
    let host = uri.host().unwrap_or_default();
    let is_near = LINK_LOCAL.contains(&host)
        || matches!(host, "localhost" | "[::1]")
        || host
            .parse::<std::net::Ipv4Addr>()
            .is_ok_and(|ip| ip.is_loopback());
    match uri.scheme_str() {
        Some("https") => !host.is_empty(),
        Some("http") => is_near,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_asked_for_where_only_this_machine_reaches_or_by_tls() {
        for good in [
            "https://role.example/keys",
            "http://169.254.170.2/v2/credentials/1",
            "http://169.254.170.23/v1/credentials",
            "http://[fd00:ec2::23]/v1/credentials",
            "http://127.0.0.1:9911/keys",
            "http://localhost/keys",
        ] {
            assert!(may_be_asked(good), "{good}");
        }
        for bad in [
            "http://role.example/keys",
            "http://169.254.169.254/",
            "file:///keys",
            "",
        ] {
            assert!(!may_be_asked(bad), "{bad}");
        }
    }

    #[test]
    fn an_answer_without_keys_is_an_error() {
        let good = br#"{"AccessKeyId":"a","SecretAccessKey":"b","Token":"c","Expiration":"2026-11-25T10:00:00Z"}"#;
        let parsed = parse(good).expect("credentials");
        assert_eq!(
            (parsed.access_key_id(), parsed.session_token()),
            ("a", Some("c"))
        );
        assert!(parsed.expiry().is_some());
        for bad in [
            &b"{}"[..],
            b"nonsense",
            br#"{"AccessKeyId":"a","SecretAccessKey":"b","Expiration":"soon"}"#,
        ] {
            assert!(parse(bad).is_none());
        }
    }
}
