//! The file, for the one thread that moves deliveries into it.

use crate::bounds;
use crate::class::{Class, PerClass};
use crate::entry::{Entry, entries};
use crate::error::{Failure, RecordError};
use crate::journal::{self, Ending, Pending, Segment, tell_damage};
use crate::moved;
use crate::needed::Oldest;
use crate::open::{self, begin};
use crate::options::{Limits, Options};
use crate::sums::Sums;
use crate::totals::{self, Totals, bound, length};
use rusqlite::{Connection, params};
use std::path::{Path, PathBuf};

/// Rows that one transaction removes at least as far as it has to: a bound that was lowered is reached in steps.
const REMOVED_AT_ONCE: usize = 2000;

const INSERT: &str = "
INSERT INTO deliveries(
    number, class, arrived_ms, bytes, status, flags, body_bytes, elapsed_us, queue_us, outcome, source, event_id,
    event_type, subject, project, delivery_id, verified_by, client, body_sha256, method, path, reason, head)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)
";

pub(crate) struct Store {
    db: Connection,
    path: PathBuf,
}

/// What one transaction takes.
pub(crate) struct Load<'a> {
    /// What the journal has.
    pub(crate) pending: &'a Pending,
    /// Rows that may be inserted.
    pub(crate) rows: usize,
    /// Deliveries that were lost on the way to the journal.
    pub(crate) lost: PerClass<u64>,
    pub(crate) options: &'a Options,
    pub(crate) now_ms: i64,
}

/// What one transaction did.
#[derive(Default)]
pub(crate) struct Done {
    /// Number up to which the file has what the journal had.
    pub(crate) moved: i64,
    /// Rows that were inserted.
    pub(crate) inserted: usize,
    /// Files of the journal that are damaged.
    pub(crate) damaged: Vec<PathBuf>,
    /// What the record has of deliveries with an event; `None` if it was not looked at.
    pub(crate) oldest: Option<Oldest>,
}

impl Store {
    /// The file at `path`, made when there is none.
    pub(crate) fn open(path: &Path) -> Result<Self, RecordError> {
        Ok(Self {
            db: open::to_write(path)?,
            path: path.to_owned(),
        })
    }

    /// Number of the last delivery that was moved into it.
    pub(crate) fn moved(&self) -> Result<i64, RecordError> {
        moved::read(&self.db).map_err(|source| RecordError::of(&self.path, source))
    }

    /// Ends what somebody was killed at who took an address out of the journal.
    pub(crate) fn finish_forgetting(&self) -> Result<(), RecordError> {
        if !journal::is_half_rewritten(&self.path) {
            return Ok(());
        }
        let finish = || -> Result<(), Failure> {
            let _transaction = begin(&self.db)?;
            journal::finish_rewriting(&self.path)?;
            Ok(())
        };
        finish().map_err(|failure| failure.of(&self.path))
    }

    /// Takes rows out of the journal, notes how many were lost on the way there, and removes what is too much or too
    /// old: in one transaction.
    pub(crate) fn take_in(&self, load: &Load<'_>) -> Result<Done, RecordError> {
        self.in_one_transaction(load)
            .map_err(|failure| failure.of(&self.path))
    }

    fn in_one_transaction(&self, load: &Load<'_>) -> Result<Done, Failure> {
        // The journal is read behind the lock: whoever takes an address out of it has the lock, too.
        let transaction = begin(&self.db)?;
        let before = totals::read(&transaction)?;
        let from = moved::read(&transaction)?;
        let max_age_ms = i64::try_from(load.options.max_age.as_millis()).unwrap_or(i64::MAX);
        let oldest_ms = load.now_ms.saturating_sub(max_age_ms);
        let mut intake = Intake {
            db: &transaction,
            path: &self.path,
            load,
            oldest_ms,
            all: before,
            later: load.pending.sums,
            buffer: Vec::new(),
            done: Done {
                moved: from,
                ..Done::default()
            },
        };
        for (path, last) in &load.pending.oldest {
            if !intake.file(path)? {
                break;
            }
            intake.miss(*last);
        }
        let Intake {
            mut all,
            mut done,
            later,
            ..
        } = intake;
        let most = REMOVED_AT_ONCE.max(done.inserted.saturating_mul(2));
        for class in Class::ALL {
            let sums = all.of_mut(class);
            sums.lost = sums.lost.saturating_add(bound(*load.lost.of(class)));
            let limits = load.options.limits(class);
            bounds::enforce(&transaction, class, sums, limits, oldest_ms, most)?;
        }
        done.oldest = Some(match bounds::oldest_ms(&transaction, Class::Verified)? {
            Some(ms) => Oldest::At(ms),
            None if later.verified.rows > 0 => Oldest::InTheJournal,
            None => Oldest::NoneAt(load.now_ms),
        });
        if all == before && done.moved == from {
            // Nothing was written, so nothing has to be.
            transaction.rollback()?;
            return Ok(done);
        }
        totals::write(&transaction, &all)?;
        moved::write(&transaction, done.moved)?;
        transaction.commit()?;
        Ok(done)
    }
}

