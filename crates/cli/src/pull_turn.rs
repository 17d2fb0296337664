//! The turn to pull, where several processes have one queue.

use labelrelay_core::{Lease, QueueError};

/// The right to pull: this process has it for as long as it lives.
#[derive(Default)]
pub(crate) struct PullTurn {
    lease: Option<Lease>,
}

impl PullTurn {
    /// Tells whether this process is the one that pulls. Without a lease that lasts, it waits for `asked`, which asks the
    /// queue for one.
    pub(crate) async fn is_mine(
        &mut self,
        asked: impl Future<Output = Result<Option<Lease>, QueueError>>,
    ) -> bool {
        if self.lease.as_ref().is_some_and(Lease::lasts) {
            return true;
        }
        self.lease = None;
        match asked.await {
            Ok(lease) => {
                self.lease = lease;
                self.lease.is_some()
            }
            // A queue that cannot be asked takes no events either, and the run says so.
            Err(_) => true,
        }
    }
}
