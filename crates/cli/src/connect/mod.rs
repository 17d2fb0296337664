//! `labelrelay connect`: makes a platform deliver to a relay, through the platform's API.

mod allowlist;
mod changes;
mod config_section;
mod configured;
mod credential;
mod facts;
mod kept_secret;
mod label_studio;
mod labelbox;
mod listing;
mod no_platform;
pub(crate) mod platform_state;
mod pulling;
mod relay_ready;
mod relay_url;
mod report;
mod rotation;
pub(crate) mod sections;
mod state;
mod steps;
mod wanted;

pub(crate) use changes::Changes;
pub(crate) use relay_url::last_segment;
pub(crate) use state::option as command_option;

use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::platform_http;
use clap::Subcommand;
use labelrelay_reconcile::http::HttpOptions;
use std::time::Duration;

/// Time for one attempt. It is short because a person waits for the answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Attempts of a request that may be sent again: two pauses of a second or so. One that was waited for so long is not.
const ATTEMPTS: u32 = 3;

const EXAMPLES: &str = "\
Examples:
  labelrelay connect label-studio http://HOST:8080
  labelrelay connect labelbox --relay https://HOST
  labelrelay connect label-studio --plan
  labelrelay connect list label-studio
  labelrelay connect label-studio --remove
  labelrelay connect               as the sections [source.webhook] say
  labelrelay connect --repair      mends what `labelrelay status` found";

const LIST_EXAMPLES: &str = "\
Examples:
  labelrelay connect list label-studio http://HOST:8080
  labelrelay connect list label-studio --json | jq .webhooks";

/// Makes a platform deliver to the relay: makes its webhooks, mends them, removes them.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = EXIT_CODES, args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    platform: Option<PlatformArgs>,
    #[command(flatten)]
    configured: no_platform::Args,
}

#[derive(Debug, Subcommand)]
enum PlatformArgs {
    LabelStudio(label_studio::Args),
    Labelbox(labelbox::Args),
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
    Labelbox(labelbox::ListArgs),
}

pub(crate) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    let runtime = crate::runtime::small()?;
    let Some(platform) = &args.platform else {
        return runtime.block_on(configured::connect(&args.configured, env));
    };
    match platform {
        PlatformArgs::LabelStudio(args) => runtime.block_on(label_studio::connect(args, env)),
        PlatformArgs::Labelbox(args) => runtime.block_on(labelbox::connect(args, env)),
        PlatformArgs::List(ListArgs { platform }) => match platform {
            ListedArgs::LabelStudio(args) => runtime.block_on(label_studio::list(args, env)),
            ListedArgs::Labelbox(args) => runtime.block_on(labelbox::list(args, env)),
        },
    }
}

/// Options of the requests to the platforms' APIs.
fn http_options(env: &Env<'_>) -> Result<HttpOptions, CliError> {
    let mut options = platform_http::options(platform_http::proxies(env)?);
    options.timeout = PATIENCE;
    options.attempts = ATTEMPTS;
    options.retries_late = false;
    Ok(options)
}
