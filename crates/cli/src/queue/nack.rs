//! `labelrelay queue nack`.

use super::receipts::Receipts;
use crate::durations::parse_hold;
use crate::error::{CliError, EXIT_CODES};
use labelrelay_local::QueueFile;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  labelrelay queue nack 17-9f86d081884c7d659a2feaa0c55ad015
  labelrelay queue nack --delay 30s 17-9f86d081884c7d659a2feaa0c55ad015
  labelrelay queue nack --delay 5m - < failed.ndjson";

const NOTES: &str = "\
The receive counts all the same: a message that was received `embedded_queue.max_receives` times (5 \
unless configured) becomes a dead letter instead of being received again. The others of its batch \
are not touched.";

/// Gives received messages back, to be received again now or later.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    #[command(flatten)]
    receipts: Receipts,
    /// Hide them from all consumers for this long
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = parse_hold)]
    delay: Duration,
}

pub(super) fn run(args: &Args, queue: &QueueFile) -> Result<(), CliError> {
    args.receipts.settle("returned", |receipts| {
        queue.release_all(receipts, args.delay)
    })
}
