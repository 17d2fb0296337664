//! Which projects there are.

use super::api::Api;
use crate::platform::{PlatformError, Project};
use serde::Deserialize;
use serde_json::json;

/// Projects on one page, as Labelbox's own client asks for them.
const PAGE: usize = 100;

#[derive(Deserialize)]
struct Listed {
    projects: Vec<One>,
}

#[derive(Deserialize)]
struct Single {
    project: Option<One>,
}

#[derive(Deserialize)]
struct One {
    id: String,
}

impl From<One> for Project {
    fn from(one: One) -> Self {
        // How many labels it has, only an export tells.
        Self {
            id: one.id,
            things: None,
        }
    }
}

/// The projects of these ids, or all that the key sees.
pub(super) async fn list(api: &Api, ids: &[String]) -> Result<Vec<Project>, PlatformError> {
    if ids.is_empty() {
        return all(api).await;
    }
    let mut projects = Vec::with_capacity(ids.len());
    for id in ids {
        let project = one(api, id).await?.ok_or_else(|| {
            PlatformError::permanent(format!(
                "project {id} is gone, or this API key does not see it: leave out --project {id}"
            ))
        })?;
        projects.push(project);
    }
    Ok(projects)
}

/// The project of this id, if the key sees it.
pub(super) async fn one(api: &Api, id: &str) -> Result<Option<Project>, PlatformError> {
    const QUERY: &str = "query Project($id: ID!){project(where: {id: $id}){id}}";
    let told = api.ask::<Single>(QUERY, json!({ "id": id })).await?;
    Ok(told.data.and_then(|data| data.project).map(Project::from))
}

async fn all(api: &Api) -> Result<Vec<Project>, PlatformError> {
    let mut projects: Vec<Project> = Vec::new();
    loop {
        let skip = projects.len();
        let query = format!(
            "query Projects($deleted: Boolean!){{projects(where: {{deleted: $deleted}} skip: {skip} first: {PAGE}){{id}}}}"
        );
        let told = api
            .ask::<Listed>(&query, json!({ "deleted": false }))
            .await?;
        let page = told.data.map(|data| data.projects).unwrap_or_default();
        let is_last = page.len() < PAGE;
        projects.extend(page.into_iter().map(Project::from));
        if is_last {
            break;
        }
    }
    projects.sort_by(|a, b| a.id.cmp(&b.id));
    projects.dedup_by(|a, b| a.id == b.id);
    Ok(projects)
}
