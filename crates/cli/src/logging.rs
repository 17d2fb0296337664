//! Logs, on stderr: for people, or one JSON object a line. Never a body, a secret or a credential.

use crate::env::Env;
use crate::error::CliError;
use crate::output::{self, JsonForTerminal, PrintableLines};
use labelrelay_startup::log;
use std::io::{IsTerminal as _, Write};
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Lines for people.
    Human,
    /// One JSON object a line.
    Json,
}

/// The level that the environment names.
pub(crate) fn level(env: &Env<'_>) -> Result<LevelFilter, CliError> {
    Ok(log::level(env.lookup(), None)?)
}

/// Writer of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// Whoever has something to say, and waits until it is written.
    TheSpeaker,
    /// A thread of its own: nothing waits for a reader of the log.
    AThread,
}

/// Starts logging. `verbose` raises the level to debug, which logs every delivery.
pub(crate) fn start(format: Format, verbose: bool, by: By, env: &Env<'_>) -> Result<(), CliError> {
    let level = if verbose {
        LevelFilter::DEBUG
    } else {
        level(env)?
    };
    // Of others' lines only warnings and errors: a cloud's client would log whole requests.
    // AWS's client of identities warns of an error that it returns, with the whole answer: ours says it shortly.
    let shown = move |metadata: &Metadata<'_>| {
        log::is_shown(metadata, level, LevelFilter::WARN)
            && !metadata.target().starts_with("aws_config")
    };
    let shown = filter_fn(shown).with_max_level_hint(level);
    let lines = fmt::layer()
        .with_writer(writer(format, by)?)
        // It would say so on stderr, and panic when that fails too: a reader of the log that ends must
        // not take a delivery with it.
        .log_internal_errors(false)
        .with_target(false);
    let registry = tracing_subscriber::registry();
    let started = match format {
        Format::Human => registry
            .with(lines.with_ansi(false).with_filter(shown))
            .try_init(),
        Format::Json => registry
            .with(lines.json().flatten_event(true).with_filter(shown))
            .try_init(),
    };
    started.map_err(|error| cannot_start(&error))
}

fn writer(format: Format, by: By) -> Result<BoxMakeWriter, CliError> {
    if by == By::TheSpeaker {
        return Ok(harmless(format, std::io::stderr));
    }
    let log = output::from_a_thread().map_err(|error| cannot_start(&error))?;
    // The standard hook would write to stderr itself, and wait there. It would also show the message, which
    // may quote what the panic stumbled over.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(name: "panic", place, "a bug: please report it");
    }));
    Ok(harmless(format, move || log.clone()))
}

/// Lines tell of things from outside, and a terminal must not obey them. JSON is escaped only where it goes
/// to one.
fn harmless<W: Write + 'static>(
    format: Format,
    out: impl Fn() -> W + Send + Sync + 'static,
) -> BoxMakeWriter {
    match format {
        Format::Human => BoxMakeWriter::new(move || PrintableLines(out())),
        Format::Json if std::io::stderr().is_terminal() => {
            BoxMakeWriter::new(move || JsonForTerminal(out()))
        }
        Format::Json => BoxMakeWriter::new(out),
    }
}

fn cannot_start(error: &dyn std::error::Error) -> CliError {
    CliError::failed(format_args!("cannot start logging: {error}"))
}
