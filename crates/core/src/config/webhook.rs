//! The section `[source.webhook]`: what `labelrelay connect` makes of a platform's webhooks.

use super::error::ConfigError;
use super::pull::{ProjectId, ids, url_of};
use super::secret_reference::SecretRef;
use super::value_checks::not_empty;
use crate::provider::Provider;
use serde::Deserialize;
use std::path::Path;

/// The webhooks that a source shall have on its platform.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct WebhookConfig {
    /// URL of the platform; `None` is the one of the environment, or the public one of Labelbox.
    pub url: Option<String>,
    /// Reference to the token; `None` is the platform's usual variable.
    pub token: Option<SecretRef>,
    /// URL at which the platform reaches the relay; `None` is `public_url`, or the `serve` that runs here.
    pub relay: Option<String>,
    /// Projects whose events are sent; empty: all. Those of Label Studio are numbers.
    pub projects: Vec<String>,
    /// Topics of Labelbox; empty: all.
    pub topics: Vec<String>,
    /// Actions of Label Studio; empty: all.
    pub actions: Vec<String>,
    /// `true` if Label Studio sends what happened to what, and not only that something happened.
    pub payload: bool,
}

/// The section in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookTable {
    url: Option<String>,
    token: Option<String>,
    relay: Option<String>,
    #[serde(default)]
    projects: Vec<ProjectId>,
    topics: Option<Vec<String>>,
    actions: Option<Vec<String>>,
    payload: Option<bool>,
}

impl WebhookTable {
    /// `name` is the source's.
    pub(super) fn checked(
        self,
        origin: &str,
        name: &str,
        provider: Provider,
        base_dir: &Path,
    ) -> Result<WebhookConfig, ConfigError> {
        let key = |key: &str| format!("source.{name}.webhook.{key}");
        let token = self
            .token
            .map(|text| SecretRef::parse(&text, base_dir, origin, &key("token")));
        let url = self.url.map(|url| url_of(origin, &key("url"), &url));
        let relay = self.relay.map(|url| not_empty(origin, &key("relay"), url));
        let projects = ids(origin, &key("projects"), self.projects)?;
        let (foreign, cure) = match provider {
            Provider::LabelStudio => (
                [("topics", self.topics.is_some()), ("", false)],
                "remove it: what Label Studio calls actions stands in `actions`",
            ),
            Provider::Labelbox => (
                [
                    ("actions", self.actions.is_some()),
                    ("payload", self.payload.is_some()),
                ],
                "remove it: what Labelbox calls topics stands in `topics`, and its webhooks send their payload always",
            ),
        };
        for (setting, is_there) in foreign {
            if is_there {
                let problem = "is no setting of this platform's webhooks";
                return Err(ConfigError::new(origin, &key(setting), problem, cure));
            }
        }
        if provider == Provider::LabelStudio && !projects.iter().all(|id| is_number(id)) {
            let cure = "write their numbers, as in their addresses: /projects/NUMBER";
            let problem = "has an entry that is no project of Label Studio";
            return Err(ConfigError::new(origin, &key("projects"), problem, cure));
        }
        Ok(WebhookConfig {
            url: url.transpose()?,
            token: token.transpose()?,
            relay: relay.transpose()?,
            projects,
            topics: words(origin, &key("topics"), self.topics, "LABEL_CREATED")?,
            actions: words(origin, &key("actions"), self.actions, "ANNOTATION_CREATED")?,
            payload: self.payload.unwrap_or(true),
        })
    }
}

fn is_number(id: &str) -> bool {
    id.bytes().all(|byte| byte.is_ascii_digit()) && id.parse::<u64>().is_ok()
}

/// Names of topics or actions. None at all would be a webhook that never sends.
fn words(
    origin: &str,
    key: &str,
    texts: Option<Vec<String>>,
    example: &str,
) -> Result<Vec<String>, ConfigError> {
    let Some(texts) = texts else {
        return Ok(Vec::new());
    };
    let is_word = |text: &String| {
        let mut bytes = text.bytes();
        !text.is_empty() && bytes.all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    };
    if texts.is_empty() || !texts.iter().all(is_word) {
        return Err(ConfigError::new(
            origin,
            key,
            "takes names in capital letters, one at least",
            &format!("write names such as {example}, or remove it: then all are sent"),
        ));
    }
    Ok(texts)
}
