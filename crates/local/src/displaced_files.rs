//! Check that the files of a queue are still where, and what, they were when they were opened.
//!
//! `SQLite` goes on writing into a file that was removed, moved or replaced, and everything that is written
//! there is lost with the process. So who answers for what it wrote looks at the names: device and inode of
//! each, the number of names of the file, and that neither file nor journal has become shorter, or has new holes.
//! By `stat` alone: opening and closing the file here would drop `SQLite`'s locks of this process, for that is how
//! POSIX locks work. What became shorter is judged by what is in it: see `cut_off_files`.
//!
//! A file that is put back is good again, for nothing was written meanwhile; one that was cut off is not.

use crate::canonical_path::beside;
use crate::cut_off_files::{self, Holes, KnownHoles, Verdict, free_bytes, hole_bytes};
use crate::displaced_error::{Displaced, Role};
use rusqlite::Connection;
use std::cell::{Cell, OnceCell};
use std::fs::{File, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    fn of(file: &Metadata) -> Self {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            Self {
                device: file.dev(),
                inode: file.ino(),
            }
        }
        #[cfg(not(unix))]
        {
            let _ = file;
            Self {
                device: 0,
                inode: 0,
            }
        }
    }
}

/// One name, and which file it led to first.
#[derive(Debug)]
struct KnownFile {
    role: Role,
    path: PathBuf,
    identity: OnceCell<Identity>,
}

impl KnownFile {
    fn new(role: Role, database: &Path, end: &str) -> Self {
        let path = beside(database, end);
        let identity = OnceCell::new();
        if let Ok(file) = path.metadata() {
            let _ = identity.set(Identity::of(&file));
        }
        Self {
            role,
            path,
            identity,
        }
    }

    fn check(&self) -> Result<Metadata, Displaced> {
        let (role, path) = (self.role, || self.path.clone());
        let file = self.path.metadata().map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => {
                Displaced::Gone { role, path: path() }
            }
            _ => Displaced::Unseen {
                path: path(),
                why: error.to_string(),
            },
        })?;
        let now = Identity::of(&file);
        if *self.identity.get_or_init(|| now) != now {
            return Err(Displaced::Replaced { role, path: path() });
        }
        Ok(file)
    }
}

/// The files of a queue that is open in this process.
#[derive(Debug)]
pub(crate) struct QueueFiles {
    database: KnownFile,
    journal: KnownFile,
    index: KnownFile,
    lock: Option<KnownFile>,
    /// The path that was asked for, where it goes through links.
    configured: Option<PathBuf>,
    /// The index never becomes shorter.
    index_bytes: Cell<u64>,
    /// Lengths of file and journal below which they have to be judged.
    file_bytes: Cell<u64>,
    journal_bytes: Cell<u64>,
    page_bytes: u64,
    /// Holes of the file: if it has more, they have to be judged; `None` where they tell nothing.
    holes: Cell<Option<KnownHoles>>,
    cut_off: OnceCell<Displaced>,
}

impl QueueFiles {
    /// Remembers the files of a queue that `db` has just opened and read.
    pub(crate) fn of(path: &Path, db: &Connection, lock: Option<&File>) -> rusqlite::Result<Self> {
        let lock = lock.map(|file| {
            let mut known = KnownFile::new(Role::Lock, path, ".lock");
            // By the lock that is held, not by what has its name by now.
            if let Ok(held) = file.metadata() {
                known.identity = OnceCell::from(Identity::of(&held));
            }
            known
        });
        let page_bytes: i64 = db.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let database = KnownFile::new(Role::Database, path, "");
        let file = database.path.metadata().ok();
        let bytes = file.as_ref().map_or(0, Metadata::len);
        let holes = KnownHoles {
            bytes: file.as_ref().map_or(0, hole_bytes),
            file_bytes: bytes,
        };
        let free = free_bytes(db, page_bytes.cast_unsigned(), bytes)?;
        let are_explained = holes.bytes <= free;
        Ok(Self {
            database,
            journal: KnownFile::new(Role::Journal, path, "-wal"),
            index: KnownFile::new(Role::JournalIndex, path, "-shm"),
            lock,
            configured: None,
            index_bytes: Cell::new(0),
            file_bytes: Cell::new(bytes),
            journal_bytes: Cell::new(0),
            page_bytes: page_bytes.cast_unsigned(),
            holes: Cell::new(are_explained.then_some(holes)),
            cut_off: OnceCell::new(),
        })
    }

    /// Watches as well where the path leads that was asked for: consumers go by that one.
    pub(crate) fn asked_for(mut self, path: &Path) -> Self {
        let absolute = std::path::absolute(path).ok();
        self.configured = absolute.filter(|path| *path != self.database.path);
        self
    }

