//! Label Studio: where it is, and the token.

use super::NOTES;
use super::common::Common;
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::secret_reference;
use labelrelay_core::config::SecretRef;
use labelrelay_core::provider::Provider;
use labelrelay_reconcile::http::HttpOptions;
use labelrelay_reconcile::label_studio::LabelStudio;
use labelrelay_startup::OsEntropy;
use std::sync::Arc;

/// As Label Studio's own client calls them.
const URL: &str = "LABEL_STUDIO_URL";
const TOKEN: &str = "LABEL_STUDIO_API_KEY";

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
    /// URL of Label Studio: `http://HOST:PORT` [default: `LABEL_STUDIO_URL`]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Reference to the token: `env:NAME`, `file:/path`, or a cloud's store, such as `gcp-secretmanager:NAME`. A
    /// legacy token or a personal access token
    /// [default: `env:LABEL_STUDIO_API_KEY`]
    #[arg(long, value_name = "REFERENCE", value_parser = SecretRef::of_command_line)]
    token: Option<SecretRef>,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    let url = match (&args.url, env.var(URL)?) {
        (Some(url), _) => url.clone(),
        (None, Some(url)) => url,
        (None, _) => {
            return Err(CliError::usage(format_args!(
                "where is Label Studio? Give --url http://HOST:PORT, or set {URL}"
            )));
        }
    };
    let url = url.trim().trim_end_matches('/');
    if !(url.starts_with("http://") || url.starts_with("https://")) {
        return Err(CliError::usage(
            "the URL of Label Studio begins with http:// or https://",
        ));
    }
    if url.contains('@') {
        return Err(CliError::usage(
            "the URL of Label Studio takes no user or password; give the token by --token",
        ));
    }
    let reference = args
        .token
        .clone()
        .unwrap_or_else(|| SecretRef::Env(TOKEN.to_owned()));
    if let SecretRef::Env(name) = &reference
        && env.lookup().secret(name).is_none()
    {
        return Err(CliError::usage(format_args!(
            "with which token? {name} is not set: set it to one (Account & Settings of Label Studio), or say where it is: --token file:/path"
        )));
    }
    let token = crate::runtime::small()?.block_on(secret_reference::read(&reference, env))?;
    let mut options = HttpOptions::new(Arc::new(OsEntropy));
    options.per_second = args.common.rate;
    let projects = args.common.project.clone();
    let platform = LabelStudio::new(url, token, projects, options).map_err(CliError::failed)?;
    args.common
        .run(env, Provider::LabelStudio, url, Arc::new(platform))
}
