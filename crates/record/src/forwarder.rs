//! The thread that moves deliveries out of the journal into a record that several relays share.
//!
//! That is the work of another machine, so it goes on while the relay is busy, too: nobody but this relay reads its
//! journal, so what waits there is found by nobody. While the record cannot be reached, deliveries wait within the
//! journal's bounds.

use crate::access::{Moving, SharedRecord};
use crate::class::PerClass;
use crate::entry::Entry;
use crate::error::{Failure, RecordError};
use crate::intake::{Done, Intake, Load, Sink};
use crate::journal::name;
use crate::options::Options;
use crate::row::Row;
use crate::shared::{Shared, Turn};
use labelrelay_core::{Clock, chain};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Without deliveries, what is too old is looked for this often.
const IDLE: Duration = Duration::from_secs(60);

/// A record that cannot be reached is tried again this often.
const AGAIN: Duration = Duration::from_secs(5);

/// An end waits this long for what is left. The next start goes on with the rest.
const LAST: Duration = Duration::from_millis(500);

/// Rows of one transaction.
const ROWS: usize = 1000;

/// Bytes of one transaction, but for its last row: what a slow connection carries in a second.
const BYTES: u64 = 2 * 1024 * 1024;

/// So many times longer than a transaction takes, none is sent: the record has no more than a quarter of a connection.
const PAUSE: u32 = 3;

/// A journal, as the record knows it.
struct Known {
    name: String,
    /// The place up to which the record has it; `None` where that has to be asked.
    moved: Option<i64>,
    /// The record has everything up to this place, whatever it knows of this name.
    from: i64,
    /// The record was asked for the place before.
    was_asked: bool,
    /// `true` if this process has named it, so that its numbers begin with 1.
    is_new: bool,
}

pub(crate) struct Forwarder {
    path: PathBuf,
    options: Options,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    record: Arc<dyn SharedRecord>,
    journal: Option<Known>,
    /// A transaction whose answer is lost: the place up to which it moved the journal, and what it noted as lost.
    unsure: Option<(i64, PerClass<u64>)>,
    /// Rows of the next transaction.
    rows: usize,
    has_failed: bool,
}

impl Forwarder {
    /// `path` is where the journal is; the bounds of `options` are those of the record, and not of this disk.
    pub(crate) fn new(
        path: PathBuf,
        options: Options,
        clock: Arc<dyn Clock>,
        shared: Arc<Shared>,
        record: Arc<dyn SharedRecord>,
    ) -> Self {
        Self {
            path,
            options,
            clock,
            shared,
            record,
            journal: None,
            unsure: None,
            rows: ROWS,
            has_failed: false,
        }
    }

    /// Moves what there is to move, until nothing is written any more.
    pub(crate) fn run(mut self) {
        let mut end = None;
        loop {
            let mut turn = self.shared.next(IDLE);
            if turn.is_closing && end.is_none() {
                end = Some(Instant::now() + LAST);
            }
            let begun = Instant::now();
            let is_empty = self.step(&mut turn);
            if let Some(end) = end
                && (is_empty || self.has_failed || Instant::now() >= end)
            {
                break;
            }
            self.shared.pause(if self.has_failed {
                AGAIN
            } else {
                begun.elapsed() * PAUSE
            });
        }
        if let Some(journal) = &mut self.shared.lock().journal {
            journal.close();
        }
    }

    /// Moves some rows; `true` if nothing is left to move.
    fn step(&mut self, turn: &mut Turn) -> bool {
        match self.moved(turn) {
            Ok(done) => {
                if std::mem::take(&mut self.has_failed) {
                    tracing::info!(name: "record_moves_again", file = %self.path.display(), "deliveries are moved into the record again");
                }
                self.shared.retire(turn, &done)
            }
            Err(error) => {
                if !self.has_failed {
                    tracing::warn!(name: "record_not_moved", reason = %chain(&error), "deliveries wait in the journal of the record; moving them is tried again every 5 seconds");
                }
                self.has_failed = true;
                // What takes longer than its limit may be too much at once. Each that is taken doubles it again.
                self.rows = (self.rows / 2).max(1);
                // Nobody knows what became of a transaction whose answer is lost.
                if let Some(journal) = &mut self.journal {
                    journal.moved = None;
                }
                self.shared.lock().lose(turn.lost);
                false
            }
        }
    }

