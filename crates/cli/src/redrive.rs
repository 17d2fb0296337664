//! `labelrelay redrive`: moves what waits in the fallback into the queue, once.

use crate::discover::{self, Missing};
use crate::failure::{EXIT_CODES, Failure};
use crate::open::{self, Opened};
use crate::output::{one_line, print, say};
use crate::world::World;
use labelrelay_core::Clock as _;
use labelrelay_core::fallback::redrive;
use labelrelay_core::observe::NoObserver;
use labelrelay_http::SystemClock;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  labelrelay redrive
  labelrelay redrive --config /etc/labelrelay.toml --seconds 600";

/// Moves what waits in the fallback into the queue, once. A running `serve` does it by itself; this is
/// for what was left when none runs any more.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}\n\n{EXIT_CODES}", discover::HELP))]
pub(crate) struct Args {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// End after this long, whatever is left
    #[arg(long, value_name = "N", default_value_t = 3600)]
    seconds: u64,
}

pub(crate) fn run(args: &Args, world: &World<'_>) -> Result<(), Failure> {
    let config = discover::find(world, args.config.as_deref(), Missing::Refuse)?.config;
    if config.fallback.is_none() {
        return Err(Failure::config(format_args!(
            "{}: `fallback`: none is configured, so nothing waits in one",
            config.origin
        )));
    }
    let clock = Arc::new(SystemClock::new());
    let runtime = crate::runtime::small()?;
    let entered = runtime.enter();
    let Opened { relay, embedded } =
        open::relay(&config, world, clock.clone(), Arc::new(NoObserver))?;
    let parts = relay.parts();
    let Some(fallback) = parts.fallback.as_deref() else {
        return Ok(());
    };
    let until = clock.monotonic() + Duration::from_secs(args.seconds);
    let moves = redrive(
        fallback,
        &*parts.queue,
        parts.blobs.as_deref(),
        &*clock,
        until,
    );
    drop(entered);
    let done = runtime.block_on(moves);
    if let Some(queue) = embedded {
        queue.close();
    }
    let done = done.map_err(|error| Failure::failed(format_args!("fallback: {error}")))?;
    print(format_args!("{} moved to the queue", done.moved))?;
    for (key, reason) in &done.stuck {
        say(format_args!(
            "stays: {}: {}",
            one_line(key),
            one_line(reason)
        ));
    }
    match (done.failed, done.complete) {
        (0, true) => Ok(()),
        (0, false) => Err(Failure::failed(
            "the time was up before everything was moved",
        )),
        (failed, _) => Err(Failure::failed(format_args!(
            "{failed} stay in the fallback"
        ))),
    }
}
