//! Our identity: whose it is, in words; errors of it that name the cure; and another try when it was mended.

use google_cloud_auth::build_errors::Error as BuildError;
use google_cloud_auth::credentials::{
    Builder, CacheableResource, Credentials, CredentialsProvider,
};
use google_cloud_gax::error::CredentialsError;
use http::{Extensions, HeaderMap};
use labelrelay_core::chain;
use labelrelay_core::config::Lookup;
use serde_json::Value;
use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The variable that names a file of credentials.
pub(crate) const FILE: &str = "GOOGLE_APPLICATION_CREDENTIALS";

/// What `gcloud auth application-default login` writes, below the home directory.
const OF_GCLOUD: &str = ".config/gcloud/application_default_credentials.json";

/// Longest that others are quoted.
const MAX_SAID: usize = 300;

/// What the library says of every error. It is not true here: [`Identity`] tries again.
const FORECASTS: [&str; 2] = [
    " and future attempts will not succeed",
    " but future attempts may succeed",
];

/// An identity that was refused is not tried again before this time has passed.
const PAUSE: Duration = Duration::from_secs(10);

/// Why an identity gives no token. Never holds a secret.
#[derive(Debug, Clone, thiserror::Error)]
#[error("is not asked, for there are no credentials from {identity}: {problem}; {cure}")]
pub(crate) struct NoCredentials {
    pub(crate) identity: String,
    pub(crate) problem: String,
    pub(crate) cure: &'static str,
}

/// The error of an identity among the causes of `error`.
pub(crate) fn no_credentials<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a NoCredentials> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<NoCredentials>() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

/// Whose credentials Google's library finds: Application Default Credentials.
#[derive(Debug, Clone)]
pub(crate) struct Whose {
    identity: String,
    cure: &'static str,
}

impl Whose {
    /// As the environment says. The file is read for its kind; if it cannot be, opening it says so.
    pub(crate) fn of(lookup: Lookup<'_>) -> Self {
        let named = lookup.get(FILE).map(PathBuf::from);
        let home = lookup.get("HOME").map(PathBuf::from);
        let of_gcloud = home.map(|home| home.join(OF_GCLOUD));
        let file = named.or(of_gcloud.filter(|file| file.exists()));
        match file {
            Some(file) => Self::of_file(&file),
            None => Self {
                identity: "the service account of this machine, by its metadata server".to_owned(),
                cure: "give the service, VM or pod a service account; elsewhere set GOOGLE_APPLICATION_CREDENTIALS to a file of credentials",
            },
        }
    }

    fn of_file(file: &Path) -> Self {
        let read = std::fs::read(file).unwrap_or_default();
        let json: Value = serde_json::from_slice(&read).unwrap_or_default();
        let text = |name: &str| json.get(name).and_then(Value::as_str);
        let shown = file.display();
        let (identity, cure) = match text("type") {
            Some("external_account") => {
                let account = text("service_account_impersonation_url").and_then(account_of);
                let whose = account.map_or_else(
                    || "the principal of".to_owned(),
                    |account| format!("service account {account}, by"),
                );
                let place = |name: &str| json.pointer(name).and_then(Value::as_str);
                let token = place("/credential_source/file")
                    .or_else(|| place("/credential_source/url")?.split('?').next())
                    .unwrap_or("a program");
                (
                    format!(
                        "{whose} workload identity federation as in {shown}, with the token of {token}"
                    ),
                    "let the provider of the workload identity pool accept this token's issuer, audience and attributes, grant the pool's principal roles/iam.workloadIdentityUser on the service account, and see that the token is there and has not ended",
                )
            }
            Some("service_account") => (
                format!(
                    "service account {}, by its key in {shown}",
                    text("client_email").unwrap_or_default()
                ),
                "make another key of that service account, set this machine's clock, or use workload identity federation",
            ),
            Some("impersonated_service_account") => {
                let account = text("service_account_impersonation_url").and_then(account_of);
                (
                    account.map_or_else(
                        || format!("a service account that is impersonated as in {shown}"),
                        |account| format!("service account {account}, impersonated as in {shown}"),
                    ),
                    "grant roles/iam.serviceAccountTokenCreator on the service account to the identity that impersonates it, and see that this one is good",
                )
            }
            Some("authorized_user") => (
                format!("the user of gcloud, as in {shown}"),
                "log in again: gcloud auth application-default login",
            ),
            _ => (
                format!("the file {shown}"),
                "name a file of credentials in GOOGLE_APPLICATION_CREDENTIALS, or unset it; in Google's cloud nothing has to be set",
            ),
        };
        Self { identity, cure }
    }

    /// Words for it.
    pub(crate) fn identity(&self) -> &str {
        &self.identity
    }

    fn error(&self, problem: String, is_transient: bool) -> CredentialsError {
        let told = NoCredentials {
            identity: self.identity.clone(),
            problem,
            cure: self.cure,
        };
        CredentialsError::from_source(is_transient, told)
    }
}

/// The service account in the address at which it is impersonated.
fn account_of(url: &str) -> Option<&str> {
    let (_, name) = url.rsplit_once('/')?;
    name.strip_suffix(":generateAccessToken")
}

