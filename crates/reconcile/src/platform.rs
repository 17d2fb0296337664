//! The interface to a labelling platform that is reconciled with.

use crate::http::HttpError;
use crate::page::{Entity, Page};
use jiff::Timestamp;
use labelrelay_core::config::SourceConfig;
use labelrelay_core::ledger::{Key, Known};
use labelrelay_core::{BoxFuture, BoxStream};
use labelrelay_event::Attributes;

/// The calls of a platform's API that are needed here. Object-safe; shared with the task that fetches ahead.
pub trait Platform: Send + Sync {
    /// The projects that were asked for, or all that the credential sees.
    ///
    /// # Errors
    /// [`PlatformError`] names the project that is gone, or what else is wrong.
    fn projects(&self) -> BoxFuture<'_, Result<Vec<Project>, PlatformError>>;

    /// Changes in the project at or after `since` (everything in it, without that), in pages, with their content.
    /// Changes that come while it runs may be left out. `after` is where a page of an earlier time
    /// [said](Page::resume_after) that it can go on.
    fn changed<'a>(
        &'a self,
        project: &'a Project,
        since: Option<Timestamp>,
        after: Option<&'a str>,
    ) -> BoxStream<'a, Result<Page, PlatformError>>;

    /// Everything that the project holds, in pages, at least by its id. Empty where
    /// [`lists_unchanged`](Self::lists_unchanged) says no. It goes on as [`changed`](Self::changed) does.
    fn all<'a>(
        &'a self,
        _project: &'a Project,
        _after: Option<&'a str>,
    ) -> BoxStream<'a, Result<Page, PlatformError>> {
        Box::pin(futures_util::stream::empty())
    }

    /// Number of things of each kind that the project holds, where the platform says so at once. Nothing has to be
    /// looked for where the ledger knows as many.
    ///
    /// # Errors
    /// [`PlatformError`] when it cannot be told.
    fn counts<'a>(
        &'a self,
        _project: &'a str,
    ) -> BoxFuture<'a, Result<Option<Counts>, PlatformError>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Tells whether [`projects`](Self::projects) are all that the credential sees.
    fn lists_all_projects(&self) -> bool;

    /// Tells whether [`all`](Self::all) shows what did not change as well, so that what it does not show is gone. If
    /// it does not, deletions are not found.
    fn lists_unchanged(&self) -> bool {
        true
    }

    /// Tells whether [`all`](Self::all) shows things of this kind. Of others, that the ledger knows from deliveries,
    /// nothing is gone because it was not shown.
    fn shows(&self, kind: &str) -> bool;

    /// Tells whether the credential sees this project.
    ///
    /// # Errors
    /// [`PlatformError`] when it cannot be told.
    fn has_project<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<bool, PlatformError>>;

    /// Fetches those of the things in `project` that the platform has, with their contents. The rest is gone: a pass
    /// did not show it, and neither does this.
    ///
    /// # Errors
    /// [`PlatformError`] when it cannot be told.
    fn fetch<'a>(
        &'a self,
        project: &'a str,
        wanted: &'a [EntityRef],
    ) -> BoxFuture<'a, Result<Vec<Entity>, PlatformError>>;

    /// The data of a deletion: one JSON object, of what is still known of the thing. The same for the same
    /// thing.
    fn tombstone(&self, key: &Key, known: &Known) -> String;

    /// Reads the things that an event of the queue is about, where it is about several.
    fn entity_versions(
        &self,
        source: &SourceConfig,
        attributes: &Attributes,
        data: &[u8],
    ) -> EntityVersions;
}

/// Number of things of each kind.
pub type Counts = Vec<(&'static str, u64)>;

/// A thing that is asked for by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityRef {
    /// Kind and id.
    pub key: Key,
    /// Id of what holds it, where that is known.
    pub holder: Option<String>,
}

/// A project on the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Id.
    pub id: String,
    /// About how many things it holds, for showing how far a pass is.
    pub entities: Option<u64>,
}

/// The things of one event about several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntityVersions {
    /// Each of them.
    pub entities: Vec<(Key, Known)>,
}

/// Why the platform did not tell.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct PlatformError {
    /// The problem and the cure. Never holds a credential.
    pub message: String,
    /// `true` if the error may pass by itself.
    pub is_retryable: bool,
    /// `true` if there is an answer, larger than what was allowed: asking for less may help.
    pub is_too_large: bool,
    /// `true` if the platform does not deliver to an address, whoever asks: what happens on it can be pulled.
    pub refuses_address: bool,
    /// The id of a project that was named, and that is gone or not seen.
    pub unseen_project: Option<String>,
}

impl PlatformError {
    /// An error that somebody has to mend.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            is_retryable: false,
            is_too_large: false,
            refuses_address: false,
            unseen_project: None,
        }
    }

    /// A project that was named is gone, or not seen; with the problem and the cure.
    pub(crate) fn unseen_project(id: &str, message: impl Into<String>) -> Self {
        Self {
            unseen_project: Some(id.to_owned()),
            ..Self::permanent(message)
        }
    }
}

impl From<HttpError> for PlatformError {
    fn from(error: HttpError) -> Self {
        Self {
            is_retryable: error.is_retryable(),
            is_too_large: error.is_too_large(),
            refuses_address: false,
            unseen_project: None,
            message: error.message,
        }
    }
}
