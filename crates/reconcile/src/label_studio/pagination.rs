//! Pages through a project's tasks: the changed ones with their contents, and all of them by their ids.

use super::api::Api;
use super::entity_kinds::TASK;
use super::query;
use super::tasks::{self, Fields, Tasks};
use crate::page::Page;
use crate::platform::{EntityRef, PlatformError, Project};
use futures_util::{Stream, stream};
use jiff::Timestamp;
use labelrelay_core::ledger::Key;
use std::time::{Duration, Instant};

/// Tasks on the first page, and bounds of what becomes of it.
const FIRST_PAGE: u32 = 100;
const LARGEST_PAGE: u32 = 500;

/// Desired size of an answer, at most: three of them are in memory. A page that is heavier, or slow, is followed by
/// a smaller one, a light one by a larger one; each request costs the server something of its own.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Desired time of an answer, at most: the server does little else for others meanwhile.
const PAGE_TIME: Duration = Duration::from_secs(5);

/// As [`Platform::changed`](crate::Platform::changed) says.
pub(super) fn changed<'a>(
    api: &'a Api,
    project: &'a Project,
    since: Option<Timestamp>,
    after: Option<&str>,
) -> impl Stream<Item = Result<Page, PlatformError>> + Send + 'a {
    pages(api, project, since, Fields::All, start(after))
}

/// As [`Platform::all`](crate::Platform::all) says.
pub(super) fn all<'a>(
    api: &'a Api,
    project: &'a Project,
    after: Option<&str>,
) -> impl Stream<Item = Result<Page, PlatformError>> + Send + 'a {
    pages(api, project, None, Fields::Ids, start(after))
}

/// So many pages may be followed by no fewer tasks than they were themselves: tasks are made while a walk runs,
/// but a walk overtakes them. One that does not would never end.
const MOST_STANDSTILLS: u32 = 500;

/// Position of a walk.
struct Cursor {
    after: u64,
    page_size: u32,
    /// Tasks that were left after the page before.
    left: u64,
    standstills: u32,
}

/// The start of a walk, or the place after the task `after`, where an earlier one was cut off.
fn start(after: Option<&str>) -> Cursor {
    Cursor {
        after: after.and_then(|id| id.parse().ok()).unwrap_or_default(),
        page_size: FIRST_PAGE,
        left: u64::MAX,
        standstills: 0,
    }
}

fn pages<'a>(
    api: &'a Api,
    project: &'a Project,
    since: Option<Timestamp>,
    fields: Fields,
    start: Cursor,
) -> impl Stream<Item = Result<Page, PlatformError>> + Send + 'a {
    stream::try_unfold(Some(start), move |cursor| async move {
        let Some(cursor) = cursor else {
            return Ok(None);
        };
        let asked = Instant::now();
        let (found, cursor) = get_page_that_fits(cursor, |cursor| {
            let query = query::after(cursor.after, since);
            tasks::get(api, &project.id, query, fields, cursor.page_size)
        })
        .await?;
        let tasks = found.ok_or_else(|| tasks::gone(&project.id))?;
        let next = cursor.next(&project.id, &tasks, asked.elapsed())?;
        let page = complete_page(api, project, tasks).await?;
        Ok(Some((page, next)))
    })
}

/// Asks for a page, and for ever smaller ones as long as the answer is too large.
async fn get_page_that_fits<T, F: Future<Output = Result<T, PlatformError>>>(
    mut cursor: Cursor,
    ask: impl Fn(&Cursor) -> F,
) -> Result<(T, Cursor), PlatformError> {
    loop {
        match ask(&cursor).await {
            Err(error) if error.is_too_large && cursor.page_size > 1 => cursor.page_size /= 2,
            outcome => return outcome.map(|found| (found, cursor)),
        }
    }
}

impl Cursor {
    /// `None` after the last page. What a page leaves out must not pass for gone, because deletions are final: a page
    /// that cannot be one of this walk ends it.
    fn next(
        &self,
        project: &str,
        tasks: &Tasks,
        took: Duration,
    ) -> Result<Option<Self>, PlatformError> {
        let wrong = |what: String| {
            Err(PlatformError::permanent(format!(
                "tasks of project {project}: {what}; see whether what stands before Label Studio passes on what it is asked, and that this program knows its version (1.20 to 1.23)"
            )))
        };
        if let Some(first) = tasks.ids.first().filter(|first| **first <= self.after) {
            return wrong(format!(
                "asked for those after {}, Label Studio shows {first} again",
                self.after
            ));
        }
        if !tasks.ids.is_sorted_by(|one, next| one < next) {
            return wrong("Label Studio does not show them in the order of their ids".to_owned());
        }
        let left = tasks.total.saturating_sub(tasks.count);
        let after = match tasks.ids.last() {
            _ if left == 0 => return Ok(None),
            Some(last) => *last,
            None => {
                return wrong(format!(
                    "Label Studio says that there are {left} more, and shows none"
                ));
            }
        };
        let standstills = self.standstills + u32::from(left >= self.left);
        if standstills > MOST_STANDSTILLS {
            return wrong(format!(
                "they have no end: after {after} there are {left} more, as many as before"
            ));
        }
        let bytes = tasks.answer.body.len();
        let page_size = if bytes > PAGE_BYTES || took > PAGE_TIME {
            self.page_size / 2
        } else if bytes < PAGE_BYTES / 4 && took < PAGE_TIME / 4 {
            self.page_size * 2
        } else {
            self.page_size
        };
        Ok(Some(Self {
            after,
            page_size: page_size.clamp(1, LARGEST_PAGE),
            left,
            standstills,
        }))
    }
}

/// The page, and what Label Studio left out of it.
async fn complete_page(api: &Api, project: &Project, tasks: Tasks) -> Result<Page, PlatformError> {
    let now = tasks.answer.date();
    let resume_after = tasks.ids.last().map(ToString::to_string);
    let mut entities = tasks.entities;
    if !tasks.shortened.is_empty() {
        let wanted: Vec<_> = tasks
            .shortened
            .iter()
            .map(|id| EntityRef {
                key: Key::new(TASK, id),
                holder: None,
            })
            .collect();
        entities.extend(tasks::contents(api, &project.id, &wanted).await?);
    }
    Ok(Page {
        entities,
        now,
        resume_after,
    })
}