/// Credentials of an identity. The library gives up for ever what was refused once, so it is made anew then.
pub(crate) struct Identity {
    whose: Whose,
    make: Make,
    pause: Duration,
    held: Mutex<Held>,
}

type Make = Box<dyn Fn() -> Result<Credentials, BuildError> + Send + Sync>;

struct Held {
    credentials: Credentials,
    has_worked: bool,
    refused: Option<Instant>,
}

impl Identity {
    /// Reads what Google's library finds. Must be called within a Tokio runtime: a task of it renews the token.
    ///
    /// # Errors
    /// The library's own, when a file of credentials cannot be used.
    pub(crate) fn open(whose: Whose) -> Result<Self, BuildError> {
        Self::with(whose, Box::new(|| Builder::default().build()), PAUSE)
    }

    fn with(whose: Whose, make: Make, pause: Duration) -> Result<Self, BuildError> {
        let held = Mutex::new(Held::of(make()?));
        Ok(Self {
            whose,
            make,
            pause,
            held,
        })
    }

    /// The credentials at hand, made anew where they were refused a while ago; and whether they have worked.
    fn current(&self) -> Result<(Credentials, bool), BuildError> {
        let mut held = self.held();
        if held.refused.is_some_and(|at| at.elapsed() >= self.pause) {
            *held = Held::of((self.make)()?);
        }
        Ok((held.credentials.clone(), held.has_worked))
    }

    /// New ones, for those that have worked and do no longer.
    fn renewed(&self) -> Result<Credentials, BuildError> {
        let mut held = self.held();
        if held.has_worked {
            *held = Held::of((self.make)()?);
        }
        Ok(held.credentials.clone())
    }

    async fn asked(
        &self,
        credentials: &Credentials,
        extensions: Extensions,
    ) -> Result<CacheableResource<HeaderMap>, CredentialsError> {
        let answer = credentials.headers(extensions).await;
        let mut held = self.held();
        match &answer {
            Ok(_) => held.has_worked = true,
            Err(error) if !error.is_transient() => {
                held.refused.get_or_insert_with(Instant::now);
            }
            Err(_) => {}
        }
        answer
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self, error: &CredentialsError) -> CredentialsError {
        self.whose.error(said(error), error.is_transient())
    }
}

impl Held {
    fn of(credentials: Credentials) -> Self {
        Self {
            credentials,
            has_worked: false,
            refused: None,
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.whose.identity)
    }
}

impl CredentialsProvider for Identity {
    async fn headers(
        &self,
        extensions: Extensions,
    ) -> Result<CacheableResource<HeaderMap>, CredentialsError> {
        // A file that has become wrong may be mended: nothing is given up for ever.
        let unusable = |error: BuildError| self.whose.error(short(&chain(&error)), false);
        let (credentials, has_worked) = self.current().map_err(unusable)?;
        let refused = match self.asked(&credentials, extensions.clone()).await {
            Ok(headers) => return Ok(headers),
            Err(error) => error,
        };
        if refused.is_transient() || !has_worked {
            return Err(self.told(&refused));
        }
        // It has worked, and then its token ended: there may be another by now.
        let credentials = self.renewed().map_err(unusable)?;
        let answer = self.asked(&credentials, extensions).await;
        answer.map_err(|error| self.told(&error))
    }

    async fn universe_domain(&self) -> Option<String> {
        let credentials = self.held().credentials.clone();
        credentials.universe_domain().await
    }
}

/// The library's words without the bodies that it quotes: they may hold a token. Of a body, what the service says is wrong.
fn said(error: &CredentialsError) -> String {
    // Those around the innermost say that a request failed.
    let mut innermost = error;
    let mut cause = error.source();
    while let Some(next) = cause {
        innermost = next.downcast_ref().unwrap_or(innermost);
        cause = next.source();
    }
    let mut text = chain(innermost);
    for words in FORECASTS {
        text = text.replace(words, "");
    }
    let Some((before, body)) = text.split_once("body=<") else {
        return short(&text);
    };
    let before = before.trim_end_matches([' ', ',']);
    let mut values = serde_json::Deserializer::from_str(body).into_iter::<Value>();
    let json = values.next().and_then(Result::ok).unwrap_or_default();
    let stated = json
        .get("error_description")
        .or_else(|| json.get("error")?.get("message"))
        .or_else(|| json.get("error"))
        .and_then(Value::as_str);
    match stated {
        Some(stated) => short(&format!("{before}: {stated}")),
        None => short(before),
    }
}

/// Fit for one line, without what may be a token.
fn short(text: &str) -> String {
    let clean = text.replace(char::is_control, " ");
    let words = clean.split(' ').map(|word| {
        match word.split_once('?') {
            _ if word.contains("eyJ") || word.len() > 200 => "[redacted]",
            // A query may be one, too.
            Some((place, _)) if place.contains("://") => place,
            _ => word,
        }
    });
    let words = words.collect::<Vec<_>>().join(" ");
    words.chars().take(MAX_SAID).collect()
}

#[cfg(test)]
mod tests;
