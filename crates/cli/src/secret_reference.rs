//! Opens references to secrets that stand on the command line.

use crate::failure::Failure;
use crate::open::BackEnds;
use crate::output::say;
use crate::world::World;
use labelrelay_core::config::SecretRef;
use labelrelay_core::{Clock, Secret};
use labelrelay_local::Options;
use labelrelay_startup::SystemClock;
use std::sync::Arc;

/// The newest secret behind a reference.
pub(crate) async fn read(reference: &SecretRef, world: &World<'_>) -> Result<Secret, Failure> {
    let reference = match reference {
        SecretRef::File(path) => SecretRef::File(world.cwd().join(path)),
        other => other.clone(),
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let back_ends = BackEnds::new(Options::default(), world, clock);
    let (open, key) = (back_ends.open(), reference.to_string());
    let source = open.secret(&reference, None, "command line", &key).await?;
    let secrets = source.fetch().await.map_err(Failure::config)?;
    for doubt in source.doubts() {
        say(format_args!("warning: {doubt}"));
    }
    secrets
        .into_iter()
        .next()
        .ok_or_else(|| Failure::config(format_args!("{reference} holds no secret")))
}