/// A transaction under way.
struct Intake<'a> {
    db: &'a Connection,
    /// The record.
    path: &'a Path,
    load: &'a Load<'a>,
    oldest_ms: i64,
    all: PerClass<Totals>,
    /// What the journal has behind the row at hand.
    later: PerClass<Sums>,
    buffer: Vec<u8>,
    done: Done,
}

impl Intake<'_> {
    /// Takes what a file of the journal has; `false` if that was too much for this time.
    fn file(&mut self, path: &Path) -> Result<bool, Failure> {
        let Some(mut segment) = Segment::open(path)? else {
            return Ok(true);
        };
        let (frames, ending) = segment.frames()?;
        let mut is_damaged = ending == Ending::Foreign;
        for frame in frames {
            let header = &frame.header;
            if header.last() <= self.done.moved {
                self.later.remove(&header.sums);
                continue;
            }
            let mut buffer = std::mem::take(&mut self.buffer);
            let mut is_whole = segment.entries(&frame, &mut buffer)?;
            // Somebody may have been killed who wrote over it.
            if !is_whole && journal::finish_rewriting(self.path)? {
                is_whole = segment.entries(&frame, &mut buffer)?;
            }
            if is_whole {
                self.miss(header.first.saturating_sub(1));
                if !self.entries(header.first, &buffer)? {
                    return Ok(false);
                }
                self.done.moved = self.done.moved.max(header.last());
            } else {
                // Its facts may be wrong, too: nothing goes by its numbers.
                is_damaged = true;
                self.later.remove(&header.sums);
            }
            self.buffer = buffer;
        }
        if is_damaged {
            tell_damage(path);
            self.done.damaged.push(path.to_owned());
        }
        Ok(true)
    }

    /// Goes on behind this number. Numbers follow each other: what is not there was damaged, or removed. Nobody knows who
    /// sent it. Before a file has its first row, it begins with whatever number it is given.
    fn miss(&mut self, number: i64) {
        let moved = self.done.moved;
        if moved > 0 && number > moved {
            let lost = &mut self.all.verified.lost;
            *lost = lost.saturating_add(number - moved);
        }
        self.done.moved = moved.max(number);
    }

    /// Takes the entries of a frame; `false` if these were too many for this time.
    fn entries(&mut self, first: i64, bytes: &[u8]) -> Result<bool, Failure> {
        for (number, bytes) in (first..).zip(entries(bytes)) {
            let Some(mut entry) = Entry::decode(bytes) else {
                continue;
            };
            let class = entry.class();
            let own = entry.sums();
            if number <= self.done.moved {
                self.later.of_mut(class).remove(own);
                continue;
            }
            let limits = self.load.options.limits(class);
            let mut with_later = *self.later.of(class);
            with_later.bytes = with_later.bytes.max(own.bytes);
            let stays = entry.arrived_ms >= self.oldest_ms && is_within(with_later, limits);
            if stays {
                if self.done.inserted >= self.load.rows {
                    return Ok(false);
                }
                // A body that would go at once is not inserted either.
                if with_later.body_bytes.max(own.body_bytes) > limits.body_bytes {
                    entry.body_start = None;
                }
                self.insert(number, &entry)?;
                self.done.inserted += 1;
            }
            self.later.of_mut(class).remove(own);
            self.done.moved = number;
        }
        Ok(true)
    }

    fn insert(&mut self, number: i64, entry: &Entry<'_>) -> rusqlite::Result<()> {
        let class = entry.class();
        let bytes = length(entry.bytes());
        self.db.prepare_cached(INSERT)?.execute(params![
            number,
            class.number(),
            entry.arrived_ms,
            bytes,
            entry.status,
            entry.flags,
            entry.body_bytes,
            entry.elapsed_us,
            entry.queue_us,
            entry.outcome,
            entry.source,
            entry.event_id,
            entry.event_type,
            entry.subject,
            entry.project,
            entry.delivery_id,
            entry.verified_by,
            entry.client,
            entry.body_sha256().as_deref(),
            entry.method,
            entry.path,
            entry.reason,
            entry.head,
        ])?;
        let sums = self.all.of_mut(class);
        sums.deliveries += 1;
        sums.bytes += bytes;
        if let Some(start) = entry.body_start {
            self.db
                .prepare_cached("INSERT INTO bodies(number, class, start) VALUES (?1, ?2, ?3)")?
                .execute((number, class.number(), start))?;
            sums.body_bytes += length(start.len());
        }
        Ok(())
    }
}

/// Tells whether a row is within its bounds, with all that came after it. One that is not would go at once.
const fn is_within(with_later: Sums, limits: &Limits) -> bool {
    with_later.rows <= limits.deliveries && with_later.bytes <= limits.bytes
}

#[cfg(test)]
mod tests;
