//! Opens references to secrets that stand on the command line.

use crate::env::Env;
use crate::error::CliError;
use crate::open::BackEnds;
use crate::output::say;
use labelrelay_core::config::SecretRef;
use labelrelay_core::{Clock, Secret};
use labelrelay_local::Options;
use labelrelay_startup::SystemClock;
use std::sync::Arc;

/// The newest secret behind a reference.
pub(crate) async fn read(reference: &SecretRef, env: &Env<'_>) -> Result<Secret, CliError> {
    let reference = match reference {
        SecretRef::File(path) => SecretRef::File(env.cwd().join(path)),
        other => other.clone(),
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let back_ends = BackEnds::new(Options::default(), env, clock);
    let (open, key) = (back_ends.open(), reference.to_string());
    let source = open.secret(&reference, None, "command line", &key).await?;
    let secrets = source.fetch().await.map_err(CliError::config)?;
    for doubt in source.doubts() {
        say(format_args!("warning: {doubt}"));
    }
    secrets
        .into_iter()
        .next()
        .ok_or_else(|| CliError::config(format_args!("{reference} holds no secret")))
}
