//! What became of the events that were to be sent again.

use super::target::Sent;
use crate::error::CliError;
use crate::output::{Bar, one_line, print, print_json, say};
use serde::Serialize;

/// Reasons that are told; the rest is only counted.
const MAX_REASONS: u64 = 10;

pub(super) struct Progress {
    bar: Bar,
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
    /// Nothing was sent so far; `is_shown` if a person at a terminal is to see more of it.
    pub(super) fn begin(is_shown: bool) -> Self {
        Self {
            bar: Bar::new("sending again", is_shown),
            done: Replayed::default(),
            broken: None,
        }
    }

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
        self.bar.add(page.count);
        self.refuse(page.failures);
        self.broken = page.broken;
        self.broken.is_none()
    }

    /// Tells whether nothing was sent, and nothing could not be.
    pub(super) const fn is_empty(&self) -> bool {
        self.done.sent == 0 && self.done.failed == 0 && self.broken.is_none()
    }

    pub(super) const fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// Says all of it.
    pub(super) fn end(self, json: bool) -> Result<(), CliError> {
        let Self { bar, done, broken } = self;
        drop(bar);
        if json {
            print_json(&done)?;
        } else {
            print(format_args!("{} sent again", done.sent))?;
        }
        match (broken, done.failed) {
            (Some(reason), _) => Err(CliError::failed(format_args!(
                "the queue keeps failing, so the rest was not tried: {reason}"
            ))),
            (None, 0) => Ok(()),
            (None, failed) => Err(CliError::failed(format_args!("{failed} were not sent"))),
        }
    }
}
