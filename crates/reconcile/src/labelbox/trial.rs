//! Questions to a workspace that no document answers, for `labelrelay connect labelbox --prove`.

use super::export::{Filter, pages};
use super::management::Management;
use super::webhook::Status;
use super::webhooks::Lists;
use crate::platform::PlatformError;
use futures_util::TryStreamExt as _;

/// A project's webhook, as the lists show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Status in the project's list; `None` if it is not there.
    pub status: Option<Status>,
    /// `true` if the list of the organization shows it as well.
    pub is_in_organization_list: bool,
}

impl Management {
    /// Looks how the lists show the webhook `id` of a project.
    ///
    /// # Errors
    /// [`PlatformError`] when they cannot be read.
    pub async fn shown(&self, project: &str, id: &str) -> Result<Shown, PlatformError> {
        let (mut of_project, mut of_all) = (Lists::default(), Lists::default());
        of_project
            .of_projects(&self.api, &[project.to_owned()])
            .await?;
        of_all.of_organization(&self.api).await?;
        let (_, webhooks) = of_project.into_parts();
        let (_, all) = of_all.into_parts();
        let found = webhooks.iter().find(|webhook| webhook.id == id);
        Ok(Shown {
            status: found.map(|webhook| webhook.status),
            is_in_organization_list: all.iter().any(|webhook| webhook.id == id),
        })
    }

    /// Exports a project; the number of its labels. Nothing of them is kept.
    ///
    /// # Errors
    /// [`PlatformError`] when it cannot be exported.
    pub async fn count_labels(&self, project: &str) -> Result<usize, PlatformError> {
        let pages = pages(&self.api, project, Filter::All);
        let count = |sum: usize, page: crate::page::Page| async move {
            Ok(sum.saturating_add(page.entities.len()))
        };
        pages.try_fold(0, count).await
    }
}
