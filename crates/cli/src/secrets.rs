//! Opens references to secrets, from the configuration and from `--secret`.

use crate::clouds::Cloud;
use crate::failure::Failure;
use crate::output::say;
use crate::world::World;
use jiff::Timestamp;
use labelrelay_core::config::{ConfigError, SecretRef};
use labelrelay_core::{Clock, Secret, SecretSource};
use labelrelay_http::SystemClock;
use std::sync::Arc;

/// Opens a reference, for the pipeline's sources.
pub(crate) fn open(
    reference: &SecretRef,
    not_after: Option<Timestamp>,
    world: &World<'_>,
    clock: &Arc<dyn Clock>,
    origin: &str,
) -> Result<Box<dyn SecretSource>, ConfigError> {
    let key = reference.to_string();
    match reference.open(not_after, world.lookup(), origin, &key)? {
        Some(here) => Ok(here),
        None => Cloud::secret(reference, not_after, world, clock, origin),
    }
}

/// The newest secret behind a reference.
pub(crate) async fn read(reference: &SecretRef, world: &World<'_>) -> Result<Secret, Failure> {
    let reference = match reference {
        SecretRef::File(path) => SecretRef::File(world.cwd().join(path)),
        other => other.clone(),
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let source = open(&reference, None, world, &clock, "command line")?;
    let secrets = source.fetch().await.map_err(Failure::config)?;
    for doubt in source.doubts() {
        say(format_args!("warning: {doubt}"));
    }
    secrets
        .into_iter()
        .next()
        .ok_or_else(|| Failure::config(format_args!("{reference} holds no secret")))
}
