//! Progress of a run: a bar on a terminal, else a line now and then.

use crate::output::{one_line, say};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use labelrelay_reconcile::{Progress, Project};
use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A line of a long look is not older than this.
const LINE_EVERY: Duration = Duration::from_secs(10);

pub(super) struct Shown {
    bar: Option<ProgressBar>,
    /// For programs: no words at all.
    is_quiet: bool,
    lines: Mutex<Lines>,
}

#[derive(Default)]
struct Lines {
    project: String,
    entities: u64,
    sent: u64,
    last: Option<Instant>,
}

impl Shown {
    pub(super) fn new(json: bool) -> Self {
        let is_drawn = std::io::stderr().is_terminal() && !json;
        Self {
            bar: is_drawn
                .then(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())),
            is_quiet: json,
            lines: Mutex::default(),
        }
    }
}

impl Progress for Shown {
    fn project(&self, project: &Project) {
        if let Some(bar) = &self.bar {
            bar.reset();
            match project.entities {
                Some(entities) => bar.set_length(entities),
                None => bar.unset_length(),
            }
            let form = if project.entities.is_some() {
                "{prefix} {bar:30} {pos}/{len} {msg} {eta}"
            } else {
                "{prefix} {spinner} {pos} {msg}"
            };
            if let Ok(style) = ProgressStyle::with_template(form) {
                bar.set_style(style);
            }
            bar.set_prefix(format!("project {}", one_line(&project.id)));
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        *lines = Lines {
            project: project.id.clone(),
            last: Some(Instant::now()),
            ..Lines::default()
        };
    }

    fn scanned(&self, entities: u64) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.entities += entities;
        if let Some(bar) = &self.bar {
            bar.inc(entities);
            bar.set_message(format!("{} sent", lines.sent));
        } else if !self.is_quiet && lines.last.is_none_or(|last| last.elapsed() >= LINE_EVERY) {
            lines.last = Some(Instant::now());
            say(format_args!(
                "project {}: {} things looked at, {} sent",
                one_line(&lines.project),
                lines.entities,
                lines.sent
            ));
        }
    }

    fn sent(&self, events: u64) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.sent += events;
    }

    fn warn(&self, warning: &str) {
        let words = || say(format_args!("warning: {}", one_line(warning)));
        match &self.bar {
            Some(bar) => bar.suspend(words),
            None => words(),
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
