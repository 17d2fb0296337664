//! What became of the events that were to be sent again.

use super::target::Sent;
use crate::error::CliError;
use crate::output::{one_line, print, print_json, say};
use serde::Serialize;

/// Reasons that are told; the rest is only counted.
const MAX_REASONS: u64 = 10;

#[derive(Default)]
pub(super) struct Progress {
    done: Replayed,
    /// Reason why it made no sense to go on.
    broken: Option<String>,
}

/// Printed by `--json` at the end.
#[derive(Default, Serialize)]
struct Replayed {
    sent: u64,
    failed: u64,
}

impl Progress {
    /// Says why these were not sent.
    pub(super) fn refuse(&mut self, failures: Vec<String>) {
        for reason in failures {
            if self.done.failed < MAX_REASONS {
                say(format_args!("not sent: {}", one_line(&reason)));
            }
            self.done.failed += 1;
        }
    }

    /// Counts what was sent; tells whether to go on.
    pub(super) fn sent(&mut self, page: Sent) -> bool {
        self.done.sent += page.count;
        self.refuse(page.failures);
        self.broken = page.broken;
        self.broken.is_none()
    }

    pub(super) const fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// Says all of it.
    pub(super) fn end(self, json: bool) -> Result<(), CliError> {
        if json {
            print_json(&self.done)?;
        } else {
            print(format_args!("{} sent again", self.done.sent))?;
        }
        match (self.broken, self.done.failed) {
            (Some(reason), _) => Err(CliError::failed(format_args!(
                "the queue keeps failing, so the rest was not tried: {reason}"
            ))),
            (None, 0) => Ok(()),
            (None, failed) => Err(CliError::failed(format_args!("{failed} were not sent"))),
        }
    }
}
