//! Takes deliveries out of the journal, for whatever they are moved into.

use crate::class::PerClass;
use crate::entry::{Entry, entries};
use crate::error::Failure;
use crate::journal::{self, Ending, Pending, Segment, tell_damage};
use crate::needed::Oldest;
use crate::options::{Limits, Options};
use crate::sums::Sums;
use std::path::{Path, PathBuf};

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

impl Load<'_> {
    /// What came before this moment is too old.
    pub(crate) fn oldest_ms(&self) -> i64 {
        let max_age_ms = i64::try_from(self.options.max_age.as_millis()).unwrap_or(i64::MAX);
        self.now_ms.saturating_sub(max_age_ms)
    }
}

/// What one transaction did.
#[derive(Default)]
pub(crate) struct Done {
    /// Number up to which the record has what the journal had.
    pub(crate) moved: i64,
    /// Rows that were inserted.
    pub(crate) inserted: usize,
    /// Files of the journal that are damaged.
    pub(crate) damaged: Vec<PathBuf>,
    /// What the record has of deliveries with an event; `None` if it was not looked at.
    pub(crate) oldest: Option<Oldest>,
}

/// Takes rows.
pub(crate) trait Sink {
    /// Tells whether another row may come.
    fn has_room(&self) -> bool {
        true
    }

    /// Takes one.
    fn insert(&mut self, number: i64, entry: &Entry<'_>) -> Result<(), Failure>;
}

/// A walk through the journal.
pub(crate) struct Intake<'a, S> {
    pub(crate) sink: S,
    /// The record.
    path: &'a Path,
    load: &'a Load<'a>,
    oldest_ms: i64,
    /// What the journal has behind the row at hand.
    pub(crate) later: PerClass<Sums>,
    buffer: Vec<u8>,
    /// `true` if numbers are known to begin with 1.
    is_from_one: bool,
    /// Deliveries whose numbers are not there.
    pub(crate) missed: i64,
    pub(crate) done: Done,
}

impl<'a, S: Sink> Intake<'a, S> {
    /// Begins behind the delivery `moved`, the last one that the record has.
    pub(crate) fn new(sink: S, path: &'a Path, load: &'a Load<'a>, moved: i64) -> Self {
        Self {
            sink,
            path,
            load,
            oldest_ms: load.oldest_ms(),
            later: load.pending.sums,
            buffer: Vec::new(),
            is_from_one: false,
            missed: 0,
            done: Done {
                moved,
                ..Done::default()
            },
        }
    }

    /// Counts what is missing before the first delivery, too, where nothing was moved yet.
    pub(crate) fn counting_from_one(self, is_from_one: bool) -> Self {
        Self {
            is_from_one,
            ..self
        }
    }

    /// Goes through the journal, as far as it is meant to go this time.
    pub(crate) fn run(mut self) -> Result<Self, Failure> {
        let load = self.load;
        for (path, last) in &load.pending.oldest {
            if !self.file(path)? {
                break;
            }
            self.miss(*last);
        }
        Ok(self)
    }

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
        if (moved > 0 || self.is_from_one) && number > moved {
            self.missed = self.missed.saturating_add(number - moved);
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
                if self.done.inserted >= self.load.rows || !self.sink.has_room() {
                    return Ok(false);
                }
                // A body that would go at once is not inserted either.
                if with_later.body_bytes.max(own.body_bytes) > limits.body_bytes {
                    entry.body_start = None;
                }
                self.sink.insert(number, &entry)?;
                self.done.inserted += 1;
            }
            self.later.of_mut(class).remove(own);
            self.done.moved = number;
        }
        Ok(true)
    }
}

/// Tells whether a row is within its bounds, with all that came after it. One that is not would go at once.
const fn is_within(with_later: Sums, limits: &Limits) -> bool {
    with_later.rows <= limits.deliveries && with_later.bytes <= limits.bytes
}
