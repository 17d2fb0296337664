//! Which projects there are.

use super::api::{self, Api};
use crate::http::Answer;
use crate::platform::{PlatformError, Project};
use serde::Deserialize;

/// Projects on one page of the list.
const PAGE: usize = 100;

#[derive(Deserialize)]
struct Listed {
    count: u64,
    results: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    id: u64,
    #[serde(default)]
    task_number: Option<u64>,
    #[serde(default)]
    total_annotations_number: Option<u64>,
}

impl From<One> for Project {
    fn from(one: One) -> Self {
        Self {
            id: one.id.to_string(),
            things: one
                .task_number
                .map(|tasks| tasks + one.total_annotations_number.unwrap_or_default()),
        }
    }
}

/// The projects of these ids, or all that the token sees.
pub(super) async fn list(api: &Api, ids: &[String]) -> Result<Vec<Project>, PlatformError> {
    if ids.is_empty() {
        return all(api).await;
    }
    let mut projects = Vec::with_capacity(ids.len());
    for id in ids {
        let project = one(api, id).await?.ok_or_else(|| {
            PlatformError::permanent(format!(
                "project {id} is gone, or this token does not see it: leave out --project {id}, or, if it was deleted and its contents shall be reported as deleted, add --deleted-project {id}"
            ))
        })?;
        projects.push(project);
    }
    Ok(projects)
}

/// The project of this id, if the token sees it.
pub(super) async fn one(api: &Api, id: &str) -> Result<Option<Project>, PlatformError> {
    let what = format!("/api/projects/{id}/");
    let Some(answer) = api.get(&what).await? else {
        return Ok(None);
    };
    let one: One = api::read(&what, &answer)?;
    Ok(Some(one.into()))
}

async fn all(api: &Api) -> Result<Vec<Project>, PlatformError> {
    let mut projects: Vec<Project> = Vec::new();
    for page in 1.. {
        let what = format!(
            "/api/projects/?page={page}&page_size={PAGE}&ordering=id&include=id,task_number,total_annotations_number"
        );
        let Some(answer) = api.get(&what).await? else {
            if page == 1 {
                return Err(PlatformError::permanent(
                    "/api/projects/: there is no such thing; see that the URL is that of a Label Studio",
                ));
            }
            break;
        };
        let listed = read(&answer)?;
        // Not the length of the page: whoever stands before Label Studio may allow shorter ones than we ask for.
        let (none, count) = (listed.results.is_empty(), listed.count);
        projects.extend(listed.results.into_iter().map(Project::from));
        if none || projects.len() as u64 >= count {
            break;
        }
    }
    projects.sort_by_key(|project| project.id.parse::<u64>().unwrap_or(u64::MAX));
    projects.dedup_by(|a, b| a.id == b.id);
    Ok(projects)
}

fn read(answer: &Answer) -> Result<Listed, PlatformError> {
    api::read("/api/projects/", answer)
}
