//! Steps to do by hand for a secret that this program does not rotate.

use labelrelay_core::config::{SecretRef, SourceConfig};
use labelrelay_core::provider::Provider;

/// Way in which the webhooks get the secret.
fn webhooks(source: &SourceConfig) -> &'static str {
    match source.provider {
        Provider::Labelbox => {
            "`labelrelay connect labelbox --remove` and `labelrelay connect labelbox` make the webhook anew with it"
        }
        _ => "`labelrelay connect label-studio` gives it to the webhooks",
    }
}

/// The secret is in a variable.
pub(super) fn variable(source: &SourceConfig, name: &str) -> String {
    let platform = webhooks(source);
    format!(
        "--rotate changes secrets in files and in the clouds' stores, and that of source `{}` is in the variable {name}. By hand: put the old one into {name}_PREVIOUS (in a configuration file: `previous_secret`), a new one into {name}, and restart `serve`. Then {platform}. At the end take the old one away, and restart `serve`",
        source.name
    )
}

/// The store does not take the new secret from here.
pub(super) fn in_store(source: &SourceConfig, reference: &SecretRef) -> String {
    format!(
        "add a version to {reference}, where the one before it stays good; then {}",
        webhooks(source)
    )
}

/// Labelbox's secret in a store that relays read which nobody here sees.
pub(super) fn labelbox_in_store(reference: &SecretRef, relay: &str) -> String {
    format!(
        "--rotate does not change a secret of Labelbox's in a cloud's store: nothing tells here which webhook has which secret, and what the relay gets. Nothing was changed. By hand: put a new secret into {reference} as its newest version, where the one before it stays good, and wait six minutes. Make a second webhook to {relay} with it, in Labelbox: Workspace settings, Webhooks. Submit a label. When its event has come twice, set the first webhook to inactive, and its URL to {relay}/ended. Then put the new secret into {reference} once more, which takes the old one away"
    )
}

/// Nobody knows where the relay runs.
pub(super) fn unseen(source: &SourceConfig) -> String {
    format!(
        "--rotate asks the relay which secrets it takes, and finds it through the embedded queue alone; the queue of this configuration is another. By hand: set `previous_secret` of source `{}`, put a new secret into the file, and restart `serve`. Then {}. At the end take `previous_secret` away",
        source.name,
        webhooks(source)
    )
}

/// The secret stands in a URL that no API changes.
pub(super) fn ml_backend(source: &SourceConfig) -> String {
    format!(
        "--rotate cannot change the URL of an ML back end, which holds the secret of source `{0}`, too. By hand: set `previous_secret` and `previous_until` of the source, put a new secret into the file, and restart `serve`. Then `labelrelay connect label-studio` gives it to the webhooks. Enter it in the back end's URL as well: Settings, Model, in each project",
        source.name
    )
}
