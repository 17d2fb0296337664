//! How far a verb is: a line at a terminal, which is gone when the verb is done.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The time goes on while nothing else does.
const REDRAWN_EVERY: Duration = Duration::from_millis(250);

/// The line that is shown now: words that are said meanwhile go above it.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// A number of events that grows, if anybody looks.
pub(crate) struct Bar(Option<ProgressBar>);

impl Bar {
    /// `doing` stands in front of the number. Shown where stderr is a terminal, and only if `is_wanted`: programs that
    /// ask for JSON have no use for it.
    pub(crate) fn new(doing: &'static str, is_wanted: bool) -> Self {
        if !is_wanted || !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        // This terminal cannot write over a line.
        if bar.is_hidden() {
            return Self(None);
        }
        if let Ok(style) =
            ProgressStyle::with_template("{spinner} {prefix}: {pos} events, {elapsed}")
        {
            bar.set_style(style);
        }
        bar.set_prefix(doing);
        bar.tick();
        bar.enable_steady_tick(REDRAWN_EVERY);
        *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
        Self(Some(bar))
    }

    /// So many more are done.
    pub(crate) fn add(&self, events: u64) {
        if let Some(bar) = &self.0 {
            bar.inc(events);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = None;
            bar.finish_and_clear();
        }
    }
}

/// Writes to stderr, above the line that is shown there.
pub(super) fn above(write: impl FnOnce()) {
    let shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match shown {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}
