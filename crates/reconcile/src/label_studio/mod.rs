//! Label Studio: tasks and annotations, through its data manager.
//!
//! A pass reads a project's tasks in the order of their ids: first those that changed since the watermark, with all
//! their annotations. Then, where Label Studio counts another number of tasks or annotations than is known, and once a
//! day, all of them with the ids of their annotations alone: for what is gone, and for annotations that came without a
//! change of their task, as bulk actions make them. Without a watermark the first time shows everything, and there is
//! no second.

mod activity;
mod api;
mod bulk_events;
mod entity_kinds;
mod error;
mod management;
mod pagination;
mod projects;
mod query;
mod refusal;
mod tasks;
mod token;
mod version;
mod webhook;

pub use activity::{Activity, ChangedThing};
pub use management::{Management, ProjectTitle};
pub use version::Version;
pub use webhook::{Webhook, WebhookSettings};

use crate::http::{HttpClient, HttpOptions};
use crate::page::{Entity, Page};
use crate::platform::{Counts, EntityRef, EntityVersions, Platform, PlatformError, Project};
use api::Api;
use jiff::Timestamp;
use labelrelay_core::config::SourceConfig;
use labelrelay_core::ledger::{Key, Known};
use labelrelay_core::{BoxFuture, BoxStream, Secret};
use labelrelay_event::Attributes;
use token::Token;

/// A Label Studio.
pub struct LabelStudio {
    api: Api,
    /// Projects to look through; empty: all.
    projects: Vec<String>,
}

impl LabelStudio {
    /// The installation at `url`, seen with `token`: a legacy token or a personal access token.
    ///
    /// # Errors
    /// [`PlatformError`] when the URL is none.
    pub fn new(
        url: &str,
        token: Secret,
        projects: Vec<String>,
        options: HttpOptions,
    ) -> Result<Self, PlatformError> {
        let client = HttpClient::new(options)?;
        Ok(Self {
            api: Api::new(client, url, Token::new(token))?,
            projects,
        })
    }
}

impl Platform for LabelStudio {
    fn projects(&self) -> BoxFuture<'_, Result<Vec<Project>, PlatformError>> {
        Box::pin(projects::list(&self.api, &self.projects))
    }

    fn lists_all_projects(&self) -> bool {
        self.projects.is_empty()
    }

    fn shows(&self, kind: &str) -> bool {
        matches!(kind, entity_kinds::TASK | entity_kinds::ANNOTATION)
    }

    fn has_project<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<bool, PlatformError>> {
        Box::pin(async move { Ok(projects::by_id(&self.api, id).await?.is_some()) })
    }

    fn changed<'a>(
        &'a self,
        project: &'a Project,
        since: Option<Timestamp>,
        after: Option<&'a str>,
    ) -> BoxStream<'a, Result<Page, PlatformError>> {
        Box::pin(pagination::changed(&self.api, project, since, after))
    }

    fn all<'a>(
        &'a self,
        project: &'a Project,
        after: Option<&'a str>,
    ) -> BoxStream<'a, Result<Page, PlatformError>> {
        Box::pin(pagination::all(&self.api, project, after))
    }

    fn counts<'a>(
        &'a self,
        project: &'a str,
    ) -> BoxFuture<'a, Result<Option<Counts>, PlatformError>> {
        Box::pin(projects::counts(&self.api, project))
    }

    fn fetch<'a>(
        &'a self,
        project: &'a str,
        wanted: &'a [EntityRef],
    ) -> BoxFuture<'a, Result<Vec<Entity>, PlatformError>> {
        Box::pin(tasks::fetch(&self.api, project, wanted))
    }

    fn entity_versions(
        &self,
        source: &SourceConfig,
        attributes: &Attributes,
        data: &[u8],
    ) -> EntityVersions {
        bulk_events::read(source, attributes, data)
    }

    fn tombstone(&self, key: &Key, known: &Known) -> String {
        labelrelay_core::from_api::tombstone(key, known.holder.as_deref(), known.project.as_deref())
    }
}
