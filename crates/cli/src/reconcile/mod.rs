//! `labelrelay reconcile`: fetches through a platform's API what no delivery brought.

mod common;
mod label_studio;
mod labelbox;
mod progress;
mod rounds;
mod target;

use crate::discover;
use crate::failure::{EXIT_CODES, Failure};
use crate::world::World;
use clap::Subcommand;

const EXAMPLES: &str = "\
Examples:
  LABEL_STUDIO_API_KEY=… labelrelay reconcile label-studio --url http://HOST:8080
  labelrelay reconcile label-studio --token file:ls.token --dry-run
  labelrelay reconcile label-studio --every 5m
  LABELRELAY_QUEUE=sqs://… labelrelay reconcile label-studio --ledger s3://B/P
  LABELBOX_API_KEY=… labelrelay reconcile labelbox --project ID --dry-run

The first run looks at everything that the token sees; later ones at what changed. Events of Label \
Studio have the ids that the live ones would have had, so that consumers recognise a repeat; those of \
Labelbox have its subjects and versions.";

/// Fetches through a platform's API what no delivery brought, and puts it on the queue. Works beside a
/// running `serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}\n\n{EXIT_CODES}", discover::HELP))]
pub(crate) struct Args {
    #[command(subcommand)]
    platform: PlatformArgs,
}

#[derive(Debug, Subcommand)]
enum PlatformArgs {
    LabelStudio(label_studio::Args),
    Labelbox(labelbox::Args),
}

pub(crate) fn run(args: &Args, world: &World<'_>) -> Result<(), Failure> {
    match &args.platform {
        PlatformArgs::LabelStudio(args) => label_studio::run(args, world),
        PlatformArgs::Labelbox(args) => labelbox::run(args, world),
    }
}
