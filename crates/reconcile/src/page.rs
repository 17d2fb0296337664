//! One page of entities from a platform's API.

use bytes::Bytes;
use jiff::Timestamp;
use labelrelay_core::ledger::Key;
use std::fmt;

/// Some of what a project holds.
#[derive(Debug, Default)]
pub struct Page {
    /// Things, each with its content or without. What holds others stands before them.
    pub entities: Vec<Entity>,
    /// The platform's time when it answered.
    pub now: Option<Timestamp>,
    /// Place after which a look at everything can go on, in the platform's own words. `None` if it cannot.
    pub resume_after: Option<String>,
}

/// A thing that the platform holds. `Debug` does not show its content.
#[derive(Clone)]
pub struct Entity {
    /// Kind and id.
    pub key: Key,
    /// Id of what holds it within its project.
    pub holder: Option<String>,
    /// The bytes in which the API wrote it: one JSON value. `None` when it is only known to be there, and
    /// did not change since the watermark.
    pub content: Option<Bytes>,
}

impl fmt::Debug for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entity")
            .field("key", &self.key)
            .field("bytes", &self.content.as_ref().map(Bytes::len))
            .finish_non_exhaustive()
    }
}
