//! `labelrelay events list`.

use super::filter::{self, Which};
use super::row::{one_more, print_list};
use crate::error::{CliError, EXIT_CODES};
use labelrelay_local::QueueFile;

const EXAMPLES: &str = "\
Examples:
  labelrelay events list
  labelrelay events list --since 1h --type io.labelstud.annotation --newest
  labelrelay events list --dead --json";

/// Lists events, in order of arrival.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{}\n\n{EXIT_CODES}", filter::HELP))]
pub(super) struct Args {
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// The newest first
    #[arg(long)]
    newest: bool,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    which: Which,
}

pub(super) fn run(args: &Args, queue: &QueueFile) -> Result<(), CliError> {
    let mut filter = args.which.filter(queue)?;
    filter.newest_first = args.newest;
    let events = queue.list(&filter, one_more(args.limit))?;
    Ok(print_list(&events, args.limit, args.json)?)
}
