//! The journal: deliveries as they were answered, in files beside the record, until they are moved into it.
//!
//! One write a group is all that a delivery costs here. A file is written at its end alone, by one thread, and removed
//! once all of it was moved. Numbers are given here, and the record knows the last one that it has: so no delivery is
//! moved twice, whenever a process ends.

mod directory;
mod frame;
pub(crate) mod name;
mod overwrite;
mod prepared;
mod segment;
mod tail;

pub(crate) use frame::HEADER_BYTES;
pub(crate) use overwrite::rewrite;
#[cfg(test)]
pub(crate) use prepared::stop_after;
pub(crate) use segment::{Ending, Segment};
pub(crate) use tail::Tail;

use crate::class::PerClass;
use crate::error::RecordError;
use crate::sums::Sums;
use directory::beside;
use frame::seal;
use segment::BEGINNING;
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// A file that is this long is followed by another: what was moved goes file by file, and a reader of the newest
/// deliveries reads one.
const SEGMENT_BYTES: u64 = 8 * 1024 * 1024;

/// After so many files, each of the next may be twice as long: a journal that waits for long has a few dozen files, however
/// much it holds, and whoever reads it has all of them open.
const DOUBLED_AFTER: usize = 4;

/// The name of a file that was damaged, once its good part was moved.
const DAMAGED: &str = "damaged";

/// A file that holds these numbers.
#[derive(Debug, Clone)]
struct Written {
    path: PathBuf,
    last: i64,
    bytes: u64,
    sums: PerClass<Sums>,
    is_damaged: bool,
}

/// What there is to move.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pending {
    /// The oldest files, each with its last number.
    pub(crate) oldest: Vec<(PathBuf, i64)>,
    /// Sums over all files.
    pub(crate) sums: PerClass<Sums>,
    /// Bytes of all files.
    pub(crate) bytes: u64,
    /// The last number that a process before this one left.
    pub(crate) left: i64,
}

/// The journal, for the one thread that writes it.
#[derive(Debug)]
pub(crate) struct Journal {
    dir: PathBuf,
    /// The oldest first.
    files: VecDeque<Written>,
    /// The last of them, while something may follow in it.
    open: Option<File>,
    /// Number of the next delivery.
    next: i64,
    /// The last number that a process before this one left.
    left: i64,
}

