//! Follows a queue file and writes what it reads.
//!
//! A batch is begun in the queue's file before anything of it is written, and ended there once all of it is. So a feeder that
//! was ended in between writes the same batch again: the same names, the same bytes.

use crate::archive::Archive;
use crate::batch::Batch;
use crate::error::ArchiveError;
use crate::gap::{Gap, Reason};
use labelrelay_local::{ArchiveMark, FileError, Filter, QueueFile};
use std::time::Duration;

/// Size of a batch. Whatever reaches one of them first ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Events.
    pub events: usize,
    /// Bytes of envelopes. They are in memory.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            events: 20_000,
            bytes: 16 * 1024 * 1024,
        }
    }
}

/// Result of a step.
#[derive(Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// Events that are in the archive now.
    pub events: u64,
    /// `true` if more of them wait.
    pub more: bool,
    /// Events that will never be there.
    pub gaps: Vec<Gap>,
}

/// Writes the events of one queue file into one archive. Blocks while it reads the queue.
#[derive(Debug)]
pub struct Feeder {
    file: QueueFile,
    archive: Archive,
    mark: ArchiveMark,
    limits: Limits,
}

/// What was read for a batch.
struct Read {
    batch: Batch,
    more: bool,
    /// First and last numbers of what could not be read.
    damaged: Vec<(u64, u64)>,
}

impl Feeder {
    /// Goes on where the last feeder of this queue file and this archive ended, or begins with the first event that is
    /// held. From now on, the queue keeps what is not in the archive for `hold` longer than other events. `writer` is the
    /// name to take where there is none: it has to be random.
    ///
    /// # Errors
    /// [`ArchiveError`] when the queue file cannot be written.
    pub fn begin(
        file: QueueFile,
        archive: Archive,
        limits: Limits,
        hold: Duration,
        writer: u64,
    ) -> Result<Self, ArchiveError> {
        let mark = file.begin_archive(archive.id(), writer, hold)?;
        Ok(Self {
            file,
            archive,
            mark,
            limits,
        })
    }

    /// Events that wait to be written, about.
    ///
    /// # Errors
    /// [`ArchiveError`] when the queue file cannot be read.
    pub fn behind(&self) -> Result<u64, ArchiveError> {
        Ok(self.file.behind_archive()?)
    }

    /// Writes the next batch. After an error, the next step does the same again.
    ///
    /// # Errors
    /// [`ArchiveError`]. After [`ArchiveError::Taken`], [`rename`](Self::rename) lets it go on.
    pub async fn step(&mut self) -> Result<Step, ArchiveError> {
        let mut step = Step::default();
        self.tell_lost(&mut step).await?;
        let Some(Read {
            batch,
            more,
            damaged,
        }) = self.read()?
        else {
            return Ok(step);
        };
        let first = self.mark.through.saturating_add(1);
        if self.mark.batch.is_none() {
            self.file.begin_archive_batch(batch.last)?;
            self.mark.batch = Some(batch.last);
        }
        for (segment, lines) in batch.files(self.mark.writer, first) {
            self.archive.write(&segment, lines).await?;
        }
        let unreadable = batch.unreadable.iter().map(|number| (*number, *number));
        for range in damaged.into_iter().chain(unreadable) {
            let gap = Gap::new(self.mark.writer, range, None, Reason::Damaged);
            self.archive.note(&gap).await?;
            step.gaps.push(gap);
        }
        self.file.end_archive_batch(batch.last)?;
        self.mark.through = batch.last;
        self.mark.batch = None;
        step.events = batch.events as u64;
        step.more = more;
        Ok(step)
    }

    /// Takes another name, because somebody else writes under this one. The batch that was begun is written once more.
    ///
    /// # Errors
    /// [`ArchiveError`] when the queue file cannot be written.
    pub fn rename(&mut self, writer: u64) -> Result<(), ArchiveError> {
        self.file.rename_archive_writer(writer)?;
        self.mark.writer = writer;
        Ok(())
    }

    /// Notes what the queue removed before it could be written.
    async fn tell_lost(&self, step: &mut Step) -> Result<(), ArchiveError> {
        let Some(lost) = self.file.lost_to_archive()? else {
            return Ok(());
        };
        let range = (lost.first, lost.last);
        let gap = Gap::new(self.mark.writer, range, Some(lost.events), Reason::Pruned);
        self.archive.note(&gap).await?;
        // More may be lost by now: then all of it is told next time.
        self.file.forget_lost_to_archive(lost)?;
        step.gaps.push(gap);
        Ok(())
    }

    /// Reads the batch that was begun, or the next one.
    fn read(&self) -> Result<Option<Read>, FileError> {
        let mut read = Read {
            batch: Batch::default(),
            more: false,
            damaged: Vec::new(),
        };
        let filter = Filter {
            after: Some(self.mark.through),
            ..Filter::default()
        };
        let mut before = self.mark.through;
        let mut is_damaged = false;
        for stored in self.file.export(filter) {
            let stored = match stored {
                Err(FileError::Damaged { .. }) => {
                    is_damaged = true;
                    continue;
                }
                other => other?,
            };
            let number = stored.event.seq;
            let is_full = match self.mark.batch {
                Some(last) => number > last,
                None => {
                    read.batch.events >= self.limits.events || read.batch.bytes >= self.limits.bytes
                }
            };
            if is_full {
                read.more = true;
                break;
            }
            // What cannot be read is missing as soon as something behind it was read.
            if std::mem::take(&mut is_damaged) && number > before + 1 {
                read.damaged.push((before + 1, number - 1));
            }
            before = number;
            read.batch
                .add(number, stored.event.received_ms, stored.envelope);
        }
        if let Some(last) = self.mark.batch
            && is_damaged
            && last > before
        {
            read.damaged.push((before + 1, last));
        }
        match self.mark.batch {
            // The batch is named after its last event, which may be damaged by now.
            Some(last) => read.batch.last = last,
            None if read.batch.last == 0 => return Ok(None),
            None => {}
        }
        Ok(Some(read))
    }
}
