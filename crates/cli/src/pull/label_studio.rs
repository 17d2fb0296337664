//! Label Studio: where it is, and the token.

use super::NOTES;
use super::common_options::Common;
use crate::connect::sections;
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::label_studio_access;
use crate::platform_http;
use labelrelay_core::config::SecretRef;
use labelrelay_core::provider::Provider;
use labelrelay_reconcile::label_studio::LabelStudio;
use std::sync::Arc;

const EXAMPLES: &str = "\
Examples:
  labelrelay pull label-studio --url http://HOST:8080
  labelrelay pull label-studio --token file:ls.token --dry-run
  labelrelay pull label-studio --every 5m
  LABELRELAY_QUEUE=sqs://… labelrelay pull label-studio --ledger s3://B/P";

/// Fetches annotations and tasks of Label Studio: created, changed, deleted.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    /// URL of Label Studio: `http://HOST:PORT` [default: that of `[source.webhook]` or `[source.pull]`, else
    /// `LABEL_STUDIO_URL`]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Reference to the token: `env:NAME`, `file:/path`, or a cloud's store, such as `gcp-secretmanager:NAME`. A
    /// legacy token or a personal access token
    /// [default: that of the sections, else `env:LABEL_STUDIO_API_KEY`]
    #[arg(long, value_name = "REFERENCE", value_parser = SecretRef::of_command_line)]
    token: Option<SecretRef>,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    let config = args.common.configuration(env)?;
    let source = args.common.source(&config, Provider::LabelStudio)?;
    let url = sections::url(args.url.as_deref(), source);
    let url = label_studio_access::url(url, "--url http://HOST:PORT", env)?;
    let token = sections::token(args.token.as_ref(), source);
    let token = label_studio_access::token(token, env);
    let token = crate::runtime::small()?.block_on(token)?;
    let mut options = platform_http::options(platform_http::proxies(env)?);
    options.per_second = args.common.rate;
    let projects = args.common.projects(source);
    let platform = LabelStudio::new(&url, token, projects, options).map_err(CliError::failed)?;
    args.common
        .run(env, &config, source, &url, Arc::new(platform))
}
