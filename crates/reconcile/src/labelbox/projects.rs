//! Lists projects.

use super::api::{Api, shown};
use crate::platform::{PlatformError, Project};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

/// Projects on one page, as Labelbox's own client asks for them.
const PAGE: usize = 100;

/// A list with more pages is none: a hundred thousand projects in one workspace.
const MOST_PAGES: u32 = 1000;

#[derive(Deserialize)]
struct Listed {
    projects: Vec<One>,
}

#[derive(Deserialize)]
struct Single {
    // There, though it may be null: an answer to another question says nothing of it.
    #[serde(deserialize_with = "Option::deserialize")]
    project: Option<One>,
}

#[derive(Deserialize)]
struct One {
    id: String,
}

impl From<One> for Project {
    fn from(one: One) -> Self {
        // Only an export tells the number of its labels.
        Self {
            id: one.id,
            entities: None,
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
            PlatformError::unseen_project(id, format!(
                "project {id} is gone, or this API key does not see it: leave out --project {id}, or take it out of `projects`"
            ))
        })?;
        projects.push(project);
    }
    Ok(projects)
}

/// The project of this id, if the key sees it.
pub(super) async fn one(api: &Api, id: &str) -> Result<Option<Project>, PlatformError> {
    const QUERY: &str = "query Project($id: ID!){project(where: {id: $id}){id}}";
    let answer = api.ask::<Single>(QUERY, json!({ "id": id })).await?;
    let project = answer.data.and_then(|data| data.project);
    if let Some(other) = project.as_ref().filter(|project| project.id != id) {
        return Err(PlatformError::permanent(format!(
            "asked for project {id}, Labelbox answers with {}; see whether what stands before it passes questions on",
            shown(&other.id)
        )));
    }
    Ok(project.map(Project::from))
}

async fn all(api: &Api) -> Result<Vec<Project>, PlatformError> {
    let mut projects = BTreeMap::new();
    let mut skip = 0_usize;
    for _ in 0..MOST_PAGES {
        let query = format!(
            "query Projects($deleted: Boolean!){{projects(where: {{deleted: $deleted}} skip: {skip} first: {PAGE}){{id}}}}"
        );
        let answer = api
            .ask::<Listed>(&query, json!({ "deleted": false }))
            .await?;
        let page = answer
            .data
            .ok_or_else(|| {
                PlatformError::permanent(
                    "Labelbox does not say which projects there are; see that the URL is its GraphQL endpoint",
                )
            })?
            .projects;
        // Not the length of the page: whoever stands before Labelbox may allow shorter ones than we ask for.
        if page.is_empty() {
            return Ok(projects.into_values().collect());
        }
        skip = skip.saturating_add(page.len());
        let before = projects.len();
        projects.extend(page.into_iter().map(|one| (one.id.clone(), one.into())));
        if projects.len() == before {
            return Err(PlatformError::permanent(format!(
                "the list of projects: asked for those after the first {skip}, Labelbox shows the same {before} again; see whether what stands before it passes questions on"
            )));
        }
    }
    Err(PlatformError::permanent(format!(
        "the list of projects has no end: Labelbox shows more after {} of them; name those to look through with --project",
        projects.len()
    )))
}
