//! The reserve for a full disk.
//!
//! Taking messages out has to write as well, so a disk that deliveries filled to the last byte could never be
//! drained. Beside a queue lies a reserve: an empty, allocated file, whose room consumers take when they find none. While it
//! stands, deliveries are refused when the disk is full: nothing but consumers, and opening a queue, may use it.
//! Whoever gave it up takes back what is left of it, before another program does. The queue's owner makes it whole when there
//! is room for more than that. Where the file has room again and the disk has not, he makes it smaller: an event goes through
//! the journal, which lies on the disk. On file systems that copy on write, a reserve
//! promises nothing: a file that is removed there may free nothing, and what is written needs new room.

use crate::canonical_path::beside;
use labelrelay_files::{OwnFileError, own_file};
use rusqlite::{Error, ErrorCode, ffi};
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

const MIB: u64 = 1024 * 1024;

/// Sizes of the reserve: the first that is at most a quarter of the disk. Draining needs little, for `SQLite`
/// begins its journal anew once that is moved; the largest is room for moving what a journal usually holds.
const SIZES: [u64; 5] = [16 * MIB, 8 * MIB, 4 * MIB, 2 * MIB, MIB];

/// A reserve of less is not worth making.
const SMALLEST: u64 = 64 * 1024;

/// With less than this, a failure to write is taken for want of room, whatever the system called it.
const NEARLY_FULL: u64 = MIB;

/// A write of this many bytes has to fit under the process's limit on the size of files.
const LARGEST_WRITE: u64 = 64 * 1024;

/// The file of the reserve.
pub(crate) fn reserve(database: &Path) -> PathBuf {
    beside(database, ".reserve")
}

/// Gives the reserve up; says whether there was one.
pub(crate) fn release(database: &Path) -> bool {
    fs::remove_file(reserve(database)).is_ok()
}

fn target(disk_bytes: u64) -> u64 {
    let fits = |size: &u64| disk_bytes / 4 >= *size;
    SIZES.into_iter().find(fits).unwrap_or(MIB)
}

/// Makes what was given up a reserve again, as much as is free: before others take it.
pub(crate) fn take_back(database: &Path) {
    let path = reserve(database);
    let Disk { bytes, free } = Disk::of(database);
    let mut size = target(bytes).min(free);
    while size >= SMALLEST && !exists(database) {
        match make(&path, database, size) {
            Err(error) if is_no_space(&error) => {
                let _half = fs::remove_file(&path);
                size -= size / 8;
            }
            Ok(()) | Err(_) => return,
        }
    }
}

/// Tells whether so little is free that the journal must give its room back first. `SQLite` writes into the journal's
/// room without asking for more, so the disk may be too full to move the journal into the file.
pub(crate) fn journal_is_in_the_way(database: &Path) -> bool {
    let Disk { bytes, free } = Disk::of(database);
    let low = target(bytes) / 2;
    let journal = || {
        beside(database, "-wal")
            .metadata()
            .map_or(0, |file| file.len())
    };
    free < low && journal() > low
}

/// So much of a disk, or half of a smaller one, is for events to come. The record of deliveries leaves as much.
const FOR_EVENTS: u64 = 128 * MIB;

/// Tells whether less is left for events to come than shall be; `reusable` bytes within the queue count as room.
pub(crate) fn is_tight(database: &Path, reusable: u64) -> bool {
    let Disk { bytes, free } = Disk::of(database);
    free.saturating_add(reusable) < FOR_EVENTS.min(bytes / 2)
}

/// Size of the disk that holds `database`; unlimited if the system does not say.
pub(crate) fn disk_bytes(database: &Path) -> u64 {
    Disk::of(database).bytes
}

/// Tells whether there is a reserve, of whatever size. Looks at the name alone, for this is asked before each group.
pub(crate) fn exists(database: &Path) -> bool {
    reserve(database)
        .symlink_metadata()
        .is_ok_and(|it| it.is_file())
}

/// Makes the reserve where there is room for twice as much, so that it neither takes the last of the disk nor what
/// was just given up; `reusable` bytes within the queue count as room, though not for the reserve itself. Says
/// whether deliveries may be taken: there is a reserve, or this is no place for one.
pub(crate) fn ensure(database: &Path, reusable: impl FnOnce() -> u64) -> bool {
    let path = reserve(database);
    let has = path.symlink_metadata().map_or(0, |file| file.len());
    let Disk { bytes, free } = Disk::of(database);
    let target = target(bytes);
    let journal = target / 4;
    if has >= target && free >= journal {
        return true;
    }
    if free.saturating_add(has) < 2 * target {
        let reusable = reusable();
        if free < journal && reusable >= journal && has > target / 2 {
            shrink(&path, database, has - (journal - free));
            return true;
        }
        if free.saturating_add(has).saturating_add(reusable) < 2 * target {
            return has > 0;
        }
    }
    for size in SIZES {
        if size > has && size <= target && free >= size - has + journal {
            match make(&path, database, size) {
                Err(error) if is_no_space(&error) => {}
                // Of a directory that may not be written, and the like, whoever writes the queue will tell.
                Ok(()) | Err(_) => return true,
            }
            if has == 0 {
                let _half = fs::remove_file(&path);
            }
        }
    }
    has > 0
}

