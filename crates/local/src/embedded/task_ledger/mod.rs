//! The ledger of tasks and annotations: what the queue's own events told, kept in the queue file and in the very
//! transactions that bring events in, so that more can be derived from them.
//!
//! It never stops a delivery. It takes events in by their numbers, each after the one before. What it cannot take in
//! at once it takes in later, from the file: after want of room or an error of the disk, after events that others
//! appended, and after one that is too large to be read on its way. What is damaged turns it off until the next start.
//!
//! Its rows are behind the queue, as far as its mark is: what was told lately is in memory, and goes into the file
//! together with the mark. After a crash, the events behind the mark are read again.

mod annotation;
mod annotation_row;
mod budget;
mod catch_up;
mod damage;
mod deletion;
mod known;
mod mark;
mod recent;
mod rest;
mod sweep;
mod sweep_look;
mod sweep_step;
pub(super) mod tables;
mod task;
mod task_row;
mod work;

use super::ledger_figures::LedgerFigures;
use super::options::Options;
use super::pending_message::MessageFacts;
use crate::sqlite::{set_setting, setting};
use labelrelay_core::OutboundMessage;
use labelrelay_core::QueueLimits;
use labelrelay_core::derive::{Cause, Derivation, EventFacts};
use labelrelay_core::task_facts::TaskFact;
use recent::Recent;
use rusqlite::Connection;
use std::sync::Arc;
use sweep::Sweep;
use work::Work;

pub(super) use budget::Budget;
pub(super) use damage::{NotOpen, is_busy, is_its_own, unless_it_panics};

/// After a failure, the ledger tries again when nothing else is to be done, or after so many groups.
const WAITS_GROUPS: u32 = 64;

/// The ledger, as its writer has it.
pub(super) struct TaskLedger {
    derivation: Arc<Derivation>,
    limits: QueueLimits,
    /// Knowledge that is ahead of the file.
    recent: Recent,
    /// The queue was read up to this event, and that is committed.
    through: u64,
    /// The same, with the transaction that is open.
    reading: u64,
    /// The same, as the file has it.
    marked: u64,
    /// The mark moves at the end of the transaction that is open, and with it what is known goes into the file.
    must_mark: bool,
    /// Events up to this one came before the ledger: it learns from them, and derives nothing.
    learned: u64,
    /// Work that one transaction had no time for may be in the file. Nothing overtakes it.
    has_rest: bool,
    /// Nothing is missed after this event; 0: nothing at all.
    gaps: u64,
    /// Things that the open transaction added.
    grown: u64,
    forgot: u64,
    forgotten: u64,
    misses: u64,
    missed: u64,
    waits: Option<Wait>,
    sweep: Sweep,
}

/// A pause after a failure.
struct Wait {
    reason: String,
    groups: u32,
}

/// Consequences of one event.
#[derive(Default)]
pub(super) struct Consequences {
    /// The task of all annotations that it says are gone.
    pub(super) task: Option<i64>,
    /// Events that follow from it.
    pub(super) derived: Vec<OutboundMessage>,
    /// The ledger has taken it in.
    pub(super) is_read: bool,
}

