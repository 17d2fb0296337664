//! The management client: who we are, which projects there are, and their webhooks.

use super::activity::Activity;
use super::api::{self, Api, Tries};
use super::token::Token;
use super::version::Version;
use super::webhook::{Webhook, WebhookSettings};
use super::{activity, projects, refusal};
use crate::http::{Answer, HttpClient, HttpOptions};
use crate::platform::PlatformError;
use http::{Method, StatusCode, Uri};
use jiff::Timestamp;
use labelrelay_core::Secret;
use serde::Deserialize;
use serde_json::{Value, json};

const WHO: &str = "/api/current-user/whoami";
const VERSION: &str = "/api/version/";
const WEBHOOKS: &str = "/api/webhooks/";
const PROJECTS: &str = "/api/projects/";

/// A Label Studio whose webhooks are managed.
pub struct Management {
    api: Api,
}

/// A project and its title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectTitle {
    /// Id.
    pub id: u64,
    /// Title; empty where the server shows none.
    pub title: String,
    /// Number of tasks that it holds, where the server says so.
    pub tasks: Option<u64>,
    /// Number of annotations, without those that were skipped.
    pub annotations: Option<u64>,
}

impl From<projects::One> for ProjectTitle {
    fn from(one: projects::One) -> Self {
        Self {
            id: one.id,
            title: one.title.unwrap_or_default(),
            tasks: one.task_number,
            annotations: one.total_annotations_number,
        }
    }
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    email: String,
    #[serde(default)]
    username: String,
}

#[derive(Deserialize)]
struct Versions {
    release: String,
}

#[derive(Deserialize)]
struct Id {
    id: u64,
}

impl Management {
    /// The installation at `url`, with `token`: a legacy token or a personal access token.
    ///
    /// # Errors
    /// [`PlatformError`] when the URL is none.
    pub fn new(url: &str, token: Secret, options: HttpOptions) -> Result<Self, PlatformError> {
        let client = HttpClient::new(options)?;
        Ok(Self {
            api: Api::new(client, url, Token::new(token))?,
        })
    }

    /// The user whose token it is: the e-mail address, else the name.
    ///
    /// # Errors
    /// [`PlatformError`] when the server is none of Label Studio's, or refuses the token.
    pub async fn user(&self) -> Result<String, PlatformError> {
        let answer = self.there(WHO).await?;
        let user: User = api::read(WHO, &answer)?;
        Ok(if user.email.is_empty() {
            user.username
        } else {
            user.email
        })
    }

    /// The server's version.
    ///
    /// # Errors
    /// [`PlatformError`] when it does not tell.
    pub async fn version(&self) -> Result<Version, PlatformError> {
        let answer = self.there(VERSION).await?;
        let versions: Versions = api::read(VERSION, &answer)?;
        Ok(Version::new(versions.release))
    }

    /// The server's time, to the second; `None` where it does not say.
    ///
    /// # Errors
    /// [`PlatformError`] when it does not answer.
    pub async fn time(&self) -> Result<Option<Timestamp>, PlatformError> {
        Ok(self.there(VERSION).await?.date())
    }

    /// Changes in the project after `since` and before `until`, by the server's clock: one request. `None` where
    /// the server does not show it.
    ///
    /// # Errors
    /// [`PlatformError`] when it does not tell.
    pub async fn activity(
        &self,
        project: u64,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Activity>, PlatformError> {
        activity::between(&self.api, project, since, until).await
    }

    /// The projects of these ids, or all that the token sees.
    ///
    /// # Errors
    /// [`PlatformError`] names the project that is not there.
    pub async fn projects(&self, ids: &[u64]) -> Result<Vec<ProjectTitle>, PlatformError> {
        if ids.is_empty() {
            let all = projects::all(&self.api).await?;
            return Ok(all.into_iter().map(ProjectTitle::from).collect());
        }
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            let one = projects::by_id(&self.api, &id.to_string()).await?;
            let one = one.ok_or_else(|| {
                PlatformError::permanent(format!(
                    "project {id} is not there, or this token does not see it: its number stands in its address, /projects/NUMBER; or leave out --project {id}, or take it out of `projects`"
                ))
            })?;
            found.push(one.into());
        }
        Ok(found)
    }

    /// All webhooks that the token sees.
    ///
    /// # Errors
    /// [`PlatformError`] when they cannot be listed.
    pub async fn webhooks(&self) -> Result<Vec<Webhook>, PlatformError> {
        let answer = self.there(WEBHOOKS).await?;
        api::read(WEBHOOKS, &answer)
    }

    /// Checks that Label Studio takes webhooks to `url` from this token: with a webhook of a project and an action
    /// that cannot be, so that none is made.
    ///
    /// # Errors
    /// [`PlatformError`] says why it does not, and what to do.
    pub async fn check_url(&self, url: &str) -> Result<(), PlatformError> {
        let value = json!({"url": url, "project": 0, "actions": ["NONE"]});
        let answer = self
            .api
            .change(Method::POST, WEBHOOKS, Some(&value), Tries::One);
        let answer = answer.await?;
        if refusal::takes_url(&answer) {
            return Ok(());
        }
        Err(refusal::of_webhook("a webhook", url, &answer))
    }

