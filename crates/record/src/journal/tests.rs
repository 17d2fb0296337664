//! How many files a journal has, and what becomes of one that somebody writes over.

use super::*;
use crate::options::Options;

#[test]
fn a_journal_has_a_few_dozen_files_at_most() {
    // Beyond twice its bound, the oldest goes.
    let most = Options::default().journal_bytes() * 2;
    let lengths = (1..).map(segment_bytes);
    let mut bytes = 0_u64;
    let files = lengths.take_while(|length| {
        bytes += *length;
        bytes < most
    });
    assert_eq!(files.count(), 24);
    assert_eq!(segment_bytes(4), SEGMENT_BYTES);
    assert_eq!(segment_bytes(5), 2 * SEGMENT_BYTES);
    assert_eq!(segment_bytes(usize::MAX), SEGMENT_BYTES << 16);
}

#[test]
fn a_file_that_was_moved_meanwhile_is_not_missed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("0000000000000001");
    prepared::write_over(&path, 8, &[0; HEADER_BYTES]).unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
