//! Asks platforms how they see to the deliveries of a source, for `labelrelay status`. Nothing is changed.

use super::state::State;
use super::{label_studio, labelbox};
use crate::env::Env;
use crate::evidence::Evidence;
use labelrelay_core::config::{Config, SourceConfig};
use labelrelay_core::provider::Provider;
use std::path::Path;

/// Tells whether the changes on the platform of `source` can be compared with what came.
pub(crate) fn is_compared(config: &Config, source: &SourceConfig, env: &Env<'_>) -> bool {
    source.provider == Provider::LabelStudio
        && label_studio::is_known(source, env)
        && label_studio::is_its_own(config, source)
}

/// The same of any source.
pub(crate) fn compares(config: &Config, env: &Env<'_>) -> bool {
    let mut sources = config.sources.iter();
    sources.any(|source| is_compared(config, source, env))
}

/// Asks the platform of `source`, and compares with `evidence` of what came, where there is a queue; `None` where nothing
/// says that the platform should be asked. `file` is the configuration's
/// file, where the command line named one. An error names the platform, the problem and the cure.
pub(crate) async fn ask(
    config: &Config,
    source: &SourceConfig,
    file: Option<&Path>,
    evidence: Option<Evidence<'_>>,
    env: &Env<'_>,
) -> Option<Result<State, String>> {
    let evidence = evidence.filter(|_| label_studio::is_its_own(config, source));
    let (platform, state) = match source.provider {
        Provider::LabelStudio if label_studio::is_known(source, env) => (
            "Label Studio",
            label_studio::ask(config, source, file, evidence, env).await,
        ),
        // Its API is always there. Whether it shall deliver here, the section says.
        Provider::Labelbox if source.webhook.is_some() => {
            ("Labelbox", labelbox::ask(config, source, file, env).await)
        }
        _ => return None,
    };
    let told = |why| format!("the webhooks of {platform} are not known: {why}");
    Some(state.map_err(told))
}
