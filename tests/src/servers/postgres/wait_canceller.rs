//! Somebody who cancels commits that wait for a standby.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};

/// `psql` repeats the statement as long as it runs.
const CANCEL: &str = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' \\watch 0.02\n";

/// Cancels such commits until it is dropped, or the server ends.
pub struct WaitCanceller(Child);

impl WaitCanceller {
    pub(super) fn start(mut psql: Command) -> Self {
        let mut child = psql
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Closed afterwards: it reads nothing else.
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(CANCEL.as_bytes()).unwrap();
        Self(child)
    }
}

impl Drop for WaitCanceller {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
