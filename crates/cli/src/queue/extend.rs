//! `labelrelay queue extend`.

use super::receipts::Receipts;
use crate::durations::parse_hold;
use crate::error::{CliError, EXIT_CODES};
use labelrelay_local::QueueFile;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  labelrelay queue extend --visibility 5m 17-9f86d081884c7d659a2feaa0c55ad015
  labelrelay queue extend - < batch.ndjson";

const NOTES: &str = "\
For work that takes longer than the visibility timeout of `receive`. A receipt whose time has run out \
is still good as long as nobody received its message again.";

/// Extends the visibility timeout of received messages.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    #[command(flatten)]
    receipts: Receipts,
    /// Hide them from other consumers for this long from now on
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_hold)]
    visibility: Duration,
}

pub(super) fn run(args: &Args, queue: &QueueFile) -> Result<(), CliError> {
    args.receipts.settle("extended", |receipts| {
        queue.extend_all(receipts, args.visibility)
    })
}
