//! Tells `labelrelay connect --rotate` that a delivery has shown the next secret.

use crate::rotation_files;
use labelrelay_core::{Observer, Outcome, QueueError, Report};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A rotation is noted again at most this often: the note may belong to one that ended.
const AGAIN: Duration = Duration::from_millis(500);

#[derive(Default)]
pub(super) struct RotationWatch {
    noted: Mutex<Option<Instant>>,
}

impl Observer for RotationWatch {
    fn request(&self, report: &Report) {
        let is_event = matches!(
            report.outcome,
            Outcome::Accepted | Outcome::Repeat | Outcome::Filtered
        );
        let name = report.verified_by.as_deref().filter(|_| is_event);
        let Some(next) = name.and_then(rotation_files::next_called) else {
            return;
        };
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.is_none_or(|at| at.elapsed() >= AGAIN) {
            *noted = Some(Instant::now());
            rotation_files::note_shown(next);
        }
    }

    fn queue_attempt_failed(&self, _: &str, _: &str, _: &QueueError) {}
}
