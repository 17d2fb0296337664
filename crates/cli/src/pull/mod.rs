//! `labelrelay pull`: fetches missed events through a platform's API.

mod common_options;
mod counted;
mod label_studio;
mod labelbox;
mod progress;
mod rounds;
mod target;

use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use clap::Subcommand;

const NOTES: &str = "\
The first run looks at everything that the token sees, later runs at the changes. Events of Label Studio \
have the ids of the live events, so consumers recognise a repeat. Events of Labelbox have the subjects and \
versions of the live ones. Works beside a running `serve`.";

const EXAMPLES: &str = "\
Examples:
  LABEL_STUDIO_API_KEY=… labelrelay pull label-studio --url http://HOST:8080
  LABELBOX_API_KEY=… labelrelay pull labelbox --project ID --dry-run";

/// Fetches missed events through a platform's API, and puts them on the queue.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
pub(crate) struct Args {
    #[command(subcommand)]
    platform: PlatformArgs,
}

#[derive(Debug, Subcommand)]
enum PlatformArgs {
    LabelStudio(label_studio::Args),
    Labelbox(labelbox::Args),
}

pub(crate) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    match &args.platform {
        PlatformArgs::LabelStudio(args) => label_studio::run(args, env),
        PlatformArgs::Labelbox(args) => labelbox::run(args, env),
    }
}
