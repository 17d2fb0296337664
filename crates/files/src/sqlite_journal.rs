//! A journal that stands beside an `SQLite` database. Where its directory came from somebody else, it may name any file.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// Last bytes of a journal that ends with the name of another file.
const NAMES_ANOTHER: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/// Tells whether this journal ends with the name of another file, its super-journal: `SQLite` plays an old journal back,
/// and then removes that file. None of ours has one.
pub fn names_another_file(journal: &Path) -> bool {
    let last = || -> std::io::Result<[u8; 8]> {
        let mut file = File::open(journal)?;
        file.seek(SeekFrom::End(-8))?;
        let mut last = [0; 8];
        file.read_exact(&mut last)?;
        Ok(last)
    };
    // There is none, or it is too short to name anything.
    last().is_ok_and(|last| last == NAMES_ANOTHER)
}
