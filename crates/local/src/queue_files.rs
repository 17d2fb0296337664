//! Whether the files of a queue are still where, and what, they were when they were opened.
//!
//! `SQLite` goes on writing into a file that was removed, moved or replaced, and everything that is written
//! there is lost with the process. So who answers for what it wrote looks at the names: device and inode of
//! each, the number of names of the file, and that neither file nor journal has become shorter than what
//! is in it. By `stat` alone: opening and closing the file here would drop `SQLite`'s locks of this process,
//! for that is how POSIX locks work.
//!
//! A file that is put back is good again, for nothing was written meanwhile; one that was cut off is not.

use rusqlite::Connection;
use std::cell::{Cell, OnceCell};
use std::fs::{File, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Bytes before the journal's first page, and before each page of it.
const JOURNAL_HEAD: u64 = 32;
const FRAME_HEAD: u64 = 24;

/// Role of a file in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Database,
    Journal,
    JournalIndex,
    Lock,
}

/// Why nothing can be answered for any more.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Displaced {
    #[error("{}", gone(*.role, path))]
    Gone { role: Role, path: PathBuf },
    #[error("{}", replaced(*.role, path))]
    Replaced { role: Role, path: PathBuf },
    #[error("{} has {names} names (hard links) now, and through another one it would be damaged: remove the others (`find -samefile` shows them); nothing is stored until then", path.display())]
    Linked { path: PathBuf, names: u64 },
    #[error("{} was cut off while it was in use, to {bytes} bytes, and events in it are damaged or lost: stop `serve`, move the file away together with what begins with its name (`labelrelay queue export` may still read it), put a backup in its place if there is one, and start `serve` again", path.display())]
    Shorter { path: PathBuf, bytes: u64 },
    #[error("{} cannot be looked at ({why}): see that its directory may be read and its disk works", path.display())]
    Unseen { path: PathBuf, why: String },
}

fn gone(role: Role, path: &Path) -> String {
    let here = path.parent().is_some_and(Path::is_dir);
    let shown = path.display();
    match role {
        _ if !here => format!(
            "the directory of {shown} was removed or moved away while the queue was in use: put it back with all that was in it, or start `serve` again, which refuses what has no directory; nothing is stored until then"
        ),
        Role::Database => format!(
            "the queue file {shown} was removed or moved away while it was in use: put it back (that file itself, no copy), or start `serve` again, which makes a new one; nothing is stored until then"
        ),
        Role::Journal => format!(
            "{shown}, the newest part of the queue, was removed or moved away while it was in use: stop `serve` with SIGTERM, so that what it still holds gets into the queue file, and start it again; nothing is stored until then"
        ),
        Role::JournalIndex => format!(
            "{shown} was removed or moved away while the queue was in use, so programs would no longer see each other's changes: stop `serve` with SIGTERM, end the other programs that use the queue, and start `serve` again; nothing is stored until then"
        ),
        Role::Lock => format!(
            "{shown} was removed or moved away, so another `serve` may own the queue as well: stop that one if there is one, and start `serve` again; nothing is stored until then"
        ),
    }
}

fn replaced(role: Role, path: &Path) -> String {
    let shown = path.display();
    let what = match role {
        Role::Database => "is another file now than the queue that is in use",
        Role::Journal => "is another file now than the one that holds the newest part of the queue",
        Role::JournalIndex => {
            "is another file now than the one by which programs see each other's changes"
        }
        Role::Lock => {
            "is another file now, so another `serve` may own the queue as well; stop that one if there is one"
        }
    };
    format!(
        "{shown} {what}: put the first one back, or stop `serve` with SIGTERM and start it again, which then uses what is there; nothing is stored until then"
    )
}

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
        let mut path = database.as_os_str().to_owned();
        path.push(end);
        let path = PathBuf::from(path);
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
    /// Shortest that file and journal may be.
    file_bytes: Cell<u64>,
    journal_bytes: Cell<u64>,
    page_bytes: u64,
    /// Something was committed since the file was opened, so `SQLite` knows how many pages it has by more
    /// than its length.
    committed: Cell<bool>,
    version: i64,
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
        let number = |sql| db.query_row(sql, [], |row| row.get::<_, i64>(0));
        let database = KnownFile::new(Role::Database, path, "");
        let bytes = database.path.metadata().map_or(0, |file| file.len());
        Ok(Self {
            database,
            journal: KnownFile::new(Role::Journal, path, "-wal"),
            index: KnownFile::new(Role::JournalIndex, path, "-shm"),
            lock,
            file_bytes: Cell::new(bytes),
            journal_bytes: Cell::new(0),
            page_bytes: number("PRAGMA page_size")?.cast_unsigned(),
            committed: Cell::new(false),
            version: number("PRAGMA data_version")?,
            cut_off: OnceCell::new(),
        })
    }

    /// Notes that a commit left the journal with so many pages.
    pub(crate) fn committed(&self, journal_pages: u32) {
        self.committed.set(true);
        self.journal_bytes
            .set(self.journal_of(journal_pages.into()));
    }

    /// Whether what was written into the files is in the files that others find.
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
        self.index.check()?;
        // Last: who learns that it is gone knows that the rest is there.
        let journal = self.journal.check()?;
        let shorter = |known: &KnownFile, bytes| Displaced::Shorter {
            path: known.path.clone(),
            bytes,
        };
        let found = if file.len() < self.file_bytes.get() && !self.may_be_shorter(db, file.len()) {
            shorter(&self.database, file.len())
        } else if journal.len() < self.journal_bytes.get()
            && !self.journal_may_be_shorter(db, journal.len())
        {
            shorter(&self.journal, journal.len())
        } else {
            self.file_bytes.set(file.len());
            return Ok(());
        };
        Err(self.cut_off.get_or_init(|| found).clone())
    }

    /// Whether only the journal has lost its name, and nothing has taken it: then this process is the last
    /// one that holds it, and can move what is in it into the file.
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

    /// Somebody may have made the file smaller by `VACUUM`; `SQLite` knows then that it has fewer pages.
    fn may_be_shorter(&self, db: &Connection, bytes: u64) -> bool {
        let number = |sql| db.query_row(sql, [], |row| row.get::<_, i64>(0));
        let look = || -> rusqlite::Result<bool> {
            let pages = number("PRAGMA page_count")?.cast_unsigned();
            let known = self.committed.get() || number("PRAGMA data_version")? != self.version;
            Ok(known && pages > 0 && bytes >= pages.saturating_mul(self.page_bytes))
        };
        look().unwrap_or(false)
    }

    /// Somebody may have emptied the journal after all of it was moved; `SQLite` knows then that it has fewer
    /// pages.
    fn journal_may_be_shorter(&self, db: &Connection, bytes: u64) -> bool {
        let pages = db.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| {
            row.get::<_, i64>(1)
        });
        let Ok(Ok(pages)) = pages.map(u64::try_from) else {
            return false;
        };
        let needed = self.journal_of(pages);
        if bytes < needed {
            return false;
        }
        self.journal_bytes.set(needed);
        true
    }

    fn journal_of(&self, pages: u64) -> u64 {
        if pages == 0 {
            return 0;
        }
        JOURNAL_HEAD + pages.saturating_mul(self.page_bytes + FRAME_HEAD)
    }
}
