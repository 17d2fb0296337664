//! `labelrelay events`: looks at what came in without taking it, and sends it again. What became no event, or is no
//! longer on the queue, is in the record of deliveries, or in an archive.

mod archived;
mod body;
mod elsewhere;
mod export;
mod filter;
mod forget;
mod forgotten_envelope;
mod list;
mod log_query;
pub(crate) mod of_delivery;
mod page;
mod recorded;
mod replay;
mod retry;
mod row;
mod show;
mod tail;
mod time;

use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::queue_file::QueueArgs;
use clap::Subcommand;

const EXAMPLES: &str = "\
Examples:
  labelrelay events list --since 1h --project 17
  labelrelay events list --refused
  labelrelay events show 4
  labelrelay events tail --follow
  labelrelay events retry
  labelrelay events replay --since 2h --type io.labelstud.annotation
  labelrelay events export --dir events
  labelrelay events page --from s3://BUCKET/archive";

/// Looks at the events of the embedded queue without taking them, and sends them again.
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
    List(list::Args),
    Show(show::Args),
    Tail(tail::Args),
    Retry(retry::Args),
    Replay(replay::Args),
    Export(export::Args),
    Forget(forget::Args),
    Page(page::Args),
}

pub(crate) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    match &args.verb {
        Verb::List(verb) => list::run(verb, &args.queue, env),
        Verb::Show(verb) => show::run(verb, &args.queue, env),
        Verb::Tail(verb) => tail::run(verb, &args.queue, env),
        Verb::Retry(verb) => retry::run(verb, &args.queue, env),
        Verb::Replay(verb) => replay::run(verb, &args.queue, env),
        Verb::Export(verb) => export::run(verb, &args.queue, env),
        Verb::Forget(verb) => forget::run(verb, &args.queue, env),
        Verb::Page(verb) => page::run(verb, env),
    }
}
