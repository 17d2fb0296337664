//! The two walks through a project.

use super::api::Api;
use super::tasks::{self, Fields, Tasks};
use super::{TASK, query};
use crate::page::Page;
use crate::platform::{PlatformError, Project, Wanted};
use futures_util::{Stream, StreamExt, stream};
use jiff::Timestamp;
use labelrelay_core::ledger::Key;
use std::time::{Duration, Instant};

/// Tasks on the first page, and bounds of what becomes of it.
const FIRST_PAGE: u32 = 100;
const LARGEST_PAGE: u32 = 500;

/// What an answer shall weigh at most: three of them lie in memory. A page that is heavier, or slow, is followed
/// by a smaller one, a light one by a larger one; each request costs the server something of its own.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// What an answer shall take at most: the server does little else for others meanwhile.
const PAGE_TIME: Duration = Duration::from_secs(5);

/// Everything in the project, as [`Platform::look`](crate::Platform::look) says.
pub(super) fn look<'a>(
    api: &'a Api,
    project: &'a Project,
    since: Option<Timestamp>,
) -> impl Stream<Item = Result<Page, PlatformError>> + Send + 'a {
    let changed = walk(api, project, since, Fields::All);
    let present = since.map(|_| walk(api, project, None, Fields::Ids));
    changed.chain(stream::iter(present).flatten())
}

/// Where a walk is.
struct Place {
    after: u64,
    page_size: u32,
}

fn walk<'a>(
    api: &'a Api,
    project: &'a Project,
    since: Option<Timestamp>,
    fields: Fields,
) -> impl Stream<Item = Result<Page, PlatformError>> + Send + 'a {
    let start = Place {
        after: 0,
        page_size: FIRST_PAGE,
    };
    stream::try_unfold(Some(start), move |place| async move {
        let Some(place) = place else {
            return Ok(None);
        };
        let asked = Instant::now();
        let (found, place) = smaller(place, |place| {
            let query = query::after(place.after, since);
            tasks::get(api, &project.id, query, fields, place.page_size)
        })
        .await?;
        let tasks = found.ok_or_else(|| tasks::gone(&project.id))?;
        let next = place.next(&tasks, asked.elapsed());
        let page = whole(api, project, tasks).await?;
        Ok(Some((page, next)))
    })
}

/// Asks for a page, and for ever smaller ones as long as the answer is too large.
async fn smaller<T, F: Future<Output = Result<T, PlatformError>>>(
    mut place: Place,
    ask: impl Fn(&Place) -> F,
) -> Result<(T, Place), PlatformError> {
    loop {
        match ask(&place).await {
            Err(error) if error.is_too_large && place.page_size > 1 => place.page_size /= 2,
            outcome => return outcome.map(|found| (found, place)),
        }
    }
}

impl Place {
    /// `None` after the last page.
    fn next(&self, tasks: &Tasks, took: Duration) -> Option<Self> {
        let after = tasks.last.filter(|_| tasks.count < tasks.total)?;
        let bytes = tasks.answer.body.len();
        let page_size = if bytes > PAGE_BYTES || took > PAGE_TIME {
            self.page_size / 2
        } else if bytes < PAGE_BYTES / 4 && took < PAGE_TIME / 4 {
            self.page_size * 2
        } else {
            self.page_size
        };
        Some(Self {
            after,
            page_size: page_size.clamp(1, LARGEST_PAGE),
        })
    }
}

/// The page, and what Label Studio left out of it.
async fn whole(api: &Api, project: &Project, tasks: Tasks) -> Result<Page, PlatformError> {
    let now = tasks.answer.date();
    let mut things = tasks.things;
    if !tasks.shortened.is_empty() {
        let wanted: Vec<_> = tasks
            .shortened
            .iter()
            .map(|id| Wanted {
                key: Key::new(TASK, id),
                holder: None,
            })
            .collect();
        things.extend(tasks::contents(api, &project.id, &wanted).await?);
    }
    Ok(Page { things, now })
}
