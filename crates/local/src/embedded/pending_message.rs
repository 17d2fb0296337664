//! A message on its way to the writer.

use futures_channel::oneshot;
use labelrelay_core::derive::Told;
use labelrelay_core::{OutboundMessage, QueueError, Receipt};

/// A message that waits to be written.
pub(super) struct Pending {
    pub(super) message: OutboundMessage,
    /// Statements that it makes, if something may follow from it.
    pub(super) told: Option<Told>,
    pub(super) done: oneshot::Sender<Result<Receipt, QueueError>>,
}
