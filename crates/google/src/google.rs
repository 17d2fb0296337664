//! The way in: who we are, and where the services are.

use crate::error::SettingError;
use crate::place::{Place, SecretName, Topic};
use crate::pubsub::PubSubQueue;
use crate::rest::Rest;
use crate::secret_manager::SecretManagerSecret;
use crate::storage::{Bucket, GcsBlobStore, GcsFallback};
use google_cloud_auth::credentials::{Builder, Credentials, anonymous};
use jiff::Timestamp;
use labelrelay_core::config::Lookup;
use std::time::Duration;

const PUBSUB_EMULATOR: &str = "PUBSUB_EMULATOR_HOST";
const STORAGE_EMULATOR: &str = "STORAGE_EMULATOR_HOST";
const SECRETS_EMULATOR: &str = "SECRET_MANAGER_EMULATOR_HOST";
const PROJECT: &str = "GOOGLE_CLOUD_PROJECT";

const PUBSUB: &str = "https://pubsub.googleapis.com";
const STORAGE: &str = "https://storage.googleapis.com";
const SECRETS: &str = "https://secretmanager.googleapis.com";

/// Longer than this none of Google's addresses takes to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Below the time after which load balancers forget a connection silently.
const IDLE_TIMEOUT: Duration = Duration::from_secs(55);

/// Google Cloud, as this process may use it.
#[derive(Debug)]
pub struct Google {
    pub(crate) http: reqwest::Client,
    credentials: Credentials,
    pubsub: Option<String>,
    storage: Option<String>,
    secrets: Option<String>,
    project: Option<String>,
}

impl Google {
    /// Finds out who we are. Nothing is connected yet. To be called within a Tokio runtime: tokens are
    /// renewed by a task of it.
    ///
    /// # Errors
    /// [`SettingError`] when the credentials that are configured cannot be used, or an emulator's address
    /// is none.
    pub fn load(lookup: Lookup<'_>) -> Result<Self, SettingError> {
        provide_tls();
        let credentials = Builder::default().build().map_err(|error| {
            SettingError::new(
                "GOOGLE_APPLICATION_CREDENTIALS",
                format!("leads to credentials that cannot be used: {error}"),
                "correct or unset it; in Google's cloud nothing has to be set",
            )
        })?;
        let http = client().map_err(|error| {
            SettingError::new(
                "TLS",
                format!("cannot be set up: {error}"),
                "install the system's CA certificates",
            )
        })?;
        Ok(Self {
            http,
            credentials,
            pubsub: emulator(lookup, PUBSUB_EMULATOR)?,
            storage: emulator(lookup, STORAGE_EMULATOR)?,
            secrets: emulator(lookup, SECRETS_EMULATOR)?,
            project: lookup(PROJECT).filter(|project| !project.is_empty()),
        })
    }

    /// The same, as somebody else. For tests, and for programs that know better who they are.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// The topic at `url`.
    ///
    /// # Errors
    /// [`SettingError`] when it is no topic's URL.
    pub fn queue(&self, url: &str) -> Result<PubSubQueue, SettingError> {
        let topic = Topic::parse(url)?;
        let rest = self.pubsub.is_none().then(|| self.rest(None, PUBSUB));
        let credentials = self.credentials_for(self.pubsub.as_ref());
        Ok(PubSubQueue::new(
            topic,
            self.pubsub.clone(),
            credentials,
            rest,
        ))
    }

    /// The store for claim checks at `url`.
    ///
    /// # Errors
    /// [`SettingError`] when it is no place in Cloud Storage.
    pub fn blob_store(&self, url: &str) -> Result<GcsBlobStore, SettingError> {
        self.bucket(url).map(GcsBlobStore::new)
    }

    /// The fallback at `url`.
    ///
    /// # Errors
    /// [`SettingError`] when it is no place in Cloud Storage.
    pub fn fallback(&self, url: &str) -> Result<GcsFallback, SettingError> {
        self.bucket(url).map(GcsFallback::new)
    }

    /// The secret behind `gcp-secretmanager:name`, refused after `not_after`.
    ///
    /// # Errors
    /// [`SettingError`] when it is no secret's name.
    pub fn secret(
        &self,
        name: &str,
        not_after: Option<Timestamp>,
    ) -> Result<SecretManagerSecret, SettingError> {
        let name = SecretName::parse(name, self.project.as_deref())?;
        let rest = self.rest(self.secrets.as_ref(), SECRETS);
        Ok(SecretManagerSecret::new(name, rest, not_after))
    }

    fn bucket(&self, url: &str) -> Result<Bucket, SettingError> {
        let rest = self.rest(self.storage.as_ref(), STORAGE);
        Ok(Bucket::new(Place::parse(url)?, rest))
    }

    fn rest(&self, emulator: Option<&String>, real: &str) -> Rest {
        Rest {
            http: self.http.clone(),
            base: emulator.map_or(real, String::as_str).to_owned(),
            credentials: emulator.is_none().then(|| self.credentials.clone()),
        }
    }

    fn credentials_for(&self, emulator: Option<&String>) -> Credentials {
        match emulator {
            Some(_) => anonymous::Builder::new().build(),
            None => self.credentials.clone(),
        }
    }
}

/// One TLS library for all clients of the process. Whoever came first has chosen already.
pub fn provide_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .user_agent(concat!("labelrelay/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .build()
}

/// Where an emulator answers. Other languages' clients take an address with and without a scheme.
fn emulator(lookup: Lookup<'_>, variable: &str) -> Result<Option<String>, SettingError> {
    let Some(text) = lookup(variable).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let url = if text.contains("://") {
        text
    } else {
        format!("http://{text}")
    };
    let url = url.trim_end_matches('/');
    match url.parse::<http::Uri>() {
        Ok(uri) if uri.host().is_some_and(|host| !host.is_empty()) && uri.path() == "/" => {
            Ok(Some(url.to_owned()))
        }
        _ => Err(SettingError::new(
            variable,
            "is not an emulator's address",
            "write HOST:PORT",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emulators_are_named_with_and_without_a_scheme() {
        let read = |text: &str| emulator(&|_| Some(text.to_owned()), "X");
        assert_eq!(
            read("127.0.0.1:8085").unwrap().as_deref(),
            Some("http://127.0.0.1:8085")
        );
        assert_eq!(
            read("http://localhost:4443/").unwrap().as_deref(),
            Some("http://localhost:4443")
        );
        assert_eq!(read("").unwrap(), None);
        for bad in ["http://", "a b", "http://h/path"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
