//! Google Cloud as this process may use it: credentials, and endpoints of the services.

use crate::identity::{FILE, Identity, Whose};
use crate::location::{GcsLocation, SecretName, Topic};
use crate::pubsub::{PubSubQueue, PubSubSource};
use crate::rest::Rest;
use crate::secret_manager::SecretManagerSecret;
use crate::storage::{Bucket, GcsBlobStore, GcsFallback, GcsObjectStore};
use google_cloud_auth::credentials::{Credentials, anonymous};
use jiff::Timestamp;
use labelrelay_core::config::Lookup;
use labelrelay_core::{BackEndError, SourceOptions};
use std::sync::OnceLock;
use std::time::Duration;

const PUBSUB_EMULATOR: &str = "PUBSUB_EMULATOR_HOST";
const STORAGE_EMULATOR: &str = "STORAGE_EMULATOR_HOST";
const SECRETS_EMULATOR: &str = "SECRET_MANAGER_EMULATOR_HOST";
const PROJECT: &str = "GOOGLE_CLOUD_PROJECT";
const QUOTA_PROJECT: &str = "GOOGLE_CLOUD_QUOTA_PROJECT";

const PUBSUB: &str = "https://pubsub.googleapis.com";
const STORAGE: &str = "https://storage.googleapis.com";
const SECRETS: &str = "https://secretmanager.googleapis.com";

/// Longer than this none of Google's addresses takes to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Below the time after which load balancers forget a connection silently.
const IDLE_TIMEOUT: Duration = Duration::from_secs(55);

/// Google Cloud, as this process may use it.
///
/// Parts that take time to set up (credentials, the system's certificates) are set up when something needs them:
/// with emulators nothing does.
#[derive(Debug)]
pub struct Google {
    http: OnceLock<reqwest::Client>,
    credentials: OnceLock<Credentials>,
    whose: Whose,
    pubsub: Option<String>,
    storage: Option<String>,
    secrets: Option<String>,
    project: Option<String>,
}

impl Google {
    /// Finds out where the services are. Nothing is connected yet. What follows is to be called within a Tokio
    /// runtime: tokens are renewed by a task of it.
    ///
    /// # Errors
    /// [`BackEndError`] when an emulator's address is none.
    pub fn load(lookup: Lookup<'_>) -> Result<Self, BackEndError> {
        provide_tls();
        // The client reads it by itself, and takes one that is no text for absent.
        lookup.text(QUOTA_PROJECT)?;
        Ok(Self {
            whose: Whose::of(lookup),
            pubsub: emulator(lookup, PUBSUB_EMULATOR)?,
            storage: emulator(lookup, STORAGE_EMULATOR)?,
            secrets: emulator(lookup, SECRETS_EMULATOR)?,
            project: lookup.text(PROJECT)?,
            http: OnceLock::new(),
            credentials: OnceLock::new(),
        })
    }

    /// The topic at `url`.
    ///
    /// # Errors
    /// [`BackEndError`] when it is no topic's URL, or the credentials that are configured cannot be used.
    pub fn queue(&self, url: &str) -> Result<PubSubQueue, BackEndError> {
        let topic = Topic::parse(url)?;
        let rest = self.rest(self.pubsub.as_ref(), PUBSUB)?;
        let credentials = match self.pubsub {
            Some(_) => anonymous::Builder::new().build(),
            None => self.credentials()?,
        };
        Ok(PubSubQueue::new(
            topic,
            self.pubsub.clone(),
            credentials,
            rest,
        ))
    }

    /// The events of the subscription at `url`, for a consumer. Rejected ones go to `dead_letter` of the options, the URL
    /// of a topic or the name of one in the same project, else to the topic of its dead-letter policy, which it must have.
    /// It needs `roles/pubsub.subscriber` and `roles/pubsub.viewer` on the subscription, and `roles/pubsub.publisher` on
    /// the topic.
    ///
    /// # Errors
    /// [`BackEndError`] when a URL is none of Pub/Sub's, the credentials that are configured cannot be used, or the
    /// subscription has no dead-letter policy, pushes, or cannot be asked.
    pub async fn event_source(
        &self,
        url: &str,
        options: &SourceOptions,
    ) -> Result<PubSubSource, BackEndError> {
        let rest = self.rest(self.pubsub.as_ref(), PUBSUB)?;
        let credentials = match self.pubsub {
            Some(_) => anonymous::Builder::new().build(),
            None => self.credentials()?,
        };
        PubSubSource::open(url, options, rest, self.pubsub.clone(), credentials).await
    }

