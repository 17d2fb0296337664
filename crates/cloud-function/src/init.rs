//! Everything that is done once, before the first request: configuration, clients, secrets, connections.

use jiff::Timestamp;
use labelrelay_core::clock::within;
use labelrelay_core::config::{Config, ConfigError, ENVIRONMENT, Lookup, SecretRef};
use labelrelay_core::relay::CheckError;
use labelrelay_core::{Clock, Observer, Parts, QueueErrorKind, Relay, SecretSource};
use labelrelay_files::FileSpool;
use labelrelay_google::{Google, SettingError};
use labelrelay_http::OsEntropy;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// What cannot be reached by then is left to the first requests.
const PATIENCE: Duration = Duration::from_secs(5);

const DEFAULT_PORT: u16 = 8080;

const PORT: &str = "PORT";
const LISTEN: &str = "LABELRELAY_LISTEN";
const SPOOL_DIR: &str = "LABELRELAY_SPOOL_DIR";
pub(crate) const QUEUE: &str = "LABELRELAY_QUEUE";
pub(crate) const BLOB_STORE: &str = "LABELRELAY_BLOB_STORE";
pub(crate) const FALLBACK: &str = "LABELRELAY_FALLBACK";

/// The configuration: the file that `LABELRELAY_CONFIG` names, or the text in `LABELRELAY_CONFIG_TOML`, or
/// single variables.
///
/// # Errors
/// [`ConfigError`] names the key and the cure.
pub fn config(lookup: Lookup<'_>) -> Result<Config, ConfigError> {
    let cure = "mount the file into the service, or put its text into LABELRELAY_CONFIG_TOML";
    Config::deployed(lookup, &|path| std::fs::read_to_string(path), cure)
}

/// Where to listen: all addresses at the port that the platform names, unless `LABELRELAY_LISTEN` or the file
/// says otherwise.
///
/// # Errors
/// [`ConfigError`] when it is no address or no port.
pub fn address(config: &Config, lookup: Lookup<'_>) -> Result<SocketAddr, ConfigError> {
    if let Some(listen) = &config.serve.listen {
        return listen.parse().map_err(|_| {
            ConfigError::new(
                ENVIRONMENT,
                LISTEN,
                "is not an address",
                "write ADDRESS:PORT, or unset it and set PORT",
            )
        });
    }
    let port = match lookup.text(PORT)? {
        None => DEFAULT_PORT,
        Some(text) => text.parse().map_err(|_| {
            ConfigError::new(
                ENVIRONMENT,
                PORT,
                "is not a port",
                "leave it to the platform, or write a number up to 65535",
            )
        })?,
    };
    Ok((Ipv4Addr::UNSPECIFIED, port).into())
}

/// The pipeline of `config`. Nothing is connected yet.
///
/// # Errors
/// [`ConfigError`] names the key and the cure.
pub fn relay(
    config: &Config,
    google: &Google,
    lookup: Lookup<'_>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
) -> Result<Relay, ConfigError> {
    let queue = google
        .queue(required(config.queue.as_deref(), QUEUE)?)
        .map_err(at(QUEUE))?;
    let mut parts = Parts::new(Arc::new(queue), clock, Arc::new(OsEntropy), observer);
    if let Some(url) = &config.blob_store {
        let blobs = google.blob_store(url).map_err(at(BLOB_STORE))?;
        parts = parts.with_blobs(Some(Arc::new(blobs)));
    }
    if let Some(url) = &config.fallback {
        let fallback = google.fallback(url).map_err(at(FALLBACK))?;
        parts = parts.with_fallback(Some(Arc::new(fallback)));
    }
    // Without a directory that somebody named, none: the instance's own files are in its memory.
    if let Some(dir) = &config.spool.dir {
        let spool = FileSpool::open(config.base_dir.join(dir), config.spool.max_bytes());
        let spool = spool.map_err(|error| {
            let cure = "mount a volume there that the service may write to";
            ConfigError::new(ENVIRONMENT, SPOOL_DIR, &error.to_string(), cure)
        })?;
        parts = parts.with_spool(Some(Arc::new(spool)));
    }
    let open = |reference: &SecretRef, end| secret(google, reference, end, lookup, &config.origin);
    Relay::new(config, parts, &open)
}