impl Journal {
    /// The journal beside the record in the file `record`, which has everything up to the delivery `moved`.
    pub(crate) fn open(record: &Path, moved: i64) -> Result<Self, RecordError> {
        let dir = beside(record);
        let cannot = |source| RecordError::Journal {
            path: record.to_owned(),
            source,
        };
        match dir.symlink_metadata() {
            Ok(about) if !about.is_dir() => {
                return Err(RecordError::Foreign {
                    path: dir,
                    what: "the journal beside a record is a directory".to_owned(),
                });
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(cannot(error)),
        }
        labelrelay_files::private_dir(&dir).map_err(cannot)?;
        let mut files = VecDeque::new();
        for (first, path) in list(&dir).map_err(cannot)? {
            files.extend(written(first, path).map_err(cannot)?);
        }
        if files.is_empty() {
            // Its numbers may begin anew.
            name::remove_in(&dir).map_err(cannot)?;
        }
        let last = files.back().map_or(0, |written: &Written| written.last);
        let left = last.max(moved);
        let mut journal = Self {
            dir,
            files,
            open: None,
            next: left.saturating_add(1),
            left,
        };
        journal.retire(moved);
        Ok(journal)
    }

    /// Writes a frame, whose first bytes are free for its facts.
    pub(crate) fn append(&mut self, frame: &mut [u8], sums: &PerClass<Sums>) -> io::Result<()> {
        // One that somebody removed is read by nobody.
        if self
            .files
            .back()
            .is_none_or(|written| !written.path.exists())
        {
            self.open = None;
        }
        if self.open.is_none() {
            self.begin_file()?;
        }
        let most = segment_bytes(self.files.len());
        let (Some(file), Some(written)) = (&mut self.open, self.files.back_mut()) else {
            return Err(io::Error::other("the journal has no file"));
        };
        seal(frame, self.next, sums);
        if let Err(error) = file.write_all(frame) {
            // Half a frame ends its file: the next one begins another. Where nothing is in it, its name is free.
            self.open = None;
            let _ = fs::OpenOptions::new()
                .write(true)
                .open(&written.path)
                .and_then(|file| file.set_len(written.bytes));
            if written.sums.rows() == 0 {
                let _ = fs::remove_file(&written.path);
                self.files.pop_back();
            }
            return Err(error);
        }
        let rows = i64::try_from(sums.rows()).unwrap_or(i64::MAX);
        self.next = self.next.saturating_add(rows);
        written.last = self.next - 1;
        written.bytes += frame.len() as u64;
        written.sums.add(sums);
        if written.bytes >= most {
            self.open = None;
        }
        Ok(())
    }

    fn begin_file(&mut self) -> io::Result<()> {
        labelrelay_files::private_dir(&self.dir)?;
        let path = self.dir.join(format!("{:016x}", self.next));
        let mut file = labelrelay_files::private_file(&path)?;
        if let Err(error) = file.write_all(&BEGINNING) {
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        self.open = Some(file);
        self.files.push_back(Written {
            path,
            last: self.next - 1,
            bytes: BEGINNING.len() as u64,
            sums: PerClass::default(),
            is_damaged: false,
        });
        Ok(())
    }

    /// What there is to move.
    pub(crate) fn pending(&self) -> Pending {
        let oldest = self.files.iter().take(2);
        Pending {
            oldest: oldest.map(|it| (it.path.clone(), it.last)).collect(),
            sums: self.sums(),
            bytes: self.bytes(),
            left: self.left,
        }
    }

    /// Sums over all files.
    pub(crate) fn sums(&self) -> PerClass<Sums> {
        let mut sums = PerClass::<Sums>::default();
        for written in &self.files {
            sums.add(&written.sums);
        }
        sums
    }

    /// Bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|written| written.bytes).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Tells whether there are files before the newest.
    pub(crate) fn has_older(&self) -> bool {
        self.files.len() > 1
    }

    /// Removes the files of which the record has everything, up to the delivery `moved`.
    pub(crate) fn retire(&mut self, moved: i64) {
        while self
            .files
            .front()
            .is_some_and(|oldest| oldest.last <= moved)
        {
            self.remove_oldest();
        }
    }

    /// Removes the oldest file, whatever is in it, and says what that was.
    pub(crate) fn remove_oldest(&mut self) -> PerClass<Sums> {
        let Some(oldest) = self.files.pop_front() else {
            return PerClass::default();
        };
        if self.files.is_empty() {
            self.open = None;
        }
        // One that stays is found at the next start, and has nothing that the record does not have.
        let _ = if oldest.is_damaged {
            fs::rename(&oldest.path, self.dir.join(DAMAGED))
        } else {
            fs::remove_file(&oldest.path)
        };
        oldest.sums
    }

    /// Removes everything. Numbers begin anew then, and so do the names of files.
    pub(crate) fn discard(&mut self) {
        while !self.is_empty() {
            self.remove_oldest();
        }
        prepared::remove_in(&self.dir);
    }

    /// Nothing is written any more: an empty directory goes.
    pub(crate) fn close(&mut self) {
        self.open = None;
        if self.is_empty() {
            let _ = name::remove_in(&self.dir);
            // It stays while a damaged file is in it.
            let _ = fs::remove_dir(&self.dir);
        }
    }

    /// Keeps a damaged file, once its good part was moved.
    pub(crate) fn keep_damaged(&mut self, path: &Path) {
        for written in &mut self.files {
            written.is_damaged |= written.path == path;
        }
    }
}

/// The length from which on the last of so many files is followed by another.
fn segment_bytes(files: usize) -> u64 {
    SEGMENT_BYTES << (files.saturating_sub(1) / DOUBLED_AFTER).min(16)
}

/// Tells whether somebody may have been stopped while a group of the journal was written over.
pub(crate) fn is_half_rewritten(record: &Path) -> bool {
    prepared::is_there(&beside(record))
}

/// Writes again what somebody was stopped at; `true` if there was something. The caller has the record's lock, as whoever
/// [rewrites](rewrite) has.
pub(crate) fn finish_rewriting(record: &Path) -> io::Result<bool> {
    prepared::finish(&beside(record))
}

/// The files of the journal beside the record in the file `record`, each with the first number in it, the oldest first.
pub(crate) fn list_beside(record: &Path) -> io::Result<Vec<(i64, PathBuf)>> {
    list(&beside(record))
}

fn list(dir: &Path) -> io::Result<Vec<(i64, PathBuf)>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.filter(|name| name.len() == 16);
        let first = name.and_then(|name| i64::from_str_radix(name, 16).ok());
        files.extend(first.map(|first| (first, path)));
    }
    files.sort_unstable();
    Ok(files)
}

/// What a process before this one wrote; `None` where that is nothing that can be read.
fn written(first: i64, path: PathBuf) -> io::Result<Option<Written>> {
    let Some(mut segment) = Segment::open(&path)? else {
        return Ok(None);
    };
    let (frames, ending) = segment.frames()?;
    let mut written = Written {
        bytes: path.metadata()?.len(),
        last: first.saturating_sub(1),
        sums: PerClass::default(),
        is_damaged: ending == Ending::Foreign,
        path,
    };
    let mut buffer = Vec::new();
    for frame in &frames {
        // The facts of a frame are true if its checksum is: a wrong number would be the next one's, too.
        if segment.entries(frame, &mut buffer)? {
            written.sums.add(&frame.header.sums);
            written.last = frame.header.last();
        } else {
            written.is_damaged = true;
        }
    }
    if written.sums.rows() > 0 {
        return Ok(Some(written));
    }
    // Its name may be needed again.
    if written.is_damaged {
        tell_damage(&written.path);
        fs::rename(&written.path, written.path.with_file_name(DAMAGED))?;
    } else {
        fs::remove_file(&written.path)?;
    }
    Ok(None)
}

/// Names a damaged file.
pub(crate) fn tell_damage(path: &Path) {
    tracing::error!(name: "record_journal_damaged", file = %path.display(), set_aside = %path.with_file_name(DAMAGED).display(), "a file of the record's journal was damaged, by a loss of power, by its disk or by another program; what can be read of it is moved into the record, and the file is set aside");
}

#[cfg(test)]
mod tests;
