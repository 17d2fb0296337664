//! A webhook in the API's answers and in our requests.

use serde::Deserialize;
use std::fmt;

/// The topics that Labelbox's own client knows.
pub const TOPICS: [&str; 4] = [
    "LABEL_CREATED",
    "LABEL_UPDATED",
    "LABEL_DELETED",
    "WORKFLOW_ACTION",
];

/// A webhook of Labelbox.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Webhook {
    /// Id.
    pub id: String,
    /// The project whose events it sends; `None` stands for all of the organization.
    #[serde(default, deserialize_with = "project_id")]
    pub project: Option<String>,
    /// URL that it sends to. May hold a name and a password.
    pub url: String,
    /// Topics that it sends.
    #[serde(default)]
    pub topics: Vec<String>,
    /// Tells whether it sends anything.
    pub status: Status,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("id", &self.id)
            .field("project", &self.project)
            .field("topics", &self.topics)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// State of a webhook: it sends, or why it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum Status {
    /// The webhook delivers.
    Active,
    /// Somebody ended the webhook.
    Inactive,
    /// Labelbox gave up on it.
    Revoked,
    /// A word of a newer Labelbox.
    #[serde(other)]
    Unknown,
}

impl Status {
    /// The word in which the API writes it; what is not known cannot be written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
            Self::Revoked => "REVOKED",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// A webhook that is made. Holds the secret, so it has no `Debug`.
#[derive(Clone, Copy)]
pub struct WebhookSettings<'a> {
    /// The project whose events it sends; `None` stands for all of the organization. It cannot be changed later.
    pub project: Option<&'a str>,
    /// URL to send to.
    pub url: &'a str,
    /// Topics to send.
    pub topics: &'a [String],
    /// The secret that it signs with. It cannot be changed later.
    pub secret: &'a str,
}

/// Members of a webhook that shall be others; Labelbox takes no other secret for one that is there.
#[derive(Debug, Clone, Copy, Default)]
pub struct WebhookChange<'a> {
    /// URL to send to.
    pub url: Option<&'a str>,
    /// Topics to send, all of them.
    pub topics: Option<&'a [String]>,
    /// New state, if it changes.
    pub status: Option<Status>,
}

fn project_id<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    struct Project {
        id: String,
    }
    let project = Option::<Project>::deserialize(from)?;
    Ok(project.map(|project| project.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_read_as_the_api_shows_it_and_shown_without_its_url() {
        let of_project = r#"{"id":"w1","url":"https://u:hidden@h/x","topics":["LABEL_CREATED"],"status":"ACTIVE",
            "project":{"id":"p1"},"createdAt":"2026-11-21T09:00:00.000Z"}"#;
        let webhook: Webhook = serde_json::from_str(of_project).unwrap();
        assert_eq!(webhook.project.as_deref(), Some("p1"));
        assert_eq!(webhook.status, Status::Active);
        assert!(!format!("{webhook:?}").contains("hidden"));
        let newer = r#"{"id":"w2","url":"https://h","project":null,"status":"ASLEEP"}"#;
        let webhook: Webhook = serde_json::from_str(newer).unwrap();
        assert_eq!((webhook.project, webhook.status), (None, Status::Unknown));
    }
}