/// Opens a reference to a secret.
fn secret(
    google: &Google,
    reference: &SecretRef,
    end: Option<Timestamp>,
    lookup: Lookup<'_>,
    origin: &str,
) -> Result<Box<dyn SecretSource>, ConfigError> {
    let key = reference.to_string();
    if let Some(here) = reference.open(end, lookup, origin, &key)? {
        return Ok(here);
    }
    match reference {
        SecretRef::Store {
            scheme: "gcp-secretmanager",
            name,
        } => {
            let secret = google
                .secret(name, end)
                .map_err(|error| error.at(origin, &key))?;
            Ok(Box::new(secret))
        }
        _ => Err(ConfigError::new(
            origin,
            &key,
            "is a secret that this program cannot open",
            "write env:NAME, file:/path or gcp-secretmanager:NAME",
        )),
    }
}

pub(crate) fn required<'a>(url: Option<&'a str>, variable: &str) -> Result<&'a str, ConfigError> {
    url.filter(|url| !url.is_empty()).ok_or_else(|| {
        let cure = match variable {
            QUEUE => "set it to pubsub://PROJECT/TOPIC, the topic that shall get the events",
            _ => "set it to gs://BUCKET/PREFIX, as for the service that takes the requests",
        };
        ConfigError::new(ENVIRONMENT, variable, "is not set", cure)
    })
}

/// Under the variable's name, unless another variable is to blame.
pub(crate) fn at(variable: &'static str) -> impl Fn(SettingError) -> ConfigError {
    move |error| error.at(ENVIRONMENT, variable)
}

/// The project that traces are in: what the environment says, else the topic's.
///
/// # Errors
/// [`ConfigError`] when the variable is no text.
pub fn project(config: &Config, lookup: Lookup<'_>) -> Result<Option<Arc<str>>, ConfigError> {
    let named = lookup.text("GOOGLE_CLOUD_PROJECT")?;
    let of_topic = || {
        let path = config.queue.as_deref()?.strip_prefix("pubsub://")?;
        Some(path.split('/').next()?.to_owned())
    };
    Ok(named.or_else(of_topic).map(Arc::from))
}

/// Reads the secrets and opens the connections, so that the first request waits for neither. What cannot be
/// reached now is logged and tried again with the first requests.
///
/// # Errors
/// [`ConfigError`] when something is not as it should be, and no second look would change that.
pub async fn warm(relay: &Relay) -> Result<(), ConfigError> {
    match within(&*relay.parts().clock, PATIENCE, relay.check()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => match lasting(&error) {
            Some(key) => {
                return Err(ConfigError::new(
                    ENVIRONMENT,
                    &key,
                    &error.to_string(),
                    "correct it and deploy again",
                ));
            }
            None => {
                tracing::error!(name: "not_ready", reason = %error, "not everything can be reached; the first requests try again");
            }
        },
        Err(_) => {
            tracing::error!(name: "not_ready", "not everything answers in time; the first requests try again");
        }
    }
    for warning in relay.warnings().await {
        tracing::warn!(name: "configuration_warning", "{warning}");
    }
    Ok(())
}

/// What to change, when waiting would not help.
fn lasting(error: &CheckError) -> Option<String> {
    use QueueErrorKind::{Denied, Misconfigured};
    match error {
        CheckError::Secret { name, error } if !error.retryable => {
            Some(format!("source.{name}.secret"))
        }
        CheckError::Queue(error) if matches!(error.kind, Denied | Misconfigured) => {
            Some(QUEUE.to_owned())
        }
        CheckError::Blob(error) if !error.retryable => Some(BLOB_STORE.to_owned()),
        CheckError::Fallback(error) if !error.retryable => Some(FALLBACK.to_owned()),
        _ => None,
    }
}
