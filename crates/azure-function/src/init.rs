//! Start of the program for the Functions host, before the first request.

use labelrelay_core::config::{Config, ConfigError, ENVIRONMENT, Lookup};
use labelrelay_core::{Clock, Observer, Relay};
use labelrelay_startup::{Injected, Open, OsEntropy, SPOOL_DIR, StartError, spool};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Time for the start. The rest is left to the first request: the host waits 30 s for the port.
const PATIENCE: Duration = Duration::from_secs(5);

const PORT: &str = "FUNCTIONS_CUSTOMHANDLER_PORT";

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

/// The configuration.
///
/// The address that counts as the sender's is the last one of `X-Forwarded-For`, which Azure's front end
/// wrote: every request comes from the host, so the connection's own address says nothing. Where another
/// proxy stands before that front end, `trusted_proxies` counts both.
///
/// # Errors
/// [`ConfigError`] names the key and the cure.
pub fn configuration(open: &Open<'_>) -> Result<Config, ConfigError> {
    let mut config = open.configuration()?;
    for source in &mut config.sources {
        source.trusted_proxies = source.trusted_proxies.max(1);
    }
    Ok(config)
}

/// The pipeline of `config`. Nothing is connected to yet.
///
/// # Errors
/// [`StartError`] names the setting and the cure.
pub async fn relay(
    config: &Config,
    open: &Open<'_>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
) -> Result<Relay, StartError> {
    // The instance's own directory for temporary files is on a disk.
    let temporary = open.lookup.text("TMPDIR")?;
    let temporary = PathBuf::from(temporary.unwrap_or_else(|| "/tmp".to_owned()));
    let injected = Injected {
        clock,
        entropy: Arc::new(OsEntropy),
        observer,
        spool: spool(config, open.setting(SPOOL_DIR, config), Some(&temporary))?,
    };
    open.relay(config, injected).await
}

/// Reads the secrets and opens the connections.
///
/// # Errors
/// [`StartError`] when no second look would change anything.
pub async fn warm(relay: &Relay, config: &Config, lookup: Lookup<'_>) -> Result<(), StartError> {
    labelrelay_startup::warm(relay, config, lookup, PATIENCE, true).await
}
