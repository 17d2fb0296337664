//! `labelrelay queue dead`.

use super::row::{one_more, print_list};
use crate::failure::{EXIT_CODES, Failure};
use crate::output::{print, print_json};
use labelrelay_local::QueueFile;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  labelrelay queue dead
  labelrelay queue dead --requeue 17,23
  labelrelay queue dead --requeue-all

A message becomes a dead letter when it was received `embedded_queue.max_receives` times (5 unless \
configured) and never acknowledged.";

/// Lists dead letters, or makes them ready again.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    /// Make these ready again, as if they had never been received
    #[arg(long, value_name = "SEQ", value_delimiter = ',', num_args = 1.., conflicts_with = "requeue_all")]
    requeue: Vec<u64>,
    /// Make all of them ready again
    #[arg(long)]
    requeue_all: bool,
    /// At most this many in the list
    #[arg(long, default_value_t = 100)]
    limit: usize,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Requeued {
    requeued: u64,
}

pub(super) fn run(args: &Args, queue: &QueueFile) -> Result<(), Failure> {
    if args.requeue_all || !args.requeue.is_empty() {
        let only = (!args.requeue_all).then_some(args.requeue.as_slice());
        let requeued = queue.requeue_dead(only)?;
        if args.json {
            print_json(&Requeued { requeued })?;
        } else {
            print(format_args!("made {requeued} ready again"))?;
        }
        // Numbers that are no dead letters are most likely mistyped.
        let missed = only.is_some_and(|only| requeued < only.len() as u64);
        return if missed {
            Err(Failure::failed("not all of these are dead letters"))
        } else {
            Ok(())
        };
    }
    let events = queue.dead(one_more(args.limit))?;
    Ok(print_list(&events, args.limit, args.json)?)
}
