//! Lists projects.

use super::api::{self, Api};
use super::entity_kinds::{ANNOTATION, TASK};
use super::tasks;
use crate::platform::{Counts, PlatformError, Project};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Projects on one page of the list.
const PAGE: usize = 100;

/// Number of times that the list is read when it is not whole.
const LISTINGS: u32 = 3;

/// So many pages of one reading may say that there are more projects than the page before said: they are made one
/// at a time, and the list is read in seconds.
const MOST_GROWTHS: u32 = 100;

#[derive(Deserialize)]
struct Listed {
    count: u64,
    results: Vec<One>,
}

/// A project as the API shows it.
#[derive(Deserialize)]
pub(super) struct One {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) title: Option<String>,
    #[serde(default)]
    pub(super) task_number: Option<u64>,
    /// Annotations that were not skipped.
    #[serde(default)]
    pub(super) total_annotations_number: Option<u64>,
    #[serde(default)]
    skipped_annotations_number: Option<u64>,
}

impl From<One> for Project {
    fn from(one: One) -> Self {
        Self {
            id: one.id.to_string(),
            entities: one.task_number.map(|tasks| {
                tasks.saturating_add(one.total_annotations_number.unwrap_or_default())
            }),
        }
    }
}

/// The projects of these ids, or all that the token sees.
pub(super) async fn list(api: &Api, ids: &[String]) -> Result<Vec<Project>, PlatformError> {
    if ids.is_empty() {
        return Ok(all(api).await?.into_iter().map(Project::from).collect());
    }
    let mut projects = Vec::with_capacity(ids.len());
    for id in ids {
        let project = by_id(api, id).await?.ok_or_else(|| {
            PlatformError::unseen_project(id, format!(
                "project {id} is gone, or this token does not see it: leave out --project {id}, or take it out of `projects`; or, if it was deleted and its contents shall be reported as deleted, add --deleted-project {id}"
            ))
        })?;
        projects.push(project.into());
    }
    Ok(projects)
}

/// Numbers of tasks and annotations that the project holds.
pub(super) async fn counts(api: &Api, id: &str) -> Result<Option<Counts>, PlatformError> {
    let one = by_id(api, id).await?.ok_or_else(|| tasks::gone(id))?;
    let counts = (
        one.task_number,
        one.total_annotations_number,
        one.skipped_annotations_number,
    );
    Ok(match counts {
        (Some(tasks), Some(kept), Some(skipped)) => Some(vec![
            (TASK, tasks),
            (ANNOTATION, kept.saturating_add(skipped)),
        ]),
        // A version that does not say.
        _ => None,
    })
}

/// The project of this id, if the token sees it.
pub(super) async fn by_id(api: &Api, id: &str) -> Result<Option<One>, PlatformError> {
    let what = format!("/api/projects/{id}/");
    let Some(answer) = api.get(&what).await? else {
        return Ok(None);
    };
    let one: One = api::read(&what, &answer)?;
    if id.parse() != Ok(one.id) {
        return Err(PlatformError::permanent(format!(
            "{what}: answers with project {}; see that the URL is that of a Label Studio, and what stands before it",
            one.id
        )));
    }
    Ok(Some(one))
}

/// All that the token sees. A project that goes while the list is read moves those behind it, so that one of them
/// is shown on no page: such a list is read again. A list that still shows less than it says is none.
pub(super) async fn all(api: &Api) -> Result<Vec<One>, PlatformError> {
    let mut listing = Listing::default();
    for _ in 0..LISTINGS {
        listing = Listing::read(api).await?;
        if listing.projects.len() as u64 >= listing.count {
            return Ok(listing.projects.into_values().collect());
        }
    }
    Err(PlatformError::permanent(format!(
        "/api/projects/: says that there are {} projects, and shows {}; see whether what stands before Label Studio passes `page` and `page_size` on, and look into its log",
        listing.count,
        listing.projects.len()
    )))
}

/// One reading of the list.
#[derive(Default)]
struct Listing {
    /// By id, so in its order.
    projects: BTreeMap<u64, One>,
    /// Number of them, as the last page said.
    count: u64,
}

impl Listing {
    async fn read(api: &Api) -> Result<Self, PlatformError> {
        let mut listing = Self::default();
        let mut grew = 0;
        for page in 1_u64.. {
            let what = format!(
                "/api/projects/?page={page}&page_size={PAGE}&ordering=id&include=id,title,task_number,total_annotations_number"
            );
            let Some(answer) = api.get(&what).await? else {
                if page == 1 {
                    return Err(PlatformError::permanent(
                        "/api/projects/: there is no such thing; see that the URL is that of a Label Studio",
                    ));
                }
                break;
            };
            let listed: Listed = api::read("/api/projects/", &answer)?;
            grew += u32::from(page > 1 && listed.count > listing.count);
            listing.count = listed.count;
            // Not the length of the page: whoever stands before Label Studio may allow shorter ones than we ask for.
            if listed.results.is_empty() {
                break;
            }
            let before = listing.projects.len();
            let by_id = listed.results.into_iter().map(|one| (one.id, one));
            listing.projects.extend(by_id);
            let known = listing.projects.len();
            if known as u64 >= listing.count {
                break;
            }
            if known == before {
                return Err(PlatformError::permanent(format!(
                    "/api/projects/: says that there are {}, and shows the same {known} again on page {page}; see whether what stands before Label Studio passes `page` on",
                    listing.count
                )));
            }
            if grew > MOST_GROWTHS {
                return Err(PlatformError::permanent(format!(
                    "/api/projects/: has no end: on page {page} there are still more than before; see that the URL is that of a Label Studio"
                )));
            }
        }
        Ok(listing)
    }
}
