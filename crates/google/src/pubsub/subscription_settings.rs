//! Settings of a subscription, as far as they matter here.

use serde::Deserialize;

/// Name of a topic that is gone, as its subscriptions know it.
const DELETED: &str = "_deleted-topic_";

/// The settings.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Settings {
    /// Name of the topic whose messages it has.
    pub(super) topic: String,
    pub(super) enable_message_ordering: bool,
    dead_letter_policy: Policy,
    push_config: PushConfig,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Policy {
    dead_letter_topic: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct PushConfig {
    push_endpoint: String,
}

impl Settings {
    /// Name of the topic that dead letters go to; `None` without a policy, and where that topic is gone.
    pub(super) fn dead_letter_topic(&self) -> Option<&str> {
        let topic = self.dead_letter_policy.dead_letter_topic.as_str();
        (!topic.is_empty() && topic != DELETED).then_some(topic)
    }

    /// Tells whether the subscription pushes its messages, so that none can be pulled.
    pub(super) fn pushes(&self) -> bool {
        !self.push_config.push_endpoint.is_empty()
    }
}
