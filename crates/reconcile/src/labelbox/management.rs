//! The management client: who we are, which projects there are, and their webhooks.

use super::api::{Api, GraphqlAnswer};
use super::refusal::{refused, with_topics_cure};
use super::webhook::{Webhook, WebhookChange, WebhookSettings};
use super::webhooks::{FIELDS, Lists, ProjectName};
use crate::http::{HttpClient, HttpOptions};
use crate::platform::PlatformError;
use labelrelay_core::Secret;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The right that the key's member needs.
const RIGHT: &str = "manage webhooks: take the key of an admin of the workspace";

/// A workspace of Labelbox whose webhooks are managed.
pub struct Management {
    pub(super) api: Api,
}

/// Whose key it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The member's e-mail address.
    pub user: String,
    /// Name of the organization.
    pub organization: String,
}

#[derive(Deserialize)]
struct Who {
    user: Option<User>,
    organization: Option<Organization>,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    email: String,
}

#[derive(Deserialize)]
struct Organization {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Made {
    #[serde(rename = "createWebhook")]
    made: Option<Webhook>,
}

#[derive(Deserialize)]
struct Changed {
    #[serde(rename = "updateWebhook")]
    changed: Option<Webhook>,
}

impl Management {
    /// Labelbox at `endpoint`, as an API key sees it.
    ///
    /// # Errors
    /// [`PlatformError`] when the URL is none, or the key can be none.
    pub fn new(endpoint: &str, key: Secret, options: HttpOptions) -> Result<Self, PlatformError> {
        let client = HttpClient::new(options)?;
        Ok(Self {
            api: Api::new(client, endpoint, key, RIGHT)?,
        })
    }

    /// Whose key it is.
    ///
    /// # Errors
    /// [`PlatformError`] when the server is not Labelbox's, or refuses the key.
    pub async fn member(&self) -> Result<Member, PlatformError> {
        const QUERY: &str = "query Member{user{email} organization{name}}";
        let answer = self.api.ask::<Who>(QUERY, json!({})).await?;
        let unclear = || {
            PlatformError::permanent(
                "Labelbox does not say whose API key it is; see that the URL is its GraphQL endpoint",
            )
        };
        let who = answer.data.ok_or_else(unclear)?;
        Ok(Member {
            user: who.user.ok_or_else(unclear)?.email,
            organization: who.organization.ok_or_else(unclear)?.name,
        })
    }

    /// The projects of these ids, or all that the key sees; and all webhooks of the organization and of these.
    ///
    /// # Errors
    /// [`PlatformError`] names the project that is not there, or why they cannot be listed.
    pub async fn projects_and_webhooks(
        &self,
        ids: &[String],
    ) -> Result<(Vec<ProjectName>, Vec<Webhook>), PlatformError> {
        let mut lists = Lists::default();
        lists.of_projects(&self.api, ids).await?;
        lists.of_organization(&self.api).await?;
        Ok(lists.into_parts())
    }

    /// Makes a webhook. It is asked for once. Where the answer is lost, the list says whether there is one that was
    /// not `known` before.
    ///
    /// # Errors
    /// [`PlatformError`] when it was not made, or when that is not known.
    pub async fn make_webhook(
        &self,
        settings: &WebhookSettings<'_>,
        known: &[Webhook],
    ) -> Result<Webhook, PlatformError> {
        let what = match settings.project {
            Some(project) => format!("a webhook for project {project}"),
            None => "a webhook for the organization".to_owned(),
        };
        let (query, variables) = creation(settings);
        let problem = match self.api.ask_once::<Made>(&query, variables).await {
            Ok(GraphqlAnswer {
                data: Some(Made { made: Some(made) }),
                ..
            }) => return Ok(made),
            Ok(_) => {
                return Err(PlatformError::permanent(format!(
                    "{what}: Labelbox says that there is no such thing; see that the project was not deleted meanwhile, and that the member whose key it is sees it"
                )));
            }
            Err(error) if error.is_retryable || error.is_too_large => error,
            Err(error) => {
                let refused = refused(&what, &error, Some(settings.secret));
                return Err(with_topics_cure(refused, settings.topics));
            }
        };
        let is_it = |hook: &Webhook| {
            hook.project.as_deref() == settings.project
                && hook.url == settings.url
                && !known.iter().any(|old| old.id == hook.id)
        };
        let ids: Vec<_> = settings.project.map(str::to_owned).into_iter().collect();
        match self.webhooks_of(&ids).await {
            Ok(webhooks) => webhooks
                .into_iter()
                .find(is_it)
                .ok_or_else(|| PlatformError {
                    message: format!("{problem}; {what} was not made: run it again"),
                    ..problem
                }),
            Err(error) => Err(PlatformError {
                message: format!(
                    "{problem}; whether {what} was made is not known ({error}): run it again, it makes no second one"
                ),
                ..problem
            }),
        }
    }

    /// The webhooks of the organization, and of these projects.
    async fn webhooks_of(&self, ids: &[String]) -> Result<Vec<Webhook>, PlatformError> {
        let mut lists = Lists::default();
        if !ids.is_empty() {
            lists.of_projects(&self.api, ids).await?;
        }
        lists.of_organization(&self.api).await?;
        Ok(lists.into_parts().1)
    }

