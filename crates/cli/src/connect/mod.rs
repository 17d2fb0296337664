//! `labelrelay connect`: makes a platform deliver to a relay, through the platform's API.

mod credential;
mod label_studio;
mod relay_url;
mod report;

use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use clap::Subcommand;

const EXAMPLES: &str = "\
Examples:
  labelrelay connect label-studio http://HOST:8080
  labelrelay connect label-studio --plan
  labelrelay connect list label-studio
  labelrelay connect label-studio --remove";

const LIST_EXAMPLES: &str = "\
Examples:
  labelrelay connect list label-studio http://HOST:8080
  labelrelay connect list label-studio --json | jq .webhooks";

/// Makes a platform deliver to the relay: makes its webhooks, mends them, removes them.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    platform: PlatformArgs,
}

#[derive(Debug, Subcommand)]
enum PlatformArgs {
    LabelStudio(label_studio::Args),
    List(ListArgs),
}

/// Lists a platform's webhooks, and says which of them deliver to the relay.
#[derive(Debug, clap::Args)]
#[command(before_help = LIST_EXAMPLES, after_help = EXIT_CODES)]
struct ListArgs {
    #[command(subcommand)]
    platform: ListedArgs,
}

#[derive(Debug, Subcommand)]
enum ListedArgs {
    LabelStudio(label_studio::ListArgs),
}

pub(crate) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    let runtime = crate::runtime::small()?;
    match &args.platform {
        PlatformArgs::LabelStudio(args) => runtime.block_on(label_studio::connect(args, env)),
        PlatformArgs::List(ListArgs {
            platform: ListedArgs::LabelStudio(args),
        }) => runtime.block_on(label_studio::list(args, env)),
    }
}
