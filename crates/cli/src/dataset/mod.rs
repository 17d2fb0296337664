//! `labelrelay dataset`: the annotations as files that a training run reads.

mod archived;
mod claims;
mod export_options;
mod fetch;
mod forget;
mod location;
mod platform_annotations;
mod rebuild;
mod status;
mod sync;
mod verify;
mod words;

use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use clap::Subcommand;
use labelrelay_dataset::DatasetError;

const EXAMPLES: &str = "\
Examples:
  labelrelay dataset sync ./cars --format coco,yolo
  labelrelay dataset sync ./cars --follow
  labelrelay dataset verify ./cars --url http://HOST:8080";

/// Keeps the annotations as files: COCO, YOLO, Parquet, JSON lines.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Sync(sync::Args),
    Verify(verify::Args),
    Rebuild(rebuild::Args),
    Status(status::Args),
    Fetch(fetch::Args),
    Forget(forget::Args),
}

pub(crate) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    match &args.verb {
        Verb::Sync(args) => sync::run(args, env),
        Verb::Verify(args) => verify::run(args, env),
        Verb::Rebuild(args) => rebuild::run(args, env),
        Verb::Status(args) => status::run(args, env),
        Verb::Fetch(args) => fetch::run(args, env),
        Verb::Forget(args) => forget::run(args, env),
    }
}

impl From<DatasetError> for CliError {
    fn from(error: DatasetError) -> Self {
        Self::failed(error)
    }
}
