//! Moves the events in the fallback into the queue, once.

use crate::env::Env;
use crate::error::CliError;
use crate::find_configuration::{self, Missing};
use crate::locations::QueueLocation;
use crate::open::{self, Extras, Opened};
use crate::output::{Bar, one_line, say};
use crate::queue_file::QueueArgs;
use crate::record;
use crate::serve_address;
use labelrelay_core::config::Config;
use labelrelay_core::fallback::redrive;
use labelrelay_core::observe::NoObserver;
use labelrelay_core::observed_queue::{ObservedQueue, SendObserver};
use labelrelay_core::{Clock as _, OutboundMessage};
use labelrelay_startup::SystemClock;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Result of a round.
pub(super) struct Moved {
    pub(super) count: u64,
    /// Reason why something stays.
    pub(super) failure: Option<CliError>,
}

/// The configuration, if it has a fallback. Without one, only whoever asked for the fallback by name is told.
pub(super) fn configured(
    queue_args: &QueueArgs,
    is_asked_for: bool,
    env: &Env<'_>,
) -> Result<Option<Config>, CliError> {
    let config = queue_args.config.as_deref();
    let missing = find_configuration::is_first_start(env, config)?;
    if missing && !is_asked_for {
        // A queue can be looked into without a configuration.
        return Ok(None);
    }
    let config = find_configuration::find(env, config, Missing::Refuse)?.config;
    match (&config.fallback, is_asked_for) {
        (Some(_), _) => Ok(Some(config)),
        (None, false) => Ok(None),
        (None, true) => Err(CliError::config(format_args!(
            "{}: `fallback`: none is configured, so nothing waits in one",
            config.origin
        ))),
    }
}

/// Address of the `serve` that owns the queue of this configuration.
pub(super) fn served(config: &Config, env: &Env<'_>) -> Option<SocketAddr> {
    match open::queue_location(config, env) {
        Ok(QueueLocation::Sqlite(file)) => serve_address::find(&file),
        _ => None,
    }
}

/// Moves them until `timeout` is over; at a terminal, says meanwhile how many, if `is_shown`.
pub(super) fn retry(
    config: &Config,
    timeout: Duration,
    is_shown: bool,
    env: &Env<'_>,
) -> Result<Moved, CliError> {
    let clock = Arc::new(SystemClock::new());
    let runtime = crate::runtime::small()?;
    // It prunes as `serve` does. What is wrong with the record's settings is for `serve` to say.
    let extras = Extras {
        kept: record::kept_events(config, env, None).unwrap_or_default(),
        ..Extras::default()
    };
    let opened = open::relay(config, env, clock.clone(), Arc::new(NoObserver), extras);
    let Opened { relay, embedded } = runtime.block_on(opened)?;
    let parts = relay.parts();
    let Some(fallback) = parts.fallback.as_deref() else {
        return Ok(Moved {
            count: 0,
            failure: None,
        });
    };
    let until = clock.monotonic() + timeout;
    // Nor in the midst of envelopes that go to stdout.
    let to_stdout = matches!(open::queue_location(config, env), Ok(QueueLocation::Stdout));
    let bar = Bar::new("moving into the queue", is_shown && !to_stdout);
    let queue = ObservedQueue {
        queue: &*parts.queue,
        observer: &bar,
    };
    let moves = redrive(fallback, &queue, parts.blobs.as_deref(), &*clock, until);
    let done = runtime.block_on(moves);
    drop(bar);
    if let Some(queue) = embedded {
        queue.close();
    }
    let done = done.map_err(|error| CliError::failed(format_args!("fallback: {error}")))?;
    for (key, reason) in &done.stuck {
        say(format_args!(
            "stays: {}: {}",
            one_line(key),
            one_line(reason)
        ));
    }
    let failure = match (done.failed, done.complete) {
        (0, true) => None,
        (0, false) => Some(CliError::failed(
            "the time was up before everything was moved",
        )),
        (failed, _) => Some(CliError::failed(format_args!(
            "{failed} stay in the fallback"
        ))),
    };
    Ok(Moved {
        count: done.moved,
        failure,
    })
}

/// Counts what the queue took, for a person who waits.
impl SendObserver for &Bar {
    async fn sent(&self, _message: &OutboundMessage) {
        self.add(1);
    }
}
