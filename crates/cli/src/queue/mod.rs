//! `labelrelay queue`: takes from the embedded queue, beside a running `serve`. For scripts.

mod ack;
mod extend;
mod nack;
mod pipe;
mod receipts;
mod receive;
mod stats_and_prune;

use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::queue_file::QueueArgs;
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
    Pipe(pipe::Args),
    Stats(stats_and_prune::StatsArgs),
    Prune(stats_and_prune::PruneArgs),
}

pub(crate) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    let queue = || args.queue.open(env);
    match &args.verb {
        Verb::Receive(args) => receive::run(args, &queue()?),
        Verb::Ack(args) => ack::run(args, &queue()?),
        Verb::Nack(args) => nack::run(args, &queue()?),
        Verb::Extend(args) => extend::run(args, &queue()?),
        Verb::Pipe(pipe) => pipe::run(pipe, &args.queue, env),
        Verb::Stats(args) => stats_and_prune::stats(args, &queue()?),
        Verb::Prune(args) => stats_and_prune::prune(args, &queue()?),
    }
}