    /// Changes what `change` names, and nothing else.
    ///
    /// # Errors
    /// [`PlatformError`] when Labelbox refuses it.
    pub async fn update_webhook(
        &self,
        id: &str,
        change: &WebhookChange<'_>,
    ) -> Result<(), PlatformError> {
        let what = format!("webhook {id}");
        let (query, variables) = update(id, change);
        let answer = self.api.ask::<Changed>(&query, variables).await;
        let answer = answer.map_err(|error| {
            with_topics_cure(
                refused(&what, &error, None),
                change.topics.unwrap_or_default(),
            )
        })?;
        let changed = answer.data.and_then(|data| data.changed);
        let changed = changed.ok_or_else(|| {
            PlatformError::permanent(format!(
                "{what}: Labelbox says that there is no such thing; see that the member whose key it is sees it"
            ))
        })?;
        match change.status {
            Some(wanted) if wanted != changed.status => Err(PlatformError::permanent(format!(
                "{what}: Labelbox left it {}, where {} was asked for; see to it in Workspace settings, Webhooks",
                changed.status.as_str(),
                wanted.as_str()
            ))),
            _ => Ok(()),
        }
    }
}

/// The mutation that makes one. Topics are words of the language, and stand in the text; all else are variables.
fn creation(settings: &WebhookSettings<'_>) -> (String, Value) {
    let (declared, project) = match settings.project {
        Some(_) => (", $project: ID!", "project: {id: $project}, "),
        None => ("", ""),
    };
    let query = format!(
        "mutation CreateWebhook($url: String!, $secret: String!{declared}){{createWebhook(data: {{{project}topics: {{set: [{}]}}, url: $url, secret: $secret}}){{{FIELDS}}}}}",
        words(settings.topics)
    );
    let mut variables = Map::new();
    variables.insert("url".to_owned(), settings.url.into());
    variables.insert("secret".to_owned(), settings.secret.into());
    if let Some(project) = settings.project {
        variables.insert("project".to_owned(), project.into());
    }
    (query, variables.into())
}

fn update(id: &str, change: &WebhookChange<'_>) -> (String, Value) {
    let mut variables = Map::new();
    variables.insert("id".to_owned(), id.into());
    let (mut declared, mut members) = (String::new(), Vec::new());
    if let Some(topics) = change.topics {
        members.push(format!("topics: {{set: [{}]}}", words(topics)));
    }
    if let Some(url) = change.url {
        variables.insert("url".to_owned(), url.into());
        declared.push_str(", $url: String!");
        members.push("url: $url".to_owned());
    }
    if let Some(status) = change.status {
        members.push(format!("status: {}", status.as_str()));
    }
    let query = format!(
        "mutation UpdateWebhook($id: ID!{declared}){{updateWebhook(where: {{id: $id}} data: {{{}}}){{{FIELDS}}}}}",
        members.join(", ")
    );
    (query, variables.into())
}

/// Topics as words of the language: what can be none is left out, so that nothing else gets into the text.
fn words(topics: &[String]) -> String {
    let is_word = |topic: &&String| {
        let mut bytes = topic.bytes();
        bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let words: Vec<_> = topics.iter().filter(is_word).map(String::as_str).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labelbox::Status;

    #[test]
    fn values_are_variables_and_topics_are_words() {
        let topics = ["LABEL_CREATED", "] injected", "WORKFLOW_ACTION", ""].map(str::to_owned);
        let mut settings = WebhookSettings {
            project: None,
            url: "https://h/\"x\"",
            topics: &topics,
            secret: "a \"secret\"",
        };
        let (query, variables) = creation(&settings);
        assert_eq!(
            query,
            "mutation CreateWebhook($url: String!, $secret: String!){createWebhook(data: {topics: {set: [LABEL_CREATED WORKFLOW_ACTION]}, url: $url, secret: $secret}){id url topics status project{id}}}"
        );
        let values = json!({"url": "https://h/\"x\"", "secret": "a \"secret\""});
        assert_eq!(variables, values);
        settings.project = Some("p1");
        let (query, variables) = creation(&settings);
        assert!(query.contains("$project: ID!){createWebhook(data: {project: {id: $project}, "));
        assert_eq!(variables["project"], "p1");
    }

    #[test]
    fn an_update_names_what_it_changes_and_nothing_else() {
        let topics = ["LABEL_DELETED".to_owned()];
        let whole = WebhookChange {
            url: Some("https://h"),
            topics: Some(&topics),
            status: Some(Status::Active),
        };
        let (query, variables) = update("w1", &whole);
        assert_eq!(
            query,
            "mutation UpdateWebhook($id: ID!, $url: String!){updateWebhook(where: {id: $id} data: {topics: {set: [LABEL_DELETED]}, url: $url, status: ACTIVE}){id url topics status project{id}}}"
        );
        assert_eq!(variables, json!({"id": "w1", "url": "https://h"}));
        let end = WebhookChange {
            status: Some(Status::Inactive),
            ..WebhookChange::default()
        };
        let (query, _) = update("w1", &end);
        assert!(query.contains("data: {status: INACTIVE})"), "{query}");
    }
}
