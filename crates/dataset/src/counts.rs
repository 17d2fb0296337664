//! Counts of a snapshot.

use crate::tally::Tally;
use serde::{Deserialize, Serialize};

/// Counts of what a snapshot holds, and of what it does not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(default)]
pub struct Counts {
    /// Images, or whatever the tasks are about.
    pub samples: u64,
    /// Annotations that are in it.
    pub annotations: u64,
    /// Classes, those that nobody uses any more included.
    pub classes: u64,
    /// Annotations that were left out: the annotator skipped the task.
    pub skipped: u64,
    /// Annotations that were left out, because another one of their task was chosen.
    pub not_chosen: u64,
    /// Annotations that were left out, because their task is in another state.
    pub other_state: u64,
    /// Annotations that were left out, because nobody knows their task.
    pub without_task: u64,
    /// Annotations that are in it although an unsigned header says that they are gone.
    pub deletion_unconfirmed: u64,
    /// Media of which there is no copy where [`Options::media`](crate::Options::media) says.
    pub media_missing: u64,
    /// Regions that a format cannot express; `rejects.jsonl` has each with its reason.
    pub rejected: u64,
    /// Events that could not be read, and are dead letters.
    #[serde(default)]
    pub unreadable: u64,
}

impl Counts {
    /// Adds what is in another part of the state.
    pub(crate) fn add(&mut self, part: &Self) {
        self.samples += part.samples;
        self.annotations += part.annotations;
        self.skipped += part.skipped;
        self.not_chosen += part.not_chosen;
        self.other_state += part.other_state;
        self.without_task += part.without_task;
        self.deletion_unconfirmed += part.deletion_unconfirmed;
        self.media_missing += part.media_missing;
    }
}

impl From<Tally> for Counts {
    fn from(tally: Tally) -> Self {
        Self {
            samples: tally.samples,
            annotations: tally.chosen,
            skipped: tally.skipped,
            not_chosen: tally.other_versions,
            other_state: tally.other_state,
            without_task: tally.without_task,
            deletion_unconfirmed: tally.marked,
            media_missing: tally.media_missing,
            ..Self::default()
        }
    }
}
