//! Settings of a platform in the configuration: those of a flag come first, then `[source.webhook]`, then
//! `[source.pull]`.

use labelrelay_core::config::{SecretRef, SourceConfig};

/// URL of the platform.
pub(crate) fn url<'a>(flag: Option<&'a str>, source: &'a SourceConfig) -> Option<&'a str> {
    let webhook = source.webhook.as_ref();
    let pull = source.pull.as_ref();
    flag.or_else(|| webhook.and_then(|webhook| webhook.url.as_deref()))
        .or_else(|| pull.and_then(|pull| pull.url.as_deref()))
}

/// Reference to the token for its API.
pub(crate) fn token<'a>(
    flag: Option<&'a SecretRef>,
    source: &'a SourceConfig,
) -> Option<&'a SecretRef> {
    let webhook = source.webhook.as_ref();
    let pull = source.pull.as_ref();
    flag.or_else(|| webhook.and_then(|webhook| webhook.token.as_ref()))
        .or_else(|| pull.and_then(|pull| pull.token.as_ref()))
}

/// URL at which the platform reaches the relay.
pub(super) fn relay<'a>(flag: Option<&'a str>, source: &'a SourceConfig) -> Option<&'a str> {
    let webhook = source.webhook.as_ref();
    flag.or_else(|| webhook.and_then(|webhook| webhook.relay.as_deref()))
}

/// Projects whose events are sent; empty: all.
pub(super) fn projects(source: &SourceConfig) -> &[String] {
    let webhook = source.webhook.as_ref();
    webhook.map_or(&[], |webhook| webhook.projects.as_slice())
}

/// Topics of Labelbox that are sent; empty: all.
pub(super) fn topics(source: &SourceConfig) -> &[String] {
    let webhook = source.webhook.as_ref();
    webhook.map_or(&[], |webhook| webhook.topics.as_slice())
}

/// Projects that a pull looks through; empty: all that the token sees. Those of `[source.pull]`, else those whose webhooks
/// deliver.
pub(crate) fn pulled_projects(source: &SourceConfig) -> &[String] {
    match &source.pull {
        Some(pull) => pull.projects.as_slice(),
        None => projects(source),
    }
}