/// Gives some of the reserve to the journal.
fn shrink(path: &Path, database: &Path, bytes: u64) {
    // Where it cannot, there is what there was.
    if let Ok(file) = own_file(path, database) {
        let _as_it_was = file.set_len(bytes);
    }
}

fn make(path: &Path, database: &Path, bytes: u64) -> std::io::Result<()> {
    let mut file = own_file(path, database).map_err(|error| match error {
        OwnFileError::ForeignFile(foreign) => std::io::Error::other(foreign),
        OwnFileError::Io(error) => error,
    })?;
    if allocate(&file, bytes)? {
        return Ok(());
    }
    // Really written, for a hole has no room in it.
    std::io::copy(&mut std::io::repeat(0).take(bytes), &mut file)?;
    file.sync_data()
}

/// Allocates room; `false` if the system cannot.
#[cfg(target_os = "linux")]
fn allocate(file: &File, bytes: u64) -> std::io::Result<bool> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;
    match fallocate(file, FallocateFlags::empty(), 0, bytes) {
        Ok(()) => Ok(true),
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn allocate(_: &File, _: u64) -> std::io::Result<bool> {
    Ok(false)
}

fn is_no_space(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}

/// Size of the disk that holds `database`, and its free room; unlimited if the system does not say.
struct Disk {
    bytes: u64,
    free: u64,
}

impl Disk {
    fn of(database: &Path) -> Self {
        #[cfg(unix)]
        {
            let directory = database.parent().unwrap_or(Path::new("/"));
            if let Ok(told) = rustix::fs::statvfs(directory)
                && told.f_blocks > 0
            {
                return Self {
                    bytes: told.f_blocks.saturating_mul(told.f_frsize),
                    free: told.f_bavail.saturating_mul(told.f_frsize),
                };
            }
        }
        let _ = database;
        Self {
            bytes: u64::MAX,
            free: u64::MAX,
        }
    }
}

/// Largest file that this process may make.
pub(crate) fn file_size_limit() -> Option<u64> {
    #[cfg(unix)]
    {
        rustix::process::getrlimit(rustix::process::Resource::Fsize).current
    }
    #[cfg(not(unix))]
    {
        None
    }
}

/// Tells whether a file of the queue is as large as this process may make one.
fn is_at_file_size_limit(database: &Path) -> bool {
    file_size_limit().is_some_and(|limit| {
        // No queue fits into less, and writes far less at a time.
        limit < NEARLY_FULL
            || ["", "-wal"].iter().any(|end| {
                let file = beside(database, end).metadata();
                file.is_ok_and(|file| file.len().saturating_add(LARGEST_WRITE) > limit)
            })
    })
}

/// The same error, or what it really is where `SQLite` was only told that a write failed: want of room.
pub(crate) fn diagnose(error: Error, database: &Path) -> Error {
    let why = match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure) if is_at_file_size_limit(database) => {
            "this process may not make files as large as that: `ulimit -f`"
        }
        Some(ErrorCode::SystemIoFailure) if Disk::of(database).free < NEARLY_FULL => {
            "the disk, or a quota, is full"
        }
        _ => return error,
    };
    disk_full(why)
}

/// Want of room, for this reason.
pub(crate) fn disk_full(why: &str) -> Error {
    Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_FULL), Some(why.to_owned()))
}

/// Tells whether the error is want of room.
pub(crate) fn is_disk_full(error: &Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_is_really_allocated_and_released_once() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("queue.db");
        assert!(!exists(&database));
        assert!(ensure(&database, || 0));
        let file = reserve(&database).metadata().unwrap();
        assert_eq!(file.len(), 16 * MIB);
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            assert!(file.blocks() * 512 >= 16 * MIB, "no hole");
            assert_eq!(file.mode() & 0o777, 0o600);
        }
        assert!(ensure(&database, || panic!("it is there")));
        assert!(release(&database));
        assert!(!release(&database));
        assert!(!exists(&database));
    }
}
