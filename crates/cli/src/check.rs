//! `labelrelay check`: is the configuration good, without starting anything?

use crate::discover::{self, Missing};
use crate::failure::{EXIT_CODES, Failure, chain};
use crate::home::Home;
use crate::logging;
use crate::open;
use crate::output::{print, print_json, say};
use crate::places::QueuePlace;
use crate::serve::{Flags, Settings};
use crate::world::World;
use labelrelay_local::OpenError;
use serde::Serialize;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  labelrelay check
  labelrelay check --config /etc/labelrelay.toml --json";

/// Checks the configuration without starting: reads it, every secret that it refers to, the addresses
/// to listen on, and the queue's file, or whether one can be made.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}\n\n{EXIT_CODES}", discover::HELP))]
pub(crate) struct Args {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Default, Serialize)]
struct Verdict {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<String>,
    sources: Vec<String>,
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(crate) fn run(args: &Args, world: &World<'_>) -> Result<(), Failure> {
    let mut verdict = Verdict::default();
    let outcome = look(args, world, &mut verdict);
    if !args.json {
        outcome?;
        for warning in &verdict.warnings {
            say(format_args!("warning: {warning}"));
        }
        let configuration = verdict.configuration.unwrap_or_default();
        let (sources, queue) = (
            verdict.sources.join(", "),
            verdict.queue.unwrap_or_default(),
        );
        return Ok(print(format_args!(
            "good: {configuration}, sources {sources}, queue {queue}"
        ))?);
    }
    let said = match outcome {
        Ok(()) => {
            verdict.ok = true;
            Ok(())
        }
        Err(Failure::Config(message)) => {
            verdict.error = Some(message);
            Err(Failure::ConfigSaid)
        }
        Err(Failure::Failed(message)) => {
            verdict.error = Some(message);
            Err(Failure::Said)
        }
        Err(other) => return Err(other),
    };
    print_json(&verdict)?;
    said
}

fn look(args: &Args, world: &World<'_>, verdict: &mut Verdict) -> Result<(), Failure> {
    logging::level(world)?;
    let config = discover::find(world, args.config.as_deref(), Missing::Refuse)?.config;
    verdict.configuration = Some(config.origin.clone());
    verdict.sources = config
        .sources
        .iter()
        .map(|source| source.name.clone())
        .collect();
    verdict.warnings.clone_from(&config.warnings);
    Settings::read(Flags::default(), Some(&config))?;
    let place = open::queue_place(&config, world)?;
    verdict.queue = Some(place.to_string());
    if let QueuePlace::Sqlite(file) = &place {
        verdict.warnings.extend(open::network::warning(file));
        can_be_made(file, world)?;
    }
    let runtime = crate::runtime::small()?;
    let warnings = runtime.block_on(open::look(&config, world))?;
    verdict.warnings.extend(warnings);
    Ok(())
}

/// Whether `serve` could make a queue file that is not there yet: tried with a file that has no name,
/// so that nothing is left behind and no running `serve` sees it.
fn can_be_made(file: &Path, world: &World<'_>) -> Result<(), Failure> {
    // The directory of our own is made with it.
    let home = Home::below(world.cwd());
    if file == home.queue_file() {
        return home.has_configuration().map(drop);
    }
    if file.exists() {
        return Ok(());
    }
    let directory = file.parent().unwrap_or(world.cwd());
    tempfile::tempfile_in(directory)
        .map(drop)
        .map_err(|source| {
            let error = OpenError::Io {
                path: file.to_owned(),
                what: "making the file",
                source,
            };
            Failure::config(format_args!("queue: {}", chain(&error)))
        })
}
