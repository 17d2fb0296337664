//! `labelrelay connect` without a platform: the webhooks become what the sections `[source.webhook]` say.

use super::no_platform::Args;
use super::{label_studio, labelbox};
use crate::env::Env;
use crate::error::CliError;
use crate::find_configuration::{self, Missing};
use crate::output::print;
use labelrelay_core::provider::Provider;

/// Sees to every source that has the section. One that fails keeps no other from its turn.
pub(super) async fn connect(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    let config = find_configuration::find(env, args.config.as_deref(), Missing::Refuse)?.config;
    let mut failed = None;
    let mut is_none = true;
    for source in &config.sources {
        if source.webhook.is_none() {
            continue;
        }
        is_none = false;
        if !args.json {
            print(format_args!("source `{}`:", source.name))?;
        }
        let done = match source.provider {
            Provider::Labelbox => labelbox::configured(&config, source, args, env).await,
            _ => label_studio::configured(&config, source, args, env).await,
        };
        match done {
            Ok(()) => {}
            Err(CliError::ReaderGone) => return Err(CliError::ReaderGone),
            Err(error) => {
                let error = error.of_source(&source.name);
                if let Some(earlier) = failed.replace(error) {
                    // The last one is said at the end.
                    let _code = earlier.report();
                }
            }
        }
    }
    if is_none {
        return Err(CliError::usage(format_args!(
            "which platform? Give one: `labelrelay connect label-studio`, `labelrelay connect labelbox`; or write a section [source.webhook] below a source in {}",
            config.origin
        )));
    }
    failed.map_or(Ok(()), Err)
}
