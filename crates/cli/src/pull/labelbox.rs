//! Labelbox: the API key, and where it is shown.

use super::NOTES;
use super::common_options::Common;
use crate::connect::sections;
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::labelbox_access;
use crate::platform_http;
use labelrelay_core::config::SecretRef;
use labelrelay_core::provider::Provider;
use labelrelay_reconcile::labelbox::{ENDPOINT, Labelbox};
use std::sync::Arc;

const EXAMPLES: &str = "\
Examples:
  labelrelay pull labelbox --project ID --dry-run
  labelrelay pull labelbox --every 15m";

/// Fetches labels of Labelbox: created and changed. Tried with Labelbox's own client against a stand-in only.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    /// Reference to the API key: `env:NAME`, `file:/path`, or a cloud's store, such as `gcp-secretmanager:NAME`
    /// [default: that of `[source.webhook]` or `[source.pull]`, else `env:LABELBOX_API_KEY`]
    #[arg(long, value_name = "REFERENCE", value_parser = SecretRef::of_command_line)]
    key: Option<SecretRef>,
    /// URL of Labelbox's GraphQL API [default: that of the sections, else `https://api.labelbox.com/graphql`]
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    let config = args.common.configuration(env)?;
    let source = args.common.source(&config, Provider::Labelbox)?;
    let endpoint = sections::url(args.endpoint.as_deref(), source).unwrap_or(ENDPOINT);
    let endpoint = labelbox_access::endpoint(endpoint)?;
    let key = sections::token(args.key.as_ref(), source);
    let key = labelbox_access::key(key, env);
    let key = crate::runtime::small()?.block_on(key)?;
    let mut options = platform_http::options(platform_http::proxies(env)?);
    options.per_second = args.common.rate;
    let projects = args.common.projects(source);
    let platform = Labelbox::new(endpoint, key, projects, options).map_err(CliError::failed)?;
    args.common
        .run(env, &config, source, endpoint, Arc::new(platform))
}
