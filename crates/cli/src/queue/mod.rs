//! `labelrelay queue`: takes from the embedded queue, beside a running `serve`. For scripts.

mod ack;
mod extend;
mod nack;
mod receipts;
mod receive;
mod upkeep;

use crate::failure::{EXIT_CODES, Failure};
use crate::queue_file::QueueArgs;
use crate::world::World;
use clap::Subcommand;

const EXAMPLES: &str = "\
Examples:
  labelrelay queue receive --max 10 --json > batch.ndjson
  labelrelay queue ack - < batch.ndjson
  labelrelay queue stats";

/// Takes events from the embedded queue, for scripts; works beside a running `serve`.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    queue: QueueArgs,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Receive(receive::Args),
    Ack(ack::Args),
    Nack(nack::Args),
    Extend(extend::Args),
    Stats(upkeep::StatsArgs),
    Prune(upkeep::PruneArgs),
}

pub(crate) fn run(args: &Args, world: &World<'_>) -> Result<(), Failure> {
    let queue = args.queue.open(world)?;
    match &args.verb {
        Verb::Receive(args) => receive::run(args, &queue),
        Verb::Ack(args) => ack::run(args, &queue),
        Verb::Nack(args) => nack::run(args, &queue),
        Verb::Extend(args) => extend::run(args, &queue),
        Verb::Stats(args) => upkeep::stats(args, &queue),
        Verb::Prune(args) => upkeep::prune(args, &queue),
    }
}
