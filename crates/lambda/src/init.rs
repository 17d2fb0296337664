//! Everything that is done once, before the first request: configuration, clients, secrets, the
//! connection to the queue.

use crate::clock::FunctionClock;
use crate::redrive::Redrive;
use crate::telemetry::Telemetry;
use futures_util::future::{join, join_all};
use jiff::Timestamp;
use labelrelay_core::clock::within;
use labelrelay_core::config::{Config, ConfigError, ENVIRONMENT, Lookup, SecretRef};
use labelrelay_core::{
    BlobStore, Clock, EventQueue, FallbackStore, Parts, Relay, SecretError, SecretSource,
};
use labelrelay_http::OsEntropy;
use std::sync::Arc;
use std::time::Duration;

/// What is not there by then is left to the first request: Lambda gives all of INIT 10 s.
const PATIENCE: Duration = Duration::from_secs(3);

const QUEUE: &str = "LABELRELAY_QUEUE";
const BLOB_STORE: &str = "LABELRELAY_BLOB_STORE";
const FALLBACK: &str = "LABELRELAY_FALLBACK";
const FUNCTION: &str = "LABELRELAY_FUNCTION";
const WARM: &str = "LABELRELAY_WARM";

/// Which of the two functions this process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Takes requests.
    Relay,
    /// Empties the fallback.
    Redrive,
}

/// Opens what a configuration names. Nothing is connected yet.
pub trait Open {
    /// The queue at `url`.
    ///
    /// # Errors
    /// [`ConfigError`] under the name `key` when it is no queue's URL.
    fn queue(&self, url: &str, key: &str) -> Result<Arc<dyn EventQueue>, ConfigError>;

    /// The store for claim checks at `url`.
    ///
    /// # Errors
    /// [`ConfigError`] under the name `key` when it is no store's URL.
    fn blob_store(&self, url: &str, key: &str) -> Result<Arc<dyn BlobStore>, ConfigError>;

    /// The fallback at `url`.
    ///
    /// # Errors
    /// [`ConfigError`] under the name `key` when it is no fallback's URL.
    fn fallback(&self, url: &str, key: &str) -> Result<Arc<dyn FallbackStore>, ConfigError>;

    /// A secret that is used until `end`.
    ///
    /// # Errors
    /// [`ConfigError`] when the reference leads nowhere.
    fn secret(
        &self,
        reference: &SecretRef,
        end: Option<Timestamp>,
    ) -> Result<Box<dyn SecretSource>, ConfigError>;
}

/// Which function this is: `LABELRELAY_FUNCTION`.
///
/// # Errors
/// [`ConfigError`] when it names neither.
pub fn role(lookup: Lookup<'_>) -> Result<Role, ConfigError> {
    match lookup.text(FUNCTION)?.as_deref() {
        None | Some("relay") => Ok(Role::Relay),
        Some("redrive") => Ok(Role::Redrive),
        Some(_) => Err(ConfigError::new(
            ENVIRONMENT,
            FUNCTION,
            "names no function",
            "write relay or redrive",
        )),
    }
}

/// The configuration: the file that `LABELRELAY_CONFIG` names, or the text in `LABELRELAY_CONFIG_TOML`, or
/// single variables.
///
/// # Errors
/// [`ConfigError`] names the key and the cure.
pub fn config(lookup: Lookup<'_>) -> Result<Config, ConfigError> {
    let cure = "put the file into the function's package, or its text into LABELRELAY_CONFIG_TOML";
    Config::deployed(lookup, &|path| std::fs::read_to_string(path), cure)
}