    /// The store for claim checks at `url`.
    ///
    /// # Errors
    /// [`BackEndError`] when it is no location in Cloud Storage, or the credentials that are configured cannot be
    /// used.
    pub fn blob_store(&self, url: &str) -> Result<GcsBlobStore, BackEndError> {
        self.bucket(url).map(GcsBlobStore::new)
    }

    /// The fallback at `url`.
    ///
    /// # Errors
    /// [`BackEndError`] when it is no location in Cloud Storage, or the credentials that are configured cannot be
    /// used.
    pub fn fallback(&self, url: &str) -> Result<GcsFallback, BackEndError> {
        self.bucket(url).map(GcsFallback::new)
    }

    /// The store for files at `url`.
    ///
    /// # Errors
    /// [`BackEndError`] when it is no location in Cloud Storage, or the credentials that are configured cannot be
    /// used.
    pub fn object_store(&self, url: &str) -> Result<GcsObjectStore, BackEndError> {
        self.bucket(url).map(GcsObjectStore::new)
    }

    /// The secret behind `gcp-secretmanager:name`, refused after `not_after`.
    ///
    /// # Errors
    /// [`BackEndError`] when it is no secret's name, or the credentials that are configured cannot be used.
    pub fn secret(
        &self,
        name: &str,
        not_after: Option<Timestamp>,
    ) -> Result<SecretManagerSecret, BackEndError> {
        let name = SecretName::parse(name, self.project.as_deref())?;
        let rest = self.rest(self.secrets.as_ref(), SECRETS)?;
        Ok(SecretManagerSecret::new(name, rest, not_after))
    }

    fn bucket(&self, url: &str) -> Result<Bucket, BackEndError> {
        let location = GcsLocation::parse(url)?;
        Ok(Bucket::new(
            location,
            self.rest(self.storage.as_ref(), STORAGE)?,
        ))
    }

    fn rest(&self, emulator: Option<&String>, real: &str) -> Result<Rest, BackEndError> {
        let unusable = |error: reqwest::Error| {
            BackEndError::new(
                "",
                format!("TLS cannot be set up: {error}"),
                "install the system's CA certificates",
            )
        };
        if let Some(emulator) = emulator {
            // No certificates are looked for: there are none to be shown.
            let http = client().tls_certs_only([]).build().map_err(unusable)?;
            return Ok(Rest {
                http,
                base: emulator.clone(),
                credentials: None,
            });
        }
        Ok(Rest {
            http: once(&self.http, || client().build().map_err(unusable))?,
            base: real.to_owned(),
            credentials: Some(self.credentials()?),
        })
    }

    /// Our credentials.
    fn credentials(&self) -> Result<Credentials, BackEndError> {
        once(&self.credentials, || {
            let opened = Identity::open(self.whose.clone()).map_err(|error| {
                BackEndError::of_variable(
                    FILE,
                    format!("leads to credentials that cannot be used: {error}"),
                    "correct or unset it; in Google's cloud nothing has to be set",
                )
            });
            opened.map(Credentials::from)
        })
    }

    /// Words for our identity; `None` unless something was opened that asks with it: emulators need none.
    pub(crate) fn identity(&self) -> Option<&str> {
        self.credentials.get().map(|_| self.whose.identity())
    }
}

/// Returns the kept value; makes and keeps it first if there is none.
fn once<T: Clone, E>(kept: &OnceLock<T>, make: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    if let Some(kept) = kept.get() {
        return Ok(kept.clone());
    }
    let fresh = make()?;
    Ok(kept.get_or_init(|| fresh).clone())
}

/// One TLS library for all clients of the process. Whoever came first has chosen already.
pub fn provide_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn client() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("labelrelay/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
}

/// Address of an emulator. Other languages' clients take an address with and without a scheme.
fn emulator(lookup: Lookup<'_>, variable: &str) -> Result<Option<String>, BackEndError> {
    let Some(text) = lookup.text(variable)? else {
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
        _ => Err(BackEndError::of_variable(
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
        let read = |text: &str| emulator(&|_: &str| Some(text.to_owned()), "X");
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
