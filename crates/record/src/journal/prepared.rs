//! A group of the journal that is about to be written over, in a file of its own: whoever does that may be killed in the
//! middle of it, and the group would be neither what it was nor what it shall be. Whoever comes next writes it again.

use super::frame::{HEADER_BYTES, Header};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// Its name in the directory of the journal.
const NAME: &str = "forgetting";

const MAGIC: [u8; 8] = *b"LRjfgt\x00\x01";

/// Digits of a name of the journal.
const NAME_BYTES: usize = 16;

/// A group, and where it belongs.
struct Prepared<'b> {
    name: &'b str,
    at: u64,
    frame: &'b [u8],
}

impl<'b> Prepared<'b> {
    /// Reads one; `None` if these bytes are not all of one.
    fn read(bytes: &'b [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&MAGIC)?;
        let (checksum, rest) = rest.split_first_chunk::<4>()?;
        if *checksum != crc32fast::hash(rest).to_le_bytes() {
            return None;
        }
        let (name, rest) = rest.split_first_chunk::<NAME_BYTES>()?;
        let name = std::str::from_utf8(name).ok()?;
        let (at, frame) = rest.split_first_chunk::<8>()?;
        let is_name = name.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_name.then_some(Self {
            name,
            at: u64::from_le_bytes(*at),
            frame,
        })
    }

    fn write(&self) -> Vec<u8> {
        let mut rest = Vec::with_capacity(NAME_BYTES + 8 + self.frame.len());
        rest.extend_from_slice(self.name.as_bytes());
        rest.extend_from_slice(&self.at.to_le_bytes());
        rest.extend_from_slice(self.frame);
        let checksum = crc32fast::hash(&rest).to_le_bytes();
        [&MAGIC[..], &checksum[..], &rest[..]].concat()
    }

    /// Tells whether this very group stands there, whole or not: its facts are the same before and after.
    fn is_in(&self, file: &mut File) -> io::Result<bool> {
        let header = self.frame.first_chunk::<HEADER_BYTES>();
        let Some(own) = header.and_then(Header::read) else {
            return Ok(false);
        };
        file.seek(SeekFrom::Start(self.at))?;
        let mut there = [0; HEADER_BYTES];
        match file.read_exact(&mut there) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        }
        Ok(Header::read(&there).is_some_and(|there| there.has_facts_of(&own)))
    }
}

/// Writes the group over the one that stands at `at` in the journal's file `path`: first beside it, then there.
pub(super) fn write_over(path: &Path, at: u64, frame: &[u8]) -> io::Result<()> {
    let name = path.file_name().and_then(|name| name.to_str());
    let (Some(dir), Some(name)) = (path.parent(), name) else {
        return Err(io::Error::other("the journal's file has no name"));
    };
    let beside = file_in(dir);
    remove(&beside)?;
    let write = || -> io::Result<()> {
        let mut file = labelrelay_files::private_file(&beside)?;
        file.write_all(&Prepared { name, at, frame }.write())?;
        file.sync_all()?;
        sync(dir)?;
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.seek(SeekFrom::Start(at))?;
        file.write_all(frame)?;
        file.sync_data()
    };
    match write() {
        // The record has what was in it: a file goes a moment after it was moved.
        Err(error) if error.kind() == ErrorKind::NotFound && !path.exists() => {}
        written => written?,
    }
    remove(&beside)
}

/// Tells whether somebody may have been stopped at it, in the journal in this directory.
pub(super) fn is_there(dir: &Path) -> bool {
    file_in(dir).exists()
}

/// Writes again what somebody was stopped at; `true` if there was something. Meanwhile nobody else writes over anything:
/// the caller sees to that.
pub(super) fn finish(dir: &Path) -> io::Result<bool> {
    let beside = file_in(dir);
    let bytes = match fs::read(&beside) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    // One that is not whole was not written over anything yet.
    if let Some(prepared) = Prepared::read(&bytes) {
        let path = dir.join(prepared.name);
        match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(mut file) => {
                if prepared.is_in(&mut file)? {
                    file.seek(SeekFrom::Start(prepared.at))?;
                    file.write_all(prepared.frame)?;
                    file.sync_data()?;
                }
            }
            // It was moved.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    remove(&beside)?;
    Ok(true)
}

/// Forgets what somebody was stopped at: its group is gone.
pub(super) fn remove_in(dir: &Path) {
    // One that stays is of a group that nobody finds.
    let _ = remove(&file_in(dir));
}

fn file_in(dir: &Path) -> PathBuf {
    dir.join(NAME)
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The name of a file is there after a loss of power, too.
#[cfg(unix)]
fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the other systems' form can fail")]
fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Leaves the files as somebody does who is killed in the middle: the first `bytes` bytes of a group are written over.
#[cfg(test)]
pub(crate) fn stop_after(path: &Path, at: u64, frame: &[u8], bytes: usize) {
    let name = path.file_name().unwrap().to_str().unwrap();
    let beside = file_in(path.parent().unwrap());
    fs::write(beside, Prepared { name, at, frame }.write()).unwrap();
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&frame[..bytes]).unwrap();
}
