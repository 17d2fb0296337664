//! `labelrelay queue`: looks into the embedded queue and takes from it, beside a running `serve`.

mod ack;
pub(crate) mod claim;
mod dead;
mod export;
mod extend;
mod list;
mod nack;
mod receipts;
mod receive;
pub(crate) mod row;
mod show;
mod tail;
mod upkeep;

use crate::discover::{self, Missing};
use crate::failure::{EXIT_CODES, Failure, chain};
use crate::home::Home;
use crate::open;
use crate::places::{self, QueuePlace};
use crate::world::World;
use clap::Subcommand;
use labelrelay_http::SystemClock;
use labelrelay_local::{FileError, OpenError, QueueFile};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const EXAMPLES: &str = "\
Examples:
  labelrelay queue stats
  labelrelay queue list --type 'com.labelbox.label.*'
  labelrelay queue receive --max 10 --json | while read -r line; do …; done
  labelrelay queue export --dir events --queue sqlite:///var/lib/relay/queue.db";

/// Looks into the embedded queue and takes from it; works beside a running `serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}\n\n{EXIT_CODES}", discover::HELP))]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
    /// Queue: `sqlite:FILE` or `sqlite:///absolute/FILE` [default: the configured one]
    #[arg(long, value_name = "URL", global = true)]
    queue: Option<String>,
    /// Configuration file that names the queue
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(list::Args),
    Show(show::Args),
    Tail(tail::Args),
    Receive(receive::Args),
    Ack(ack::Args),
    Nack(nack::Args),
    Extend(extend::Args),
    Dead(dead::Args),
    Prune(upkeep::PruneArgs),
    Stats(upkeep::StatsArgs),
    Export(export::Args),
}

pub(crate) fn run(args: &Args, world: &World<'_>) -> Result<(), Failure> {
    let queue = open(args.queue.as_deref(), args.config.as_deref(), world)?;
    match &args.verb {
        Verb::List(args) => list::run(args, &queue),
        Verb::Show(args) => show::run(args, &queue),
        Verb::Tail(args) => tail::run(args, &queue),
        Verb::Receive(args) => receive::run(args, &queue),
        Verb::Ack(args) => ack::run(args, &queue),
        Verb::Nack(args) => nack::run(args, &queue),
        Verb::Extend(args) => extend::run(args, &queue),
        Verb::Dead(args) => dead::run(args, &queue),
        Verb::Prune(args) => upkeep::prune(args, &queue),
        Verb::Stats(args) => upkeep::stats(args, &queue),
        Verb::Export(args) => export::run(args, &queue, world),
    }
}

/// Opens the embedded queue that `--queue` names, or else the configured one.
pub(crate) fn open(
    url: Option<&str>,
    config: Option<&Path>,
    world: &World<'_>,
) -> Result<QueueFile, Failure> {
    let file = file(url, config, world)?;
    QueueFile::open(&file, Arc::new(SystemClock::new())).map_err(|error| match error {
        OpenError::Missing { .. } => Failure::failed(chain(&error)),
        _ => open::not_opened(&error),
    })
}

/// The queue file: of the flag, of the environment, of the configuration, else the one in the
/// directory of our own. A queue can be read without knowing any secret.
fn file(url: Option<&str>, config: Option<&Path>, world: &World<'_>) -> Result<PathBuf, Failure> {
    let place = if let Some(url) = url {
        named(url, "`--queue`", world)?
    } else if let (None, Some(url)) = (config, world.var("LABELRELAY_QUEUE")?) {
        places::queue(&url, world.cwd(), "environment: `LABELRELAY_QUEUE`")?
    } else {
        let home = Home::below(world.cwd());
        // `serve` may have been configured by an environment that this shell has not.
        if discover::is_first_start(world, config)? && home.has_queue()? {
            QueuePlace::Sqlite(home.queue_file())
        } else {
            let found = discover::find(world, config, Missing::Refuse)?;
            open::queue_place(&found.config, world)?
        }
    };
    match place {
        QueuePlace::Sqlite(file) => Ok(file),
        QueuePlace::Stdout => Err(Failure::usage(
            "the queue is `stdout:`, which keeps nothing to look into",
        )),
        QueuePlace::Cloud(cloud, _) => Err(Failure::usage(format_args!(
            "the queue is one of {cloud}, which has tools of its own; this verb looks into the embedded queue (--queue sqlite:FILE)"
        ))),
    }
}

/// A queue that a flag names.
pub(crate) fn named(url: &str, flag: &str, world: &World<'_>) -> Result<QueuePlace, Failure> {
    places::queue(url, world.cwd(), flag).map_err(|error| match error {
        Failure::Config(message) => Failure::Usage(message),
        other => other,
    })
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::failed(chain(&error))
    }
}
