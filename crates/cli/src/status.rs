//! `labelrelay status`: walks the way that a delivery takes, without starting or making anything.

use crate::connect::label_studio;
use crate::damaged_event::damaged_event;
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES, chain};
use crate::find_configuration::{self, Missing};
use crate::health_check;
use crate::local_dir::LocalDir;
use crate::locations::{self, QueueLocation};
use crate::logging;
use crate::open;
use crate::output::{print, print_json, say};
use crate::queue_file;
use crate::serve::{Flags, Settings};
use crate::serve_address;
use labelrelay_core::config::Config;
use labelrelay_core::provider::Provider;
use labelrelay_local::OpenError;
use labelrelay_startup::{BLOB_STORE, FALLBACK, Name};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  labelrelay status
  labelrelay status --config /etc/labelrelay.toml --json | jq .events
  labelrelay status --ready        a container's health check
  labelrelay status && systemctl restart labelrelay";

const NOTES: &str = "\
Reads the configuration and every secret that it names, and looks at the addresses, the queue and the stores. \
Starts and makes nothing, and works beside a running `serve`. It looks for damage in the queue file for two \
seconds, so in a large one not everywhere. Warnings go to stderr and leave the exit code 0.

Where LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY are set, or `[source.pull]` has both, it asks Label Studio too: \
whether each project has a webhook that delivers here, and whether that sends every event.";

/// Says whether all is well on a delivery's way, and if not, what to do.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{}\n\n{EXIT_CODES}", find_configuration::HELP))]
pub(crate) struct Args {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Ask the running `serve` whether a delivery would be durable now, and nothing else; 1 if not. For health checks
    #[arg(long, conflicts_with = "json")]
    ready: bool,
}

/// How long the queue file's structure, and then its events, are looked through for damage: a small one whole.
const EXAMINED_FOR: Duration = Duration::from_secs(1);

/// Damaged events that are told of one by one.
const TOLD: usize = 3;

/// Printed by `--json`.
#[derive(Default, Serialize)]
struct Report {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<String>,
    /// Address of the `serve` that owns the queue's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    serve: Option<String>,
    sources: Vec<String>,
    /// Platforms that could be asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    platforms: Vec<Platform>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<String>,
    /// Events in the queue, where it is a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Events>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob_store: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback: Option<String>,
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// The platform of a source, and its webhooks.
#[derive(Serialize)]
struct Platform {
    source: String,
    server: String,
    webhooks: String,
}

#[derive(Serialize)]
struct Events {
    ready: u64,
    in_flight: u64,
    dead: u64,
}

pub(crate) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    if args.ready {
        let config = find_configuration::find(env, args.config.as_deref(), Missing::Refuse)?.config;
        return health_check::run(&config, env);
    }
    let mut report = Report::default();
    let outcome = walk(args, env, &mut report);
    if !args.json {
        outcome?;
        for warning in &report.warnings {
            say(format_args!("warning: {warning}"));
        }
        return Ok(report.print()?);
    }
    let said = match outcome {
        Ok(()) => {
            report.ok = true;
            Ok(())
        }
        Err(CliError::Config(message)) => {
            report.error = Some(message);
            Err(CliError::ConfigReported)
        }
        Err(CliError::Failed(message)) => {
            report.error = Some(message);
            Err(CliError::Reported)
        }
        Err(other) => return Err(other),
    };
    print_json(&report)?;
    said
}

impl Report {
    /// For people, in the order of a delivery's way.
    fn print(&self) -> std::io::Result<()> {
        let line = |name: &str, words: &str| print(format_args!("  {name:<12}{words}"));
        print(format_args!(
            "ok: {}",
            self.configuration.as_deref().unwrap_or_default()
        ))?;
        match &self.serve {
            Some(address) => line("serve", &format!("listens on {address}"))?,
            None if self.queue.as_deref().is_some_and(is_file) => {
                line("serve", "does not run; `labelrelay serve` starts it")?;
            }
            // Nothing tells from here.
            None => {}
        }
        line("sources", &self.sources.join(", "))?;
        for platform in &self.platforms {
            line("platform", &platform.server)?;
            line("webhooks", &platform.webhooks)?;
        }
        let queue = self.queue.as_deref().unwrap_or_default();
        match &self.events {
            Some(events) => line(
                "queue",
                &format!(
                    "{queue}: {} ready, {} in flight, {} dead",
                    events.ready, events.in_flight, events.dead
                ),
            )?,
            None if is_file(queue) => line("queue", &format!("{queue}: made by the next `serve`"))?,
            None => line("queue", queue)?,
        }
        for (name, store) in [
            ("blob store", &self.blob_store),
            ("fallback", &self.fallback),
        ] {
            if let Some(store) = store {
                line(name, store)?;
            }
        }
        Ok(())
    }
}

