//! Start of the service on Cloud Run, before the first request.

use labelrelay_core::config::{Config, ConfigError, ENVIRONMENT, Lookup};
use labelrelay_core::{Clock, Observer, Relay};
use labelrelay_startup::{Injected, Open, OsEntropy, SPOOL_DIR, StartError, spool};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Time for the start. The first requests try the rest again.
const PATIENCE: Duration = Duration::from_secs(5);

const DEFAULT_PORT: u16 = 8080;

const PORT: &str = "PORT";
const LISTEN: &str = "LABELRELAY_LISTEN";

/// Address to listen at: all addresses at the port that the platform names, unless `LABELRELAY_LISTEN` or the file
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
/// [`StartError`] names the setting and the cure.
pub async fn relay(
    config: &Config,
    open: &Open<'_>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
) -> Result<Relay, StartError> {
    let injected = Injected {
        clock,
        entropy: Arc::new(OsEntropy),
        observer,
        // Without a directory that somebody named, none: the instance's own files are in its memory.
        spool: spool(config, open.setting(SPOOL_DIR, config), None)?,
    };
    open.relay(config, injected).await
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

/// Reads the secrets and opens the connections, so that the first request waits for neither.
///
/// # Errors
/// [`StartError`] when something is not as it should be, and no second look would change that.
pub async fn warm(relay: &Relay, config: &Config, lookup: Lookup<'_>) -> Result<(), StartError> {
    labelrelay_startup::warm(relay, config, lookup, PATIENCE, true).await
}
