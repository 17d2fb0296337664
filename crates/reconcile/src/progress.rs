//! Who is told how far it is.

use crate::platform::Project;

/// Is told how far it is.
pub trait Progress: Send + Sync {
    /// A look through this project begins.
    fn project(&self, _project: &Project) {}

    /// So many things were looked at since the last call.
    fn scanned(&self, _entities: u64) {}

    /// So many events more are on the queue now.
    fn sent(&self, _events: u64) {}

    /// Something that somebody should look at.
    fn warn(&self, _warning: &str) {}
}

/// Nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {}
