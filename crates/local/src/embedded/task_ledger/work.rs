//! Takes in what one event states, within one transaction.

use super::budget::Budget;
use super::recent::Recent;
use labelrelay_core::derive::{Cause, Derivation};
use labelrelay_core::task_facts::TaskFact;
use labelrelay_core::{OutboundMessage, QueueLimits};
use rusqlite::Connection;

/// A piece of work within one transaction.
pub(super) struct Work<'a> {
    pub(super) db: &'a Connection,
    pub(super) recent: &'a mut Recent,
    /// What was known ahead of the file is in the file, so the mark has to move with it.
    pub(super) is_settled: bool,
    pub(super) derivation: &'a Derivation,
    pub(super) limits: QueueLimits,
    pub(super) cause: &'a Cause,
    pub(super) seq: i64,
    pub(super) is_silent: bool,
    /// Things that are not known may have been known, and what was told up to this event may be out of date; 0: neither.
    pub(super) gaps: i64,
    pub(super) left: Budget,
    /// Things that may be added before the ledger is full.
    pub(super) room: u64,
    /// Things that are gone may be added besides, so that what comes late does not bring them back.
    pub(super) room_for_gone: u64,
    /// Tasks and annotations that were forgotten, because what is known of them cannot be read.
    pub(super) forgot: u64,
    pub(super) derived: Vec<OutboundMessage>,
}

impl Work<'_> {
    /// Takes the facts in as far as there is time; the rest.
    pub(super) fn all(&mut self, facts: &[TaskFact]) -> rusqlite::Result<Vec<TaskFact>> {
        let mut rest = Vec::new();
        for fact in facts {
            if self.left.is_spent() {
                rest.push(fact.clone());
                continue;
            }
            match fact {
                TaskFact::Annotation(annotation) => {
                    self.left.spend();
                    self.annotation(annotation)?;
                }
                TaskFact::Task { id, state, made } => {
                    self.left.spend();
                    self.task(*id, *state, made.clone())?;
                }
                TaskFact::AnnotationsGone { ids, are_several } => {
                    rest.extend(self.annotations_gone(ids, *are_several)?);
                }
                TaskFact::TasksGone(ids) => rest.extend(self.tasks_gone(ids)?),
                TaskFact::ProjectGone => {
                    self.left.spend();
                    self.project_gone()?;
                }
            }
        }
        Ok(rest)
    }

    /// Writes what is known ahead of the file into it, for work on the file itself.
    pub(super) fn settle(&mut self) -> rusqlite::Result<()> {
        self.recent.write(self.db)?;
        self.recent.forget();
        self.is_settled = true;
        Ok(())
    }

    /// Takes room for one more thing. A full ledger has none: the thing counts as forgotten at once.
    pub(super) fn takes_room(&mut self) -> bool {
        if self.room == 0 {
            self.forgot += 1;
            self.gaps = self.gaps.max(1);
            return false;
        }
        self.room -= 1;
        true
    }

    /// The same for a thing that is gone, for which a full ledger has some more room.
    pub(super) fn takes_room_for_gone(&mut self) -> bool {
        if self.room == 0 && self.room_for_gone > 0 {
            self.room_for_gone -= 1;
            return true;
        }
        self.takes_room()
    }

    /// Things that were added, of so much room that there was.
    pub(super) fn grown(&self, room: u64) -> u64 {
        room.saturating_sub(self.room + self.room_for_gone)
    }

    /// Room for things of both kinds.
    pub(super) fn whole_room(&self) -> u64 {
        self.room + self.room_for_gone
    }

    /// Adds an event that follows.
    pub(super) fn derive(&mut self, message: Option<OutboundMessage>) {
        self.left.spend();
        if !self.is_silent {
            self.derived.extend(message);
        }
    }
}
