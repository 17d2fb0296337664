//! Our credentials: keys in the environment, or those of a container's role, which change every few hours.

use crate::http::{Http, read};
use crate::quoted_text::chain;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result as Provided, future};
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_types::body::SdkBody;
use futures_util::lock::Mutex;
use jiff::Timestamp;
use labelrelay_core::BackEndError;
use serde_json::Value;
use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Address at which ECS gives a task its role's keys.
const ECS: &str = "http://169.254.170.2";

/// Besides loopback, the only addresses that are asked without TLS: ECS, and EKS's Pod Identity.
const LINK_LOCAL: [&str; 3] = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"];

/// New keys are asked for this long before the old ones expire.
const EARLY: Duration = Duration::from_mins(5);

const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Reads a variable of the environment.
type Variables<'a> = &'a dyn Fn(&str) -> Result<Option<String>, BackEndError>;

type BoxError = Box<dyn StdError + Send + Sync>;

/// Source of credentials. Cheap to clone; clones share what was fetched.
#[derive(Clone)]
pub(crate) enum CredentialsSource {
    /// Credentials from the environment.
    Fixed(Credentials),
    /// An address of the container's platform gives them out.
    Container(Arc<Container>),
}

/// The address that gives a container its role's keys.
pub(crate) struct Container {
    url: String,
    token: Option<Token>,
    http: Http,
    known: Mutex<Option<Credentials>>,
}

/// Token that is sent along, so that not everybody near gets the keys.
enum Token {
    Text(String),
    /// Read each time: the platform renews it.
    File(PathBuf),
}

impl CredentialsSource {
    /// Credentials that the environment names, if it names any. Nothing is asked for yet.
    ///
    /// # Errors
    /// [`BackEndError`] when half of them is missing, or the address is not to be trusted with them.
    pub(crate) fn find(variable: Variables<'_>, http: &Http) -> Result<Option<Self>, BackEndError> {
        if let Some(fixed) = in_the_environment(variable)? {
            return Ok(Some(Self::Fixed(fixed)));
        }
        let relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")?;
        let url = match (relative, variable("AWS_CONTAINER_CREDENTIALS_FULL_URI")?) {
            (Some(path), _) => format!("{ECS}{path}"),
            (None, Some(url)) if may_be_asked(&url) => url,
            (None, Some(_)) => {
                return Err(BackEndError::of_variable(
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                    "is neither https nor an address that only this machine reaches",
                    "leave it as ECS or EKS has set it",
                ));
            }
            (None, None) => return Ok(None),
        };
        let token = match variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")? {
            Some(path) => Some(Token::File(path.into())),
            None => variable("AWS_CONTAINER_AUTHORIZATION_TOKEN")?.map(Token::Text),
        };
        Ok(Some(Self::Container(Arc::new(Container {
            url,
            token,
            // Asked every few hours: a kept connection is a dead one.
            http: http.with_own_connections(),
            known: Mutex::new(None),
        }))))
    }

    /// The credentials that sign requests now.
    pub(crate) async fn get(&self) -> Result<Credentials, BoxError> {
        match self {
            Self::Fixed(credentials) => Ok(credentials.clone()),
            Self::Container(container) => container.get().await,
        }
    }
}

impl Container {
    async fn get(&self) -> Result<Credentials, BoxError> {
        // Whoever comes while they are fetched waits for that, instead of fetching too.
        let mut known = self.known.lock().await;
        let now = SystemTime::now();
        let good_at = |credentials: &Credentials, moment: SystemTime| {
            credentials.expiry().is_none_or(|end| end > moment)
        };
        if let Some(credentials) = known.as_ref().filter(|known| good_at(known, now + EARLY)) {
            return Ok(credentials.clone());
        }
        match self.fetch().await {
            Ok(fresh) => Ok(known.insert(fresh).clone()),
            Err(error) => {
                // Known credentials are valid for a few minutes more.
                if let Some(credentials) = known.as_ref().filter(|known| good_at(known, now)) {
                    return Ok(credentials.clone());
                }
                let reason = chain(&*error);
                Err(format!(
                    "the credentials of the container's role cannot be had from {}: {reason}",
                    self.url
                )
                .into())
            }
        }
    }

    async fn fetch(&self) -> Result<Credentials, BoxError> {
        let mut request = http::Request::builder().uri(&self.url);
        if let Some(token) = &self.token {
            let token = match token {
                Token::Text(text) => text.clone(),
                Token::File(path) => std::fs::read_to_string(path)?,
            };
            request = request.header("authorization", token.trim_end());
        }
        let request = request.body(SdkBody::empty())?.try_into()?;
        let answer = read(self.http.call(request).await?, MAX_ANSWER_BYTES).await?;
        if !answer.is_success() {
            return Err(format!("it answers {}", answer.status).into());
        }
        parse(&answer.body).ok_or_else(|| "it answers with no credentials".into())
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

fn in_the_environment(variable: Variables<'_>) -> Result<Option<Credentials>, BackEndError> {
    let (one, other) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
    let alone = |set: &str, missing: &str| {
        BackEndError::of_variable(set, "is set alone", format!("set {missing}"))
    };
    match (variable(one)?, variable(other)?) {
        (Some(key), Some(secret)) => {
            let token = variable("AWS_SESSION_TOKEN")?;
            let credentials = Credentials::new(key, secret, token, None, "environment");
            Ok(Some(credentials))
        }
        (None, None) => Ok(None),
        (Some(_), None) => Err(alone(one, other)),
        (None, Some(_)) => Err(alone(other, one)),
    }
}

impl ProvideCredentials for CredentialsSource {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let found: Provided = self.get().await.map_err(CredentialsError::provider_error);
            found
        })
    }
}

impl fmt::Debug for CredentialsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialsSource([redacted])")
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
