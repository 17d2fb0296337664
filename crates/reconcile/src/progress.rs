//! Progress of a run.

use crate::platform::Project;

/// Receives the progress of a run.
pub trait Progress: Send + Sync {
    /// A pass through this project begins.
    fn project(&self, _project: &Project) {}

    /// So many things were looked at since the last call.
    fn scanned(&self, _entities: u64) {}

    /// So many events more are on the queue now.
    fn sent(&self, _events: u64) {}

    /// Something that somebody should look at.
    fn warn(&self, _warning: &str) {}
}

/// Receives nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {}
