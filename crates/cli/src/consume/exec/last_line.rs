//! Standard error of a command: passed on line by line, and its last line is the reason of a failure.

use std::sync::{Mutex, PoisonError};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::ChildStderr;

/// Bytes of a line that are passed on together, and of a reason at most.
const LONGEST_LINE: u64 = 8 * 1024;

/// The last line of standard error that has something on it.
#[derive(Default)]
pub(super) struct LastLine(Mutex<Vec<u8>>);

impl LastLine {
    /// Passes standard error on, line by line, and remembers the last line.
    pub(super) async fn pass_on(&self, stderr: Option<ChildStderr>) {
        let Some(stderr) = stderr else { return };
        let mut lines = BufReader::new(stderr);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = (&mut lines)
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut line)
                .await;
            if !read.is_ok_and(|read| read > 0) {
                return;
            }
            self.keep(&line);
            crate::output::pass_on(&line);
        }
    }

    fn keep(&self, line: &[u8]) {
        let line = line.trim_ascii();
        if !line.is_empty() {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.clear();
            kept.extend_from_slice(line);
        }
    }

    pub(super) fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }

    /// `what`, and what was said.
    pub(super) fn after(&self, what: String) -> String {
        let said = self.text();
        if said.is_empty() {
            what
        } else {
            format!("{what}: {said}")
        }
    }
}
