//! Labelbox: labels, through exports of the rows that changed.
//!
//! An export is a task on Labelbox's side: it is asked for, waited for, and fetched in pieces, a row a line. A
//! pass without a watermark exports all rows of a project; one with a watermark those whose last activity is
//! not before it. A label that a pass does not show may well be there: so deletions are not found.

mod api;
mod export;
mod export_task;
mod management;
mod projects;
mod refusal;
mod rows;
mod trial;
mod webhook;
mod webhooks;

pub use api::ENDPOINT;
pub use management::{Management, Member};
pub use trial::Shown;
pub use webhook::{Status, TOPICS, Webhook, WebhookChange, WebhookSettings};
pub use webhooks::ProjectName;

use crate::http::{HttpClient, HttpOptions};
use crate::page::{Entity, Page};
use crate::platform::{EntityRef, EntityVersions, Platform, PlatformError, Project};
use api::Api;
use futures_util::StreamExt as _;
use jiff::Timestamp;
use labelrelay_core::config::SourceConfig;
use labelrelay_core::ledger::{Key, Known};
use labelrelay_core::{BoxFuture, BoxStream, Secret};
use labelrelay_event::Attributes;
use std::collections::HashSet;

/// Labelbox, seen with one key.
pub struct Labelbox {
    api: Api,
    /// Projects to look through; empty: all.
    projects: Vec<String>,
}

impl Labelbox {
    /// Labelbox at `endpoint`, as an API key sees it.
    ///
    /// # Errors
    /// [`PlatformError`] when the URL is none, or the key can be none.
    pub fn new(
        endpoint: &str,
        key: Secret,
        projects: Vec<String>,
        options: HttpOptions,
    ) -> Result<Self, PlatformError> {
        let client = HttpClient::new(options)?;
        Ok(Self {
            api: Api::new(client, endpoint, key, "export the project")?,
            projects,
        })
    }
}

impl Platform for Labelbox {
    fn projects(&self) -> BoxFuture<'_, Result<Vec<Project>, PlatformError>> {
        Box::pin(projects::list(&self.api, &self.projects))
    }

    fn lists_all_projects(&self) -> bool {
        self.projects.is_empty()
    }

    fn lists_unchanged(&self) -> bool {
        false
    }

    fn shows(&self, kind: &str) -> bool {
        kind == "label"
    }

    fn has_project<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<bool, PlatformError>> {
        Box::pin(async move { Ok(projects::one(&self.api, id).await?.is_some()) })
    }

    fn changed<'a>(
        &'a self,
        project: &'a Project,
        since: Option<Timestamp>,
        _after: Option<&'a str>,
    ) -> BoxStream<'a, Result<Page, PlatformError>> {
        let filter = since.map_or(export::Filter::All, export::Filter::ActiveSince);
        export::pages(&self.api, &project.id, filter).boxed()
    }

    fn fetch<'a>(
        &'a self,
        project: &'a str,
        wanted: &'a [EntityRef],
    ) -> BoxFuture<'a, Result<Vec<Entity>, PlatformError>> {
        Box::pin(async move {
            let rows = wanted.iter().filter_map(|wanted| wanted.holder.clone());
            let filter = export::Filter::Rows(rows.collect());
            let wanted: HashSet<_> = wanted.iter().map(|wanted| &wanted.key).collect();
            let mut pages = export::pages(&self.api, project, filter).boxed();
            let mut entities = Vec::new();
            while let Some(page) = pages.next().await {
                let found = page?.entities.into_iter();
                entities.extend(found.filter(|entity| wanted.contains(&entity.key)));
            }
            Ok(entities)
        })
    }

    fn entity_versions(
        &self,
        source: &SourceConfig,
        attributes: &Attributes,
        data: &[u8],
    ) -> EntityVersions {
        rows::entity_versions(source, attributes, data)
    }

    fn tombstone(&self, key: &Key, known: &Known) -> String {
        // The remains of a row of an export.
        let project = known.project.as_deref().unwrap_or_default();
        serde_json::json!({
            "data_row": { "id": known.holder.as_deref().unwrap_or_default() },
            "projects": { project: { "labels": [{ "id": key.id }] } },
        })
        .to_string()
    }
}