fn is_file(queue: &str) -> bool {
    queue.starts_with("sqlite:")
}

fn walk(args: &Args, env: &Env<'_>, report: &mut Report) -> Result<(), CliError> {
    logging::level(env)?;
    let config = find_configuration::find(env, args.config.as_deref(), Missing::Refuse)?.config;
    report.configuration = Some(config.origin.clone());
    report.sources = config
        .sources
        .iter()
        .map(|source| source.name.clone())
        .collect();
    report.warnings.clone_from(&config.warnings);
    Settings::read(Flags::default(), Some(&config))?;
    let location = open::queue_location(&config, env)?;
    report.queue = Some(location.to_string());
    if let QueueLocation::Sqlite(file) = &location {
        report
            .warnings
            .extend(open::network_file_system::warning(file));
        can_be_made(file, env)?;
    }
    let runtime = crate::runtime::small()?;
    let warnings = runtime.block_on(open::check(&config, env))?;
    report.warnings.extend(warnings);
    report.blob_store = store(config.blob_store.as_ref(), BLOB_STORE, &config, env)?;
    report.fallback = store(config.fallback.as_ref(), FALLBACK, &config, env)?;
    if let QueueLocation::Sqlite(file) = &location {
        report.serve = serve_address::find(file).map(|address| address.to_string());
        if file.exists() {
            events(location, report)?;
        }
    }
    runtime.block_on(platforms(&config, args.config.as_deref(), env, report));
    Ok(())
}

/// Asks the platforms. One that does not answer is no fault of the relay's.
async fn platforms(config: &Config, file: Option<&Path>, env: &Env<'_>, report: &mut Report) {
    let of_label_studio = config.sources.iter().filter(|source| {
        source.provider == Provider::LabelStudio && label_studio::is_known(source, env)
    });
    for source in of_label_studio {
        match label_studio::ask(source, file, env).await {
            Ok(state) => {
                report.warnings.extend(state.warnings);
                report.platforms.push(Platform {
                    source: source.name.clone(),
                    server: state.server,
                    webhooks: state.webhooks,
                });
            }
            Err(why) => report.warnings.push(format!(
                "source `{}`: the webhooks of Label Studio are not known: {why}",
                source.name
            )),
        }
    }
}

/// A store's URL, without a query: that may be a signature.
fn store(
    url: Option<&String>,
    name: Name,
    config: &Config,
    env: &Env<'_>,
) -> Result<Option<String>, CliError> {
    let Some(url) = url else {
        return Ok(None);
    };
    let at = open::setting(name, config, env);
    let location =
        locations::store(url, at.base_dir).map_err(|error| error.at(at.origin, at.key))?;
    Ok(Some(location.to_string()))
}

fn events(location: QueueLocation, report: &mut Report) -> Result<(), CliError> {
    let mut queue = queue_file::open(location)?;
    let stats = queue.stats()?;
    queue.check_structure(EXAMINED_FOR)?;
    let damaged = queue.damaged_events(EXAMINED_FOR)?;
    for (seq, reason) in damaged.iter().take(TOLD) {
        report.warnings.push(damaged_event(*seq, reason));
    }
    if let Some(more) = damaged.len().checked_sub(TOLD).filter(|more| *more > 0) {
        report
            .warnings
            .push(format!("{more} more events are damaged in the queue file"));
    }
    if stats.dead > 0 {
        let letters = if stats.dead == 1 { "letter" } else { "letters" };
        report.warnings.push(format!(
            "{} dead {letters}: received too often and never acknowledged; see `labelrelay events list --dead`, and `labelrelay events retry` when the consumer is mended",
            stats.dead
        ));
    }
    report.events = Some(Events {
        ready: stats.ready,
        in_flight: stats.in_flight,
        dead: stats.dead,
    });
    Ok(())
}

/// Checks that `serve` could make a queue file that is not there yet: with a file that has no name, so that nothing
/// is left behind and no running `serve` sees it.
fn can_be_made(file: &Path, env: &Env<'_>) -> Result<(), CliError> {
    // The directory of our own is made with it.
    let local_dir = LocalDir::below(env.cwd());
    if file == local_dir.queue_file() {
        return local_dir.has_configuration().map(drop);
    }
    if file.exists() {
        return Ok(());
    }
    let directory = file.parent().unwrap_or(env.cwd());
    tempfile::tempfile_in(directory)
        .map(drop)
        .map_err(|source| {
            let error = OpenError::Io {
                path: file.to_owned(),
                what: "making the file",
                source,
            };
            CliError::config(format_args!("queue: {}", chain(&error)))
        })
}
