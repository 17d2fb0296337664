//! Lists webhooks: those of the organization, and those of each project.
//!
//! Labelbox does not document whether the organization's list shows the webhooks of projects as well. So both are
//! asked for, and each webhook says whose it is.

use super::api::Api;
use super::webhook::Webhook;
use crate::platform::PlatformError;
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Webhooks and projects on one page, as Labelbox's own client asks for them.
const PAGE: usize = 100;

/// A list with more pages is none.
const MOST_PAGES: u32 = 1000;

/// Fields that a query asks of a webhook.
pub(super) const FIELDS: &str = "id url topics status project{id}";

/// A project and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectName {
    /// Id.
    pub id: String,
    /// Name; empty where Labelbox shows none.
    pub name: String,
}

#[derive(Deserialize)]
struct OfOrganization {
    organization: Option<Webhooks>,
}

#[derive(Deserialize)]
struct OfProject {
    // There, though it may be null: an answer to another question says nothing of it.
    #[serde(deserialize_with = "Option::deserialize")]
    project: Option<One>,
}

#[derive(Deserialize)]
struct OfProjects {
    projects: Vec<One>,
}

#[derive(Deserialize)]
struct Webhooks {
    webhooks: Vec<Webhook>,
}

#[derive(Deserialize)]
struct One {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    webhooks: Vec<Webhook>,
}

/// Projects by their ids, and webhooks by theirs.
#[derive(Default)]
pub(super) struct Lists {
    pub(super) projects: BTreeMap<String, ProjectName>,
    webhooks: BTreeMap<String, Webhook>,
}

impl Lists {
    /// Each webhook once.
    pub(super) fn into_parts(self) -> (Vec<ProjectName>, Vec<Webhook>) {
        let projects = self.projects.into_values().collect();
        (projects, self.webhooks.into_values().collect())
    }

    /// The projects of these ids, or all that the key sees, with the webhooks of each.
    pub(super) async fn of_projects(
        &mut self,
        api: &Api,
        ids: &[String],
    ) -> Result<(), PlatformError> {
        if ids.is_empty() {
            return self.of_all_projects(api).await;
        }
        for id in ids {
            let first = project_page(api, id, 0).await?.ok_or_else(|| {
                PlatformError::permanent(format!(
                    "project {id} is not there, or this API key does not see it: its id stands in its address, /projects/ID; or leave out --project {id}"
                ))
            })?;
            self.add(api, first).await?;
        }
        Ok(())
    }

    async fn of_all_projects(&mut self, api: &Api) -> Result<(), PlatformError> {
        let mut skip = 0_usize;
        for _ in 0..MOST_PAGES {
            let query = format!(
                "query Projects($deleted: Boolean!){{projects(where: {{deleted: $deleted}} skip: {skip} first: {PAGE}){{id name webhooks(skip: 0 first: {PAGE}){{{FIELDS}}}}}}}"
            );
            let variables = json!({ "deleted": false });
            let answer = api.ask::<OfProjects>(&query, variables).await?;
            let page = answer.data.ok_or_else(|| unclear("projects"))?.projects;
            if page.is_empty() {
                return Ok(());
            }
            skip = skip.saturating_add(page.len());
            let before = self.projects.len();
            for project in page {
                self.add(api, project).await?;
            }
            if self.projects.len() == before {
                return Err(repeated("projects", before));
            }
        }
        Err(endless("projects"))
    }

    /// A project with the first page of its webhooks, and the pages behind that.
    async fn add(&mut self, api: &Api, first: One) -> Result<(), PlatformError> {
        let One { id, name, webhooks } = first;
        let title = ProjectName {
            id: id.clone(),
            name,
        };
        self.projects.insert(id.clone(), title);
        let mut page = webhooks;
        let mut seen = BTreeSet::new();
        for _ in 0..MOST_PAGES {
            // Not the length of the page: whoever stands before Labelbox may allow shorter ones than we ask for.
            if page.is_empty() {
                return Ok(());
            }
            let before = seen.len();
            for mut webhook in page {
                seen.insert(webhook.id.clone());
                webhook.project = Some(id.clone());
                self.webhooks.insert(webhook.id.clone(), webhook);
            }
            if seen.len() == before {
                return Err(repeated("webhooks", before));
            }
            let next = project_page(api, &id, seen.len()).await?;
            page = next.ok_or_else(|| unclear("webhooks"))?.webhooks;
        }
        Err(endless("webhooks"))
    }

    /// The webhooks of the organization.
    pub(super) async fn of_organization(&mut self, api: &Api) -> Result<(), PlatformError> {
        let mut seen = BTreeSet::new();
        for _ in 0..MOST_PAGES {
            let query = format!(
                "query OrganizationWebhooks{{organization{{webhooks(skip: {} first: {PAGE}){{{FIELDS}}}}}}}",
                seen.len()
            );
            let answer = api.ask::<OfOrganization>(&query, json!({})).await?;
            let organization = answer.data.and_then(|data| data.organization);
            let page = organization.ok_or_else(|| unclear("webhooks"))?.webhooks;
            if page.is_empty() {
                return Ok(());
            }
            let before = seen.len();
            for webhook in page {
                seen.insert(webhook.id.clone());
                // The answer of a project's own list stays.
                self.webhooks.entry(webhook.id.clone()).or_insert(webhook);
            }
            if seen.len() == before {
                return Err(repeated("webhooks", before));
            }
        }
        Err(endless("webhooks"))
    }
}

async fn project_page(api: &Api, id: &str, skip: usize) -> Result<Option<One>, PlatformError> {
    let query = format!(
        "query ProjectWebhooks($id: ID!){{project(where: {{id: $id}}){{id name webhooks(skip: {skip} first: {PAGE}){{{FIELDS}}}}}}}"
    );
    let answer = api.ask::<OfProject>(&query, json!({ "id": id })).await?;
    Ok(answer.data.and_then(|data| data.project))
}

fn unclear(what: &str) -> PlatformError {
    PlatformError::permanent(format!(
        "Labelbox does not say which {what} there are; see that the URL is its GraphQL endpoint"
    ))
}

fn repeated(what: &str, count: usize) -> PlatformError {
    PlatformError::permanent(format!(
        "the list of {what}: asked for those after the first {count}, Labelbox shows the same again; see whether what stands before it passes questions on"
    ))
}

fn endless(what: &str) -> PlatformError {
    PlatformError::permanent(format!(
        "the list of {what} has no end; see that the URL is that of Labelbox's GraphQL endpoint"
    ))
}
