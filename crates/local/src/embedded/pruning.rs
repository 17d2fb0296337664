//! The owner's pruning: what stays, and what goes where room is wanted.

use super::prune_schedule::prune_batch;
use super::sequencer::Sequencer;
use super::writer::Writer;
use crate::disk_reserve;
use crate::prune::{NOWHERE, Pruned};
use crate::sqlite::{ms, now_ms};

/// A part of the largest size of the file that is for events to come.
const PARTS_OF_SIZE: u64 = 4;

/// So much is freed at once for an event that does not fit, where there is so much: nearly every event is smaller, and
/// those that wait behind it do not wait for long.
const FREED_FOR_AN_EVENT: u64 = 64 * 1024 * 1024;

impl Writer {
    /// Prunes a batch. Where events are refused for want of room, none is kept for the ledger. None is kept for the record
    /// where little room is left: then the oldest go, until there is enough.
    pub(super) fn prune(
        &self,
        sequencer: &mut Sequencer,
        is_idle: bool,
        is_failing: bool,
    ) -> rusqlite::Result<Pruned> {
        if is_idle {
            // Nobody waits for it, and no event that was read is needed again.
            sequencer.save_ledger(&self.db);
        }
        let read = sequencer.read_for_good();
        self.kept.note_read(read);
        let read = read.filter(|_| !is_failing);
        let now = now_ms(&*self.clock);
        let retained_ms = now.saturating_sub(ms(self.options.retention));
        let (recorded, more_to_count) = if self.is_tight() {
            (NOWHERE, false)
        } else {
            self.kept.stays_from(&self.db, now, retained_ms)
        };
        let pruned = prune_batch(&self.db, now, &self.options, recorded, read)?;
        if !pruned.more {
            self.kept.are_gone();
        }
        Ok(Pruned {
            more: pruned.more || more_to_count,
            ..pruned
        })
    }

    /// Removes some of what is kept for the record alone, because an event does not fit; the rest goes in the turns that
    /// follow. Says whether there was any.
    pub(super) fn release_some_of_the_record(&self) -> bool {
        if !self.kept.release() {
            return false;
        }
        let now = now_ms(&*self.clock);
        // The ledger's own are not given up here: a turn of pruning does that, if the event is refused. What the ledger had
        // read at the turn before, it needs no more.
        let read = self.options.derivation.is_some().then(|| self.kept.read());
        let mut is_any = false;
        while let Ok(pruned) = prune_batch(&self.db, now, &self.options, NOWHERE, read) {
            is_any |= pruned.events > 0;
            if !pruned.more || self.reusable_bytes() >= FREED_FOR_AN_EVENT {
                break;
            }
        }
        is_any
    }

    /// Tells whether little room is left for events to come, on the disk or within the largest size of the file.
    fn is_tight(&self) -> bool {
        if !self.kept.keeps_any() {
            return false;
        }
        let reusable = self.reusable_bytes();
        // Of the largest size, a part is the journal's, in which no event stays: that of the file is what pages it may have.
        let most = self.page_bytes("PRAGMA max_page_count");
        let left = most.saturating_sub(self.page_bytes("PRAGMA page_count"));
        let is_large = left.saturating_add(reusable) < most / PARTS_OF_SIZE;
        is_large || disk_reserve::is_tight(&self.path, reusable)
    }
}