    /// Notes that a commit left the journal with so many pages.
    pub(crate) fn committed(&self, journal_pages: u32) {
        self.journal_bytes.set(cut_off_files::journal_bytes(
            journal_pages.into(),
            self.page_bytes,
        ));
    }

    /// Checks that others find the files that were written into.
    pub(crate) fn check(&self, db: &Connection) -> Result<(), Displaced> {
        if let Some(cut_off) = self.cut_off.get() {
            return Err(cut_off.clone());
        }
        let file = self.database.check()?;
        #[cfg(unix)]
        {
            let names = std::os::unix::fs::MetadataExt::nlink(&file);
            if names > 1 && self.lock.is_some() {
                return Err(Displaced::Linked {
                    path: self.database.path.clone(),
                    names,
                });
            }
        }
        if let Some(lock) = &self.lock {
            lock.check()?;
        }
        if let Some(configured) = &self.configured
            && !configured
                .metadata()
                .is_ok_and(|its| Identity::of(&its) == Identity::of(&file))
        {
            return Err(Displaced::Elsewhere {
                configured: configured.clone(),
                path: self.database.path.clone(),
            });
        }
        // Before `SQLite` looks into its memory, which is this file: what is cut off there ends the process.
        let index = self.index.check()?.len();
        if index < self.index_bytes.get() {
            let path = self.index.path.clone();
            let found = Displaced::IndexCutOff { path };
            return Err(self.cut_off.get_or_init(|| found).clone());
        }
        self.index_bytes.set(index);
        // Last: who learns that it is gone knows that the rest is there.
        let journal = self.journal.check()?;
        if file.len() < self.file_bytes.get() || journal.len() < self.journal_bytes.get() {
            return self.judge(db);
        }
        self.file_bytes.set(file.len());
        match self.holes.get() {
            Some(known) if hole_bytes(&file) > known.bytes => self.judge_holes(db, known),
            Some(known) => {
                let file_bytes = file.len();
                self.holes.set(Some(KnownHoles {
                    file_bytes,
                    ..known
                }));
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// The file has more holes than before: it may have been cut off and be long again.
    fn judge_holes(&self, db: &Connection, known: KnownHoles) -> Result<(), Displaced> {
        let (path, journal) = (&self.database.path, &self.journal.path);
        match cut_off_files::judge_holes(db, path, journal, self.page_bytes, known) {
            Ok(Holes::Explained(holes)) => self.holes.set(Some(holes)),
            Ok(Holes::Unknown) => self.holes.set(None),
            Ok(Holes::OfContent) => {
                let path = path.clone();
                let found = || Displaced::Holes { path };
                return Err(self.cut_off.get_or_init(found).clone());
            }
            Err(undecided) => {
                return Err(Displaced::Undecided {
                    path: path.clone(),
                    why: undecided.to_string(),
                });
            }
        }
        Ok(())
    }

    /// One became shorter. What is found to be cut off stays so, whatever its length is later.
    fn judge(&self, db: &Connection) -> Result<(), Displaced> {
        let (database, journal) = (&self.database.path, &self.journal.path);
        let cut_off = match cut_off_files::judge(db, database, journal, self.page_bytes) {
            Ok(Verdict::Whole {
                file_bytes,
                journal_bytes,
            }) => {
                self.file_bytes.set(file_bytes);
                self.journal_bytes.set(journal_bytes);
                self.holes.set(self.holes.get().map(|holes| KnownHoles {
                    // It grows anew from here.
                    file_bytes: holes.file_bytes.min(file_bytes),
                    ..holes
                }));
                return Ok(());
            }
            Ok(Verdict::FileCutOff) => database,
            Ok(Verdict::JournalCutOff) => journal,
            Err(undecided) => {
                return Err(Displaced::Undecided {
                    path: database.clone(),
                    why: undecided.to_string(),
                });
            }
        };
        let found = || Displaced::Shorter {
            path: cut_off.clone(),
            bytes: cut_off.metadata().map_or(0, |file| file.len()),
        };
        Err(self.cut_off.get_or_init(found).clone())
    }

    /// Tells whether only the journal has lost its name, and nothing has taken it: then this process is the last one
    /// that holds it, and can move what is in it into the file.
    pub(crate) fn only_the_journal_is_gone(displaced: &Displaced) -> bool {
        matches!(
            displaced,
            Displaced::Gone {
                role: Role::Journal,
                path
            } if path.parent().is_some_and(Path::is_dir)
        )
    }

    /// Bytes of the file and its journal.
    pub(crate) fn bytes(&self) -> u64 {
        [&self.database, &self.journal]
            .iter()
            .filter_map(|known| known.path.metadata().ok())
            .map(|file| file.len())
            .sum()
    }

    /// Something that was cut off was found. What is left of it must not be moved into the file.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.cut_off.get().is_some()
    }
}