/// The pipeline of `config`.
///
/// # Errors
/// [`ConfigError`] names the key and the cure.
pub fn relay(
    config: &Config,
    open: &dyn Open,
    clock: Arc<dyn Clock>,
    telemetry: Arc<Telemetry>,
) -> Result<Relay, ConfigError> {
    let queue = open.queue(required(config.queue.as_deref(), QUEUE)?, QUEUE)?;
    let blobs = optional(config.blob_store.as_deref(), |url| {
        open.blob_store(url, BLOB_STORE)
    })?;
    let fallback = optional(config.fallback.as_deref(), |url| {
        open.fallback(url, FALLBACK)
    })?;
    let parts = Parts::new(queue, clock, Arc::new(OsEntropy), telemetry)
        .with_blobs(blobs)
        .with_fallback(fallback);
    Relay::new(config, parts, &|reference, end| open.secret(reference, end))
}

/// The function that empties the fallback. It needs no source and no secret.
///
/// # Errors
/// [`ConfigError`] names the key and the cure.
pub fn redrive(
    lookup: Lookup<'_>,
    open: &dyn Open,
    telemetry: Arc<Telemetry>,
) -> Result<Redrive, ConfigError> {
    let (queue, blobs) = (lookup.text(QUEUE)?, lookup.text(BLOB_STORE)?);
    let fallback = lookup.text(FALLBACK)?;
    Ok(Redrive {
        queue: open.queue(required(queue.as_deref(), QUEUE)?, QUEUE)?,
        blobs: optional(blobs.as_deref(), |url| open.blob_store(url, BLOB_STORE))?,
        fallback: open.fallback(required(fallback.as_deref(), FALLBACK)?, FALLBACK)?,
        clock: Arc::new(FunctionClock::default()),
        telemetry,
    })
}

fn required<'a>(url: Option<&'a str>, variable: &str) -> Result<&'a str, ConfigError> {
    url.filter(|url| !url.is_empty()).ok_or_else(|| {
        let cure = match variable {
            QUEUE => "set it to the URL of the SQS queue that shall get the events",
            _ => "set it to s3://bucket/prefix, as for the function that takes the requests",
        };
        ConfigError::new(ENVIRONMENT, variable, "is not set", cure)
    })
}

fn optional<T>(
    url: Option<&str>,
    open: impl Fn(&str) -> Result<T, ConfigError>,
) -> Result<Option<T>, ConfigError> {
    url.map(open).transpose()
}

/// Reads the secrets and opens the connection to the queue, at the same time. What cannot be reached now
/// is logged and tried again with the first request.
///
/// # Errors
/// [`ConfigError`] when a secret cannot be read and no second look would change that.
pub async fn warm(relay: &Relay, lookup: Lookup<'_>) -> Result<(), ConfigError> {
    let clock = &*relay.parts().clock;
    let connects = lookup.text(WARM)?.as_deref() != Some("off");
    let secrets = join_all(relay.sources().iter().map(|source| async {
        let read = within(clock, PATIENCE, source.secrets.live()).await;
        (source.name.as_str(), read)
    }));
    let connected = async {
        if connects {
            connect(relay, clock).await;
        }
    };
    let (secrets, ()) = join(secrets, connected).await;
    for (source, read) in secrets {
        match read {
            Ok(Ok(_)) => {}
            Ok(Err(error)) if !error.retryable => return Err(unreadable(source, &error)),
            Ok(Err(error)) => not_yet("secrets_unreadable", source, &error.message),
            Err(_) => not_yet("secrets_unreadable", source, "no answer in time"),
        }
    }
    for warning in relay.warnings().await {
        tracing::warn!(name: "configuration_warning", "{warning}");
    }
    Ok(())
}

async fn connect(relay: &Relay, clock: &dyn Clock) {
    match within(clock, PATIENCE, relay.parts().queue.check()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => not_yet("queue_not_ready", "-", &error.to_string()),
        Err(_) => not_yet("queue_not_ready", "-", "no answer in time"),
    }
}

fn not_yet(what: &str, source: &str, reason: &str) {
    tracing::error!(name: "not_ready", what, source, reason, "the first request tries again");
}

fn unreadable(source: &str, error: &SecretError) -> ConfigError {
    ConfigError::new(
        ENVIRONMENT,
        &format!("source.{source}.secret"),
        &error.message,
        "correct the reference, or let the function's role read it",
    )
}
