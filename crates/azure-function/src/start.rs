//! Everything that is done once, before the first request.

use crate::places::Places;
use labelrelay_azure::Azure;
use labelrelay_core::clock::within;
use labelrelay_core::config::{Config, ConfigError, ENVIRONMENT, Lookup};
use labelrelay_core::relay::CheckError;
use labelrelay_core::{Clock, Observer, Parts, QueueErrorKind, Relay};
use labelrelay_files::FileSpool;
use labelrelay_http::OsEntropy;
use std::sync::Arc;
use std::time::Duration;

/// What is not there by then is left to the first request: the host waits 30 s for the port.
const PATIENCE: Duration = Duration::from_secs(5);

const PORT: &str = "FUNCTIONS_CUSTOMHANDLER_PORT";

/// Why the handler does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// Somebody has to change the configuration.
    #[error(transparent)]
    Configuration(#[from] ConfigError),
    /// Somebody has to change what the configuration names, or who may use it.
    #[error("{0}")]
    NotUsable(CheckError),
}

/// The port that the host gave us.
///
/// # Errors
/// [`ConfigError`] when it gave none: then this was not started by the host.
pub fn port(lookup: Lookup<'_>) -> Result<u16, ConfigError> {
    let port = lookup.text(PORT)?.and_then(|text| text.parse().ok());
    port.ok_or_else(|| {
        ConfigError::new(
            ENVIRONMENT,
            PORT,
            "is not a port",
            "let the Functions host start this program (host.json, customHandler), or set it for a try by hand",
        )
    })
}

/// The configuration: the file that `LABELRELAY_CONFIG` names, or the text in `LABELRELAY_CONFIG_TOML`, or
/// single variables.
///
/// The address that counts as the sender's is the last one of `X-Forwarded-For`, which Azure's front end
/// wrote: every request comes from the host, so the connection's own address says nothing. Where another
/// proxy stands before that front end, `trusted_proxies` counts both.
///
/// # Errors
/// [`ConfigError`] names the key and the cure.
pub fn configuration(lookup: Lookup<'_>) -> Result<Config, ConfigError> {
    let cure = "put the file into the app's package, or its text into LABELRELAY_CONFIG_TOML";
    let mut config = Config::deployed(lookup, &|path| std::fs::read_to_string(path), cure)?;
    for source in &mut config.sources {
        source.trusted_proxies = source.trusted_proxies.max(1);
    }
    Ok(config)
}

/// The pipeline of `config`. Nothing is connected to yet.
///
/// # Errors
/// [`ConfigError`] names the key and the cure.
pub fn relay(
    config: &Config,
    lookup: Lookup<'_>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
) -> Result<Relay, ConfigError> {
    let azure = Azure::load(lookup, Arc::clone(&clock))?;
    let places = Places {
        azure: &azure,
        config,
        lookup,
    };
    let parts = Parts::new(places.queue()?, clock, Arc::new(OsEntropy), observer)
        .with_blobs(places.blob_store()?)
        .with_fallback(places.fallback()?)
        .with_spool(Some(Arc::new(spool(config, lookup)?)));
    Relay::new(config, parts, &|reference, end| {
        places.secret(reference, end)
    })
}

/// Where large bodies lie while they arrive: the directory that is configured, else the instance's own for
/// temporary files, which is on a disk.
fn spool(config: &Config, lookup: Lookup<'_>) -> Result<FileSpool, ConfigError> {
    let dir = match &config.spool.dir {
        Some(dir) => dir.clone(),
        None => lookup.text("TMPDIR")?.unwrap_or_else(|| "/tmp".to_owned()),
    };
    let dir = config.base_dir.join(dir);
    FileSpool::open(dir, config.spool.max_bytes()).map_err(|error| {
        let cure = "name a directory that this app may write to";
        ConfigError::new(
            ENVIRONMENT,
            "LABELRELAY_SPOOL_DIR",
            &error.to_string(),
            cure,
        )
    })
}

/// Reads the secrets and opens the connections. What may pass by itself is logged, and tried again with the
/// first request.
///
/// # Errors
/// [`Failure::NotUsable`] when no second look would change anything, unless a fallback takes what the
/// queue does not.
pub async fn warm(relay: &Relay) -> Result<(), Failure> {
    let clock = &*relay.parts().clock;
    let checked = within(clock, PATIENCE, relay.check()).await;
    match checked {
        Ok(Ok(())) => {}
        Ok(Err(error)) if may_start(relay, &error) => {
            tracing::error!(name: "not_ready", reason = %error, "not ready; the first request tries again");
        }
        Ok(Err(error)) => return Err(Failure::NotUsable(error)),
        Err(_) => {
            tracing::error!(name: "not_ready", reason = "no answer in time", "not ready; the first request tries again");
        }
    }
    for warning in relay.warnings().await {
        tracing::warn!(name: "configuration_warning", "{warning}");
    }
    Ok(())
}

fn may_start(relay: &Relay, error: &CheckError) -> bool {
    match error {
        CheckError::Secret { error, .. } => error.retryable,
        CheckError::Queue(error) => {
            relay.parts().fallback.is_some()
                || !matches!(
                    error.kind,
                    QueueErrorKind::Denied | QueueErrorKind::Misconfigured
                )
        }
        CheckError::Blob(error) | CheckError::Fallback(error) => error.retryable,
        // Small bodies need none.
        CheckError::Spool(_) => true,
        _ => false,
    }
}