impl TaskLedger {
    /// Opens the ledger in the queue file, and makes it when there is none. `next` is the number of the event to come.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn open(
        db: &Connection,
        options: &Options,
        next: u64,
    ) -> Result<Option<Self>, NotOpen> {
        let Some(derivation) = &options.derivation else {
            return Ok(None);
        };
        tables::make(db, next - 1)?;
        let mark = |name: &str| -> Result<u64, NotOpen> {
            Ok(setting(db, name)?.unwrap_or(0).cast_unsigned())
        };
        let through = mark(tables::THROUGH)?;
        Ok(Some(Self {
            derivation: Arc::clone(derivation),
            limits: QueueLimits::bytes(options.max_message_bytes),
            recent: Recent::default(),
            through,
            reading: through,
            marked: through,
            must_mark: false,
            learned: mark(tables::LEARNED)?,
            has_rest: true,
            gaps: mark(tables::GAPS)?,
            grown: 0,
            forgot: 0,
            forgotten: 0,
            misses: 0,
            missed: 0,
            waits: None,
            sweep: Sweep::new(options.max_file_bytes),
        }))
    }

    /// Figures while event `next` is the one to come.
    pub(super) fn figures(&self, next: u64) -> LedgerFigures {
        LedgerFigures {
            off: None,
            waits: self.waits.as_ref().map(|wait| wait.reason.clone()),
            behind: next.saturating_sub(self.through.saturating_add(1)),
            things: self.sweep.things(),
            forgotten: self.forgotten,
            missed: self.missed,
        }
    }

    /// Tells whether there is something to do besides what is delivered.
    pub(super) fn has_work(&self, next: u64) -> bool {
        self.has_rest || self.through.saturating_add(1) < next
    }

    /// Tells whether the ledger has taken in all events before `seq`, so that this one is next.
    pub(super) fn is_in_step(&self, seq: u64) -> bool {
        !self.has_rest && self.reading.checked_add(1) == Some(seq)
    }

    /// Follows event `seq`, which is written in this transaction, if it is next.
    pub(super) fn follow(
        &mut self,
        db: &Connection,
        seq: u64,
        facts: &MessageFacts,
        left: &mut Budget,
    ) -> rusqlite::Result<Consequences> {
        if self.waits.is_some() {
            return Ok(Consequences::default());
        }
        let is_read = self.is_in_step(seq) && !left.is_spent();
        let event = match facts {
            MessageFacts::Unread => return Ok(Consequences::default()),
            MessageFacts::Nothing => {
                return Ok(Consequences {
                    is_read,
                    ..Consequences::default()
                });
            }
            MessageFacts::These(event) => event,
        };
        let task = match event.facts.as_slice() {
            // News that came meanwhile may have moved them, or begun their ids anew.
            [TaskFact::AnnotationsGone { ids, .. }] if !event.cause.is_fetched && is_read => {
                deletion::only_task(db, &self.recent, &event.cause.source, ids)?
            }
            _ => None,
        };
        let derived = if is_read {
            self.apply(db, seq, event, left)?
        } else {
            Vec::new()
        };
        // Read again after a crash, one that follows is recognised: see `catch_up`.
        self.must_mark |= derived.len() > 1;
        Ok(Consequences {
            task,
            derived,
            is_read,
        })
    }

    /// Notes in this transaction that all events up to this one were taken in.
    pub(super) fn has_read(&mut self, through: u64) {
        self.reading = through;
    }

    /// Applies the facts of event `seq`.
    fn apply(
        &mut self,
        db: &Connection,
        seq: u64,
        event: &EventFacts,
        left: &mut Budget,
    ) -> rusqlite::Result<Vec<OutboundMessage>> {
        let mut work = self.work(db, &event.cause, seq, *left);
        let room = work.whole_room();
        let rest = work.all(&event.facts)?;
        let (grown, is_settled) = (work.grown(room), work.is_settled);
        let (derived, remains, forgot) = (work.derived, work.left, work.forgot);
        *left = remains;
        self.grown += grown;
        self.must_mark |= is_settled;
        if !rest.is_empty() {
            rest::keep(db, seq, &event.cause, rest)?;
            self.has_rest = true;
            self.must_mark = true;
        }
        self.note_forgotten(db, forgot)?;
        Ok(derived)
    }

    fn note_forgotten(&mut self, db: &Connection, forgot: u64) -> rusqlite::Result<()> {
        if forgot > 0 {
            self.forgot += forgot;
            self.note_gaps(db, 1)?;
        }
        Ok(())
    }

    /// Notes that what is not known may have been known, and that what was told up to event `until` may be out of date.
    /// Nothing that was read may be read again after that.
    fn note_gaps(&mut self, db: &Connection, until: u64) -> rusqlite::Result<()> {
        self.gaps = self.gaps.max(until);
        set_setting(db, tables::GAPS, self.gaps.cast_signed())?;
        self.must_mark = true;
        Ok(())
    }

    /// What followed from an event is in the queue already, for another reason. Read again, it would not be recognised.
    pub(super) fn was_told_before(&mut self) {
        self.must_mark = true;
    }

    /// The transaction was committed.
    pub(super) fn written(&mut self) {
        self.through = self.reading;
        self.sweep.has_grown(std::mem::take(&mut self.grown));
        self.forgotten += std::mem::take(&mut self.forgot);
        self.missed += std::mem::take(&mut self.misses);
        if self.must_mark {
            self.recent.written();
            self.marked = self.through;
            self.must_mark = false;
        }
    }

    /// The transaction failed. It may be in the file all the same: then its events are read again, and change nothing.
    pub(super) fn failed(&mut self) {
        // What the events behind the mark told is in memory alone, mixed with what this transaction told.
        self.recent.forget();
        self.through = self.marked;
        self.reading = self.marked;
        self.grown = 0;
        self.forgot = 0;
        self.misses = 0;
        self.must_mark = true;
        self.has_rest = true;
    }

    /// Takes no more part in deliveries until [`may_try`](Self::may_try).
    pub(super) fn wait(&mut self, reason: String) {
        self.waits = Some(Wait {
            reason,
            groups: WAITS_GROUPS,
        });
    }

    /// Tells whether it may work: a ledger that failed waits for an idle moment, or for a while.
    pub(super) fn may_try(&mut self, is_idle: bool) -> bool {
        match &mut self.waits {
            Some(wait) if !is_idle && wait.groups > 0 => {
                wait.groups -= 1;
                false
            }
            _ => true,
        }
    }

    /// It works again.
    pub(super) fn go_on(&mut self) {
        self.waits = None;
    }

    fn work<'a>(
        &'a mut self,
        db: &'a Connection,
        cause: &'a Cause,
        seq: u64,
        left: Budget,
    ) -> Work<'a> {
        Work {
            db,
            recent: &mut self.recent,
            is_settled: false,
            derivation: &self.derivation,
            limits: self.limits,
            cause,
            seq: seq.cast_signed(),
            is_silent: seq <= self.learned,
            gaps: self.gaps.cast_signed(),
            left,
            room: self.sweep.room(self.grown),
            room_for_gone: self.sweep.room_for_gone(self.grown),
            forgot: 0,
            derived: Vec::new(),
        }
    }
}
