//! Commits that did not wait for their standby to the end.
//!
//! Where commits wait for a synchronous standby, somebody may cancel such a wait (`pg_cancel_backend`). The server then
//! says so in a warning, and answers as if all were well: the transaction is committed, and the standby may lack it.

use crate::failure::Trouble;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio_postgres::error::DbError;

/// The function of the server that waits. What the warning says depends on the server's language, and its SQLSTATE is
/// that of any warning.
const WAITER: &str = "SyncRepWaitForLSN";

/// Whether a commit's wait was cancelled: heard by what reads the connection, asked by whoever made the commit.
#[derive(Debug, Clone, Default)]
pub(crate) struct StandbyWait(Arc<AtomicBool>);

impl StandbyWait {
    /// Notes what the server says beside its answers.
    pub(crate) fn hear(&self, notice: &DbError) {
        if notice.routine() == Some(WAITER) {
            self.0.store(true, Ordering::Release);
        }
    }

    /// Forgets what befell earlier commits.
    pub(crate) fn begin(&self) {
        self.0.store(false, Ordering::Release);
    }

    /// Asks after a commit, once its answer is there: the server says it before that.
    ///
    /// # Errors
    /// [`Trouble::StandbyNotWaitedFor`] when the standby may lack what was committed since the beginning.
    pub(crate) fn end(&self) -> Result<(), Trouble> {
        if self.0.load(Ordering::Acquire) {
            return Err(Trouble::StandbyNotWaitedFor);
        }
        Ok(())
    }
}
