//! The events of a queue, for the verbs that consume them: of any queue that this build knows.

use crate::env::Env;
use crate::error::CliError;
use crate::locations::QueueLocation;
use crate::open::BackEnds;
use crate::queue_file::{self, QueueArgs};
use labelrelay_core::backend::{CommandLineBackEnd as _, Location};
use labelrelay_core::{Clock, EventSource, SourceOptions};
use labelrelay_local::Options;
use labelrelay_startup::SystemClock;
use std::path::Path;
use std::sync::Arc;

/// The queue: the named one, whose name comes with that of its argument, else the configured one.
pub(crate) fn location(
    named: Option<(&str, &str)>,
    config: Option<&Path>,
    env: &Env<'_>,
) -> Result<QueueLocation, CliError> {
    if let Some((url, argument)) = named {
        return queue_file::named(url, argument, env);
    }
    let configured = QueueArgs {
        queue: None,
        config: config.map(Path::to_owned),
    };
    configured.location(env)
}

/// Opens the queue's source of events. Nothing is received by that. Without `dead_letter`, dead letters go to the queue's
/// own place.
pub(crate) async fn open(
    location: &QueueLocation,
    dead_letter: Option<&str>,
    env: &Env<'_>,
) -> Result<Arc<dyn EventSource>, CliError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let back_ends = BackEnds::new(Options::default(), env, clock);
    let mut options = SourceOptions::default();
    // The worker counts receives: it knows whose fault a failure was.
    options.dead_letter = dead_letter.map(str::to_owned);
    // As it was written: what is shown lacks a signature in it.
    let url = match location {
        QueueLocation::Cloud(_, url) => url.clone(),
        other => other.to_string(),
    };
    let at = Location {
        url: &url,
        base_dir: env.cwd(),
    };
    Ok(back_ends.event_source(at, &options).await?)
}