    /// Makes a webhook for a project that has none to this URL. It is asked for once. Where the answer is lost, the
    /// list of webhooks says whether it was made.
    ///
    /// # Errors
    /// [`PlatformError`] when it was not made, or when that is not known.
    pub async fn make_webhook(
        &self,
        project: u64,
        settings: &WebhookSettings<'_>,
    ) -> Result<Webhook, PlatformError> {
        let what = format!("a webhook for project {project}");
        let value = settings.value(Some(project));
        let sent = self
            .api
            .change(Method::POST, WEBHOOKS, Some(&value), Tries::One);
        let problem = match sent.await {
            Ok(answer) if answer.status.is_success() => match api::read(WEBHOOKS, &answer) {
                Ok(made) => return Ok(made),
                Err(error) => error,
            },
            Ok(answer) => {
                let error = refusal::of_webhook(&what, settings.url, &answer);
                if !answer.status.is_server_error() {
                    return Err(error);
                }
                error
            }
            Err(error) if error.is_retryable || error.is_too_large => error,
            Err(error) => return Err(error),
        };
        let is_it = |hook: &Webhook| hook.project == Some(project) && hook.url == settings.url;
        match self.webhooks().await {
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

    /// Makes a webhook what `settings` say.
    ///
    /// # Errors
    /// [`PlatformError`] when Label Studio refuses it.
    pub async fn update_webhook(
        &self,
        id: u64,
        settings: &WebhookSettings<'_>,
    ) -> Result<(), PlatformError> {
        let path = format!("{WEBHOOKS}{id}/");
        let value = settings.value(None);
        let sent = self
            .api
            .change(Method::PATCH, &path, Some(&value), Tries::Several);
        let answer = sent.await?;
        if answer.status.is_success() {
            return Ok(());
        }
        let what = format!("webhook {id}");
        Err(refusal::of_webhook(&what, settings.url, &answer))
    }

    /// Deletes a webhook; one that is gone already is as good.
    ///
    /// # Errors
    /// [`PlatformError`] when Label Studio refuses it.
    pub async fn delete_webhook(&self, id: u64) -> Result<(), PlatformError> {
        self.delete(&format!("webhook {id}"), &format!("{WEBHOOKS}{id}/"))
            .await
    }

    /// Makes an empty project; its id.
    ///
    /// # Errors
    /// [`PlatformError`] when it was not made, or when that is not known.
    pub async fn make_project(&self, title: &str) -> Result<u64, PlatformError> {
        let value = json!({"title": title});
        let what = format!("a project called `{title}`");
        let answer = self
            .changed(&what, Method::POST, PROJECTS, &value, Tries::One)
            .await
            .map_err(|error| {
                let message = if error.is_retryable {
                    format!("{error}; see whether Label Studio has {what}, and delete it")
                } else {
                    error.message
                };
                PlatformError { message, ..error }
            })?;
        let made: Id = api::read(PROJECTS, &answer)?;
        Ok(made.id)
    }

    /// Gives a project another title.
    ///
    /// # Errors
    /// [`PlatformError`] when Label Studio refuses it.
    pub async fn rename_project(&self, id: u64, title: &str) -> Result<(), PlatformError> {
        let value = json!({"title": title});
        let path = format!("{PROJECTS}{id}/");
        let what = format!("the title of project {id}");
        self.changed(&what, Method::PATCH, &path, &value, Tries::Several)
            .await
            .map(drop)
    }

    /// Deletes a project; one that is gone already is as good.
    ///
    /// # Errors
    /// [`PlatformError`] when Label Studio refuses it.
    pub async fn delete_project(&self, id: u64) -> Result<(), PlatformError> {
        self.delete(&format!("project {id}"), &format!("{PROJECTS}{id}/"))
            .await
    }

    async fn delete(&self, what: &str, path: &str) -> Result<(), PlatformError> {
        let sent = self.api.change(Method::DELETE, path, None, Tries::Several);
        let answer = sent.await?;
        if answer.status.is_success() || answer.status == StatusCode::NOT_FOUND {
            return Ok(());
        }
        Err(refusal::of_change(what, &uri(path), &answer))
    }

    async fn changed(
        &self,
        what: &str,
        method: Method,
        path: &str,
        value: &Value,
        tries: Tries,
    ) -> Result<Answer, PlatformError> {
        let answer = self.api.change(method, path, Some(value), tries).await?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        Err(refusal::of_change(what, &uri(path), &answer))
    }

    /// Answer to a request for something that every Label Studio has.
    async fn there(&self, path: &str) -> Result<Answer, PlatformError> {
        self.api.get(path).await?.ok_or_else(|| {
            PlatformError::permanent(format!(
                "{path}: there is no such thing; see that the URL is that of a Label Studio, without the path of one of its pages"
            ))
        })
    }
}

/// A path for messages.
fn uri(path: &str) -> Uri {
    path.parse().unwrap_or_default()
}
