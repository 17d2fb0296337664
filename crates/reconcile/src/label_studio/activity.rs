//! Looks at what changed lately in a project: of each of these changes a webhook should have told.

use super::api::Api;
use super::entity_kinds::ANNOTATION;
use super::query;
use super::tasks::{self, Fields, Tasks};
use crate::platform::PlatformError;
use jiff::Timestamp;
use labelrelay_core::ledger::Key;
use labelrelay_core::time;
use serde::Deserialize;

/// Tasks that are looked at, the newest change first. They say whether something is missed, and that is what is asked
/// for.
const SAMPLE: u32 = 50;

/// Changes of a project within a time, by the platform's clock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Activity {
    /// Annotations that were created or updated, and tasks that were created.
    pub changes: Vec<ChangedThing>,
    /// `true` if there may be more: only some of the tasks that changed were looked at.
    pub at_least: bool,
}

/// A thing that changed, of which a webhook tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedThing {
    /// Kind and id.
    pub key: Key,
    /// Moment of the change, by the platform's clock.
    pub time: Timestamp,
}

#[derive(Deserialize)]
struct Times<'a> {
    #[serde(default)]
    created_at: Option<&'a str>,
    #[serde(default)]
    updated_at: Option<&'a str>,
}

/// Changes after `since` and before `until`; `None` where the project is gone, or the server shows no tasks.
pub(super) async fn between(
    api: &Api,
    project: u64,
    since: Timestamp,
    until: Timestamp,
) -> Result<Option<Activity>, PlatformError> {
    let mut page_size = SAMPLE;
    loop {
        let query = query::newest(since);
        let got = tasks::get(api, &project.to_string(), query, Fields::All, page_size).await;
        match got {
            Err(error) if error.is_too_large && page_size > 1 => page_size = 1,
            Err(error) => return Err(error),
            Ok(found) => return Ok(found.map(|tasks| count(&tasks, since, until))),
        }
    }
}

fn count(tasks: &Tasks, since: Timestamp, until: Timestamp) -> Activity {
    let mut activity = Activity {
        at_least: tasks.total > tasks.count,
        ..Activity::default()
    };
    for entity in &tasks.entities {
        let times = entity
            .content
            .as_deref()
            .and_then(|content| serde_json::from_slice::<Times<'_>>(content).ok());
        let Some(times) = times else { continue };
        // A task's time of update moves by itself, and no webhook tells of that.
        let changed = if entity.key.kind == ANNOTATION {
            times.updated_at
        } else {
            times.created_at
        };
        let changed = changed.and_then(time::parse);
        if let Some(time) = changed.filter(|changed| *changed > since && *changed < until) {
            let key = entity.key.clone();
            activity.changes.push(ChangedThing { key, time });
        }
    }
    activity
}
