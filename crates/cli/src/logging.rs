//! Logs, on stderr: for people, or one JSON object a line. Never a body, a secret or a credential.

use crate::failure::Failure;
use crate::world::World;
use tracing::level_filters::LevelFilter;

const LEVEL: &str = "LABELRELAY_LOG";

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Lines for people.
    Human,
    /// One JSON object a line.
    Json,
}

/// The level that the environment names.
pub(crate) fn level(world: &World<'_>) -> Result<LevelFilter, Failure> {
    let Some(level) = world.var(LEVEL) else {
        return Ok(LevelFilter::INFO);
    };
    level.parse().map_err(|_| {
        Failure::config(format_args!(
            "environment: `{LEVEL}`: is not a level; write off, error, warn, info, debug or trace"
        ))
    })
}

/// Starts logging. `verbose` raises the level to debug, which logs every delivery.
pub(crate) fn start(format: Format, verbose: bool, world: &World<'_>) -> Result<(), Failure> {
    let level = if verbose {
        LevelFilter::DEBUG
    } else {
        level(world)?
    };
    let builder = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        // It would say so on stderr, and panic when that fails too: a reader of the log that ends must
        // not take a delivery with it.
        .log_internal_errors(false)
        .with_target(false);
    let started = match format {
        Format::Human => builder.with_ansi(false).try_init(),
        Format::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| Failure::failed(format_args!("cannot start logging: {error}")))
}
