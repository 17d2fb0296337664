//! The embedded queue's sending side: one owner, one writer, group commit.

mod checkpoint;
mod first_copy;
mod follow_up;
mod group_commit;
mod kept_for_record;
mod ledger_figures;
mod open;
mod options;
mod pending_message;
mod prune_schedule;
mod pruning;
mod queue;
mod repeat_window;
pub(crate) mod sequencer;
mod task_ledger;
mod writer;

pub use kept_for_record::KeptForRecord;
pub use ledger_figures::LedgerFigures;
pub use options::Options;
pub use queue::EmbeddedQueue;
