//! Lambda's INIT phase: chooses the role and opens the relay.

use labelrelay_core::config::{Config, ConfigError, ENVIRONMENT, Lookup};
use labelrelay_core::{Clock, Observer, Relay};
use labelrelay_startup::{Injected, Open, OsEntropy, StartError, warm};
use std::sync::Arc;
use std::time::Duration;

/// Time for the start. The rest is left to the first request: Lambda gives all of INIT 10 s.
const PATIENCE: Duration = Duration::from_secs(3);

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

/// Opens the pipeline of `config`: reads its secrets and makes its connections. `LABELRELAY_WARM=off` skips only the
/// connections.
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
        spool: None,
    };
    let relay = open.relay(config, injected).await?;
    let connects = open.lookup.text(WARM)?.as_deref() != Some("off");
    warm(&relay, config, open.lookup, PATIENCE, connects).await?;
    Ok(relay)
}
