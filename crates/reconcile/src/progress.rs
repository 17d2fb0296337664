//! Progress of a run.

use crate::platform::Project;
use jiff::Timestamp;

/// Receives the progress of a run.
pub trait Progress: Send + Sync {
    /// A pass through this project begins.
    fn project(&self, _project: &Project) {}

    /// So many things were looked at since the last call.
    fn scanned(&self, _entities: u64) {}

    /// So many events more are on the queue now.
    fn sent(&self, _events: u64) {}

    /// So many of these were changes that a delivery should have brought. Not what was there before the first look
    /// at a project, and no deletion: platforms leave some of those out.
    fn undelivered(&self, _events: u64) {}

    /// The platform changed something at this time, by its own clock.
    fn changed(&self, _time: Timestamp) {}

    /// Something that somebody should look at.
    fn warn(&self, _warning: &str) {}
}

/// Receives nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {}