    fn moved(&mut self, turn: &mut Turn) -> Result<Done, RecordError> {
        let now_ms = self.clock.now().as_millisecond();
        let load = Load {
            pending: &turn.pending,
            rows: self.rows,
            lost: turn.lost,
            options: &self.options,
            now_ms,
        };
        let has_journal = !turn.pending.oldest.is_empty();
        if !has_journal && turn.lost == PerClass::default() {
            if !turn.is_closing
                && let Err(error) = self.record.prune(&self.options, load.oldest_ms())
                && self.has_failed
            {
                return Err(error);
            }
            // Where nothing waits, what is the matter is told with the next delivery.
            return Ok(Done::default());
        }
        let (name, after) = if has_journal {
            known(
                &self.path,
                &mut self.journal,
                &*self.record,
                turn.pending.left,
            )?
        } else {
            // Nothing is moved, but what was lost is noted.
            (String::new(), 0)
        };
        if has_journal
            && let Some((upto, lost)) = self.unsure.take()
            && upto != after
        {
            // It was not committed.
            self.shared.lock().lose(lost);
        }
        let cannot = |failure: Failure| failure.of(&self.path);
        let is_new = self.journal.as_ref().is_some_and(|journal| journal.is_new);
        let taken = Intake::new(Batch::default(), &self.path, &load, after)
            .counting_from_one(is_new)
            .run();
        let taken = taken.map_err(cannot)?;
        let missed = u64::try_from(taken.missed).unwrap_or_default();
        let (Batch { rows, .. }, mut done) = (taken.sink, taken.done);
        let mut moving = Moving {
            journal: &name,
            after,
            upto: done.moved,
            rows: &rows,
            lost: [
                turn.lost.verified.saturating_add(missed),
                turn.lost.stranger,
            ],
            options: &self.options,
            oldest_ms: load.oldest_ms(),
        };
        let mut sent = self.record.take_in(&moving);
        if let Err(error) = &sent
            && error.is_of_rows()
        {
            if rows.len() > 1 {
                // Those that are not to blame are taken, and the one that is will be alone.
                self.rows = rows.len() / 2;
                self.shared.lock().lose(turn.lost);
                return Ok(Done {
                    moved: after,
                    ..Done::default()
                });
            }
            tracing::warn!(name: "record_row_refused", reason = %chain(error), "a delivery is missing in the record, which does not take it");
            moving.rows = &[];
            let lost = rows
                .iter()
                .map(|row| usize::from(row.verified_by.is_none()));
            for class in lost {
                if let Some(lost) = moving.lost.get_mut(class) {
                    *lost = lost.saturating_add(1);
                }
            }
            sent = self.record.take_in(&moving);
        }
        if sent.is_err() && moving.upto != moving.after {
            self.unsure = Some((moving.upto, std::mem::take(&mut turn.lost)));
        }
        done.moved = sent?;
        if done.moved != moving.upto {
            // It took nothing.
            self.shared.lock().lose(turn.lost);
        }
        if let Some(journal) = self.journal.as_mut().filter(|_| has_journal) {
            journal.moved = Some(done.moved);
            // The record forgets the name of a journal that was quiet for long.
            journal.from = done.moved;
        }
        self.rows = self.rows.saturating_mul(2).min(ROWS);
        Ok(done)
    }
}

/// The journal's name, and the place up to which the record has it. `left`: the last place that a process before this one
/// left.
fn known(
    path: &Path,
    known: &mut Option<Known>,
    record: &dyn SharedRecord,
    left: i64,
) -> Result<(String, i64), RecordError> {
    let cannot = |source| RecordError::Journal {
        path: path.to_owned(),
        source,
    };
    let journal = if let Some(journal) = known {
        journal
    } else {
        let named = name::read(path).map_err(cannot)?;
        let is_new = named.is_none();
        let (name, from) = if let Some(named) = named {
            named
        } else {
            let name = record.name_of_journal()?;
            // Before anything of it is there.
            name::write(path, &name, 0).map_err(cannot)?;
            (name, 0)
        };
        known.insert(Known {
            name,
            moved: None,
            from,
            was_asked: false,
            is_new,
        })
    };
    let moved = if let Some(moved) = journal.moved {
        moved
    } else {
        let mut moved = record.moved(&journal.name)?.max(journal.from);
        // A loss of power took the end of the journal, of which the record has more than is left. So its places were given
        // again, and mean something else: by another name, the record has no more than what was left.
        if moved > left && !journal.was_asked {
            let name = record.name_of_journal()?;
            // The place with it: whoever is killed before the record takes anything would begin at 0.
            name::write(path, &name, left).map_err(cannot)?;
            journal.name = name;
            journal.from = left;
            moved = left;
        }
        journal.was_asked = true;
        *journal.moved.insert(moved)
    };
    Ok((journal.name.clone(), moved))
}

/// Rows of one transaction.
#[derive(Default)]
struct Batch {
    rows: Vec<Row>,
    bytes: u64,
}

impl Sink for Batch {
    fn has_room(&self) -> bool {
        self.bytes < BYTES
    }

    fn insert(&mut self, _: i64, entry: &Entry<'_>) -> Result<(), Failure> {
        self.bytes = self.bytes.saturating_add(entry.sums().all_bytes());
        self.rows.push(Row {
            body_start: entry.body_start.map(<[u8]>::to_vec),
            ..entry.row()
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
