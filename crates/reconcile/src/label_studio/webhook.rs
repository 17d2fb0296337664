//! A webhook in the API's answers and in our requests.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::fmt;

/// A webhook of a Label Studio.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Webhook {
    /// Id.
    pub id: u64,
    /// The project whose events it sends; `None` stands for all of the organization.
    #[serde(default)]
    pub project: Option<u64>,
    /// URL that it sends to. May hold a name and a password.
    pub url: String,
    /// Headers that it sends, by their names. May hold secrets.
    #[serde(default)]
    pub headers: Map<String, Value>,
    /// `true` if it sends anything.
    #[serde(default)]
    pub is_active: bool,
    /// `true` if it sends the thing and its change, and not only that something happened.
    #[serde(default)]
    pub send_payload: bool,
    /// `true` if it sends every action, whatever `actions` says.
    #[serde(default)]
    pub send_for_all_actions: bool,
    /// The actions that it sends where it does not send all.
    #[serde(default)]
    pub actions: Vec<String>,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("id", &self.id)
            .field("project", &self.project)
            .field("is_active", &self.is_active)
            .field("send_payload", &self.send_payload)
            .field("send_for_all_actions", &self.send_for_all_actions)
            .field("actions", &self.actions)
            .finish_non_exhaustive()
    }
}

/// Settings that a webhook shall have, beside being active. They are always written whole, because Label Studio takes
/// all actions away from a webhook that is changed without naming them.
#[derive(Clone)]
pub struct WebhookSettings<'a> {
    /// URL to send to.
    pub url: &'a str,
    /// Headers to send, all of them.
    pub headers: &'a Map<String, Value>,
    /// `true` if it sends what happened to what, and not only that something happened.
    pub sends_payload: bool,
    /// `true` if it sends every action.
    pub sends_all_actions: bool,
    /// The actions that it sends; where all are sent, those that count again when somebody switches that off.
    pub actions: &'a [String],
}

impl WebhookSettings<'_> {
    pub(super) fn value(&self, project: Option<u64>) -> Value {
        let mut value = json!({
            "url": self.url,
            "headers": self.headers,
            "is_active": true,
            "send_payload": self.sends_payload,
            "send_for_all_actions": self.sends_all_actions,
            "actions": self.actions,
        });
        // The project of a webhook cannot be changed.
        if let (Some(project), Some(members)) = (project, value.as_object_mut()) {
            members.insert("project".to_owned(), project.into());
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_written_whole_and_shown_without_its_secrets() {
        let text = r#"{"id":7,"organization":1,"project":3,"url":"http://u:hidden@h/x","send_payload":false,
            "send_for_all_actions":false,"headers":{"Authorization":"Bearer hidden"},"is_active":false,
            "actions":["TASKS_CREATED"],"created_at":"2026-11-01T00:00:00Z"}"#;
        let webhook: Webhook = serde_json::from_str(text).unwrap();
        assert!(!format!("{webhook:?}").contains("hidden"));
        let settings = WebhookSettings {
            url: "http://h/x",
            headers: &webhook.headers,
            sends_payload: true,
            sends_all_actions: true,
            actions: &webhook.actions,
        };
        let expected = json!({
            "url": "http://h/x", "headers": {"Authorization": "Bearer hidden"}, "is_active": true,
            "send_payload": true, "send_for_all_actions": true, "actions": ["TASKS_CREATED"],
        });
        assert_eq!(settings.value(None), expected);
        assert_eq!(settings.value(Some(3))["project"], 3);
        let less = WebhookSettings {
            sends_payload: false,
            sends_all_actions: false,
            ..settings
        };
        let value = less.value(None);
        assert_eq!(
            (&value["send_payload"], &value["send_for_all_actions"]),
            (&json!(false), &json!(false))
        );
    }
}
