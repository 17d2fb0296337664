//! Labelbox: the API key, and where it is shown.

use super::NOTES;
use super::common_options::Common;
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::labelbox_access;
use labelrelay_core::config::SecretRef;
use labelrelay_core::provider::Provider;
use labelrelay_reconcile::http::HttpOptions;
use labelrelay_reconcile::labelbox::{ENDPOINT, Labelbox};
use labelrelay_startup::OsEntropy;
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
    /// [default: `env:LABELBOX_API_KEY`]
    #[arg(long, value_name = "REFERENCE", value_parser = SecretRef::of_command_line)]
    key: Option<SecretRef>,
    /// URL of Labelbox's GraphQL API
    #[arg(long, value_name = "URL", default_value = ENDPOINT)]
    endpoint: String,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    let endpoint = labelbox_access::endpoint(&args.endpoint)?;
    let key = labelbox_access::key(args.key.as_ref(), env);
    let key = crate::runtime::small()?.block_on(key)?;
    let mut options = HttpOptions::new(Arc::new(OsEntropy));
    options.per_second = args.common.rate;
    let projects = args.common.project.clone();
    let platform = Labelbox::new(endpoint, key, projects, options).map_err(CliError::failed)?;
    args.common
        .run(env, Provider::Labelbox, endpoint, Arc::new(platform))
}
