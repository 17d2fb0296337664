//! `labelrelay archive`: what is to be done with an archive beside reading it.

mod compact;
mod patience;
mod write;

use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use clap::Subcommand;

const EXAMPLES: &str = "\
Examples:
  labelrelay archive compact s3://BUCKET/archive
  labelrelay archive write s3://BUCKET/archive --queue sqs://REGION/ACCOUNT/archive
  labelrelay events list --from s3://BUCKET/archive      looks into one";

/// Looks after an archive of events.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Compact(compact::Args),
    Write(write::Args),
}

pub(crate) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    match &args.verb {
        Verb::Compact(args) => compact::run(args, env),
        Verb::Write(args) => write::run(args, env),
    }
}
