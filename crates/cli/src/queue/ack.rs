//! `labelrelay queue ack`.

use super::receipts::Receipts;
use crate::error::{CliError, EXIT_CODES};
use labelrelay_local::QueueFile;

const EXAMPLES: &str = "\
Examples:
  labelrelay queue ack 17-9f86d081884c7d659a2feaa0c55ad015
  labelrelay queue receive --max 100 --json > batch.ndjson
  labelrelay queue ack - < batch.ndjson";

const NOTES: &str = "\
A receipt is good until its message is received again. One that is given twice counts once.";

/// Acknowledges received messages: their work is done.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    #[command(flatten)]
    receipts: Receipts,
}

pub(super) fn run(args: &Args, queue: &QueueFile) -> Result<(), CliError> {
    args.receipts
        .settle("acknowledged", |receipts| queue.acknowledge_all(receipts))
}
