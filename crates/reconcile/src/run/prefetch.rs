//! Fetches the next page while one is sent.

use crate::page::Page;
use crate::platform::{Platform, PlatformError, Project};
use jiff::Timestamp;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Pages that wait to be sent; another one is being fetched, and one sent.
const WAITING: usize = 1;

pub(super) struct PrefetchedPages {
    pages: mpsc::Receiver<Result<Page, PlatformError>>,
    fetching: JoinHandle<()>,
}

/// Things of a project that are asked for.
#[derive(Clone)]
pub(super) enum Wanted {
    /// The changes since then.
    Changed(Timestamp),
    /// Everything with its content, after this place if there is one.
    Contents(Option<String>),
    /// Everything by its ids, after this place if there is one.
    Ids(Option<String>),
}

pub(super) fn start(
    platform: Arc<dyn Platform>,
    project: Project,
    wanted: Wanted,
) -> PrefetchedPages {
    let (sender, pages) = mpsc::channel(WAITING);
    let fetching = tokio::spawn(async move {
        let mut shown = match &wanted {
            Wanted::Changed(since) => platform.changed(&project, Some(*since), None),
            Wanted::Contents(after) => platform.changed(&project, None, after.as_deref()),
            Wanted::Ids(after) => platform.all(&project, after.as_deref()),
        };
        while let Some(page) = next(&mut shown).await {
            if sender.send(page).await.is_err() {
                return;
            }
        }
    });
    PrefetchedPages { pages, fetching }
}

async fn next<S: futures_util::Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    futures_util::StreamExt::next(stream).await
}

impl PrefetchedPages {
    /// The next page; `None` after the last one.
    pub(super) async fn next(&mut self) -> Option<Result<Page, PlatformError>> {
        if let Some(page) = self.pages.recv().await {
            return Some(page);
        }
        // A task that broke down must not pass for one that came to its end: the watermark would move.
        let broke_down = (&mut self.fetching).await.err()?;
        Some(Err(PlatformError::permanent(format!(
            "fetching broke down: {broke_down}"
        ))))
    }
}

impl Drop for PrefetchedPages {
    fn drop(&mut self) {
        self.fetching.abort();
    }
}
