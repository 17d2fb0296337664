//! State of the ledger from which events are derived, for whoever watches the queue.

use std::sync::{Arc, Mutex};

/// Figures of the ledger at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LedgerFigures {
    /// Why nothing is derived until the queue is opened again.
    pub off: Option<String>,
    /// Why events are stored, and what follows from them is derived later.
    pub waits: Option<String>,
    /// Events of the queue that the ledger has not taken in yet, at most.
    pub behind: u64,
    /// Tasks and annotations that it knows of, gone ones too, as of its last look through all of them.
    pub things: u64,
    /// Tasks, annotations and pieces of work that it forgot since the queue was opened, because they could not be read.
    pub forgotten: u64,
    /// Events that were acknowledged and pruned before the ledger read them, since the queue was opened.
    pub missed: u64,
}

pub(super) type SharedFigures = Arc<Mutex<LedgerFigures>>;
