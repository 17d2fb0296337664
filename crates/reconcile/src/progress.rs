//! Who is told how far it is.

use crate::platform::Project;
use labelrelay_core::OutboundMessage;

/// Is told how far it is.
pub trait Progress: Send + Sync {
    /// A look through this project begins.
    fn project(&self, _project: &Project) {}

    /// So many things were looked at since the last call.
    fn looked_at(&self, _things: u64) {}

    /// These events are on the queue now, each of them new to it or not.
    fn sent(&self, _messages: &[OutboundMessage], _new: &[bool]) {}

    /// Something that somebody should look at.
    fn warn(&self, _warning: &str) {}
}

/// Nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {}
