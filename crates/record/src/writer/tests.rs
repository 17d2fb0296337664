//! How the journal is written, and what is told of what is not.

use super::*;
use crate::entry::Entry;
use crate::filter::Filter;
use crate::reader::RecordFile;
use crate::row::Row;
use std::path::Path;

/// Writes these deliveries as one group, while nothing is moved.
pub(crate) fn write_group(
    shared: &Arc<Shared>,
    path: &Path,
    options: &Options,
    rows: impl IntoIterator<Item = Row>,
) {
    let inbox = Inbox::default();
    for row in rows {
        let entry = Entry::of(&row);
        let mut encoded = Vec::new();
        entry.encode(&mut encoded);
        inbox.push(entry.class(), &encoded, entry.sums());
    }
    inbox.close();
    Writer::new(path.to_owned(), options.clone(), Arc::clone(shared)).run(&inbox);
}

#[test]
fn strangers_have_no_more_of_the_journal_than_their_share() {
    // As many as a group has room for.
    const EACH: usize = 31;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("queue.db.record");
    let shared = Arc::<Shared>::default();
    let mut options = Options::default();
    options.stranger.bytes = 1000;
    options.stranger.body_bytes = 1000;
    let refused = Row {
        body_start: Some(vec![b'x'; 64 * 1024]),
        ..Row::default()
    };
    let verified = Row {
        verified_by: Some("env:SECRET".to_owned()),
        ..Row::default()
    };
    for _ in 0..3 {
        write_group(&shared, &path, &options, vec![refused.clone(); EACH]);
    }
    let mixed = [refused.clone(), verified.clone(), refused];
    write_group(&shared, &path, &options, mixed);
    let record = RecordFile::open(&path).unwrap().unwrap();
    let found = record.list(&Filter::default(), usize::MAX).unwrap();
    assert_eq!(found.len(), 3 * EACH + 1);
    assert_eq!(found.last().map(|it| &it.row), Some(&verified));
    let lost = shared.lock().lost;
    assert_eq!((lost.verified, lost.stranger), (0, 2));
}

fn flood(inbox: &Inbox) {
    let entry = Entry::of(&Row::default()).sums();
    let mut encoded = Vec::new();
    Entry::of(&Row::default()).encode(&mut encoded);
    for _ in 0..1000 {
        inbox.push(Class::Stranger, &encoded, entry);
    }
}

/// Red if they are told with the next loss only, which may come after a day.
#[test]
fn what_the_end_of_a_flood_lost_is_told_though_nothing_comes_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("queue.db.record");
    let inbox = Inbox::default();
    let mut writer = Writer::new(path, Options::default(), Arc::default());
    assert_eq!(writer.patience(), None);
    flood(&inbox);
    assert!(writer.turn(&inbox, &mut Vec::new()));
    assert_eq!(writer.untold.stranger, 0, "the first are told at once");
    flood(&inbox);
    assert!(writer.turn(&inbox, &mut Vec::new()));
    assert_eq!(writer.untold.stranger, 1000 - 256);
    let patience = writer.patience().unwrap();
    assert!(patience <= TELL_EVERY, "{patience:?}");
    // Its time is up.
    writer.tell_every = Duration::ZERO;
    assert!(writer.turn(&inbox, &mut Vec::new()));
    assert_eq!(writer.untold.stranger, 0);
    assert_eq!(writer.patience(), None);
}

/// Red if it is found out with the next delivery only that a file can be used again.
#[test]
fn a_file_that_can_be_used_again_is_noticed_without_a_delivery() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("later");
    let shared = Arc::<Shared>::default();
    let is_failing = Arc::clone(&shared.is_failing);
    let path = folder.join("queue.db.record");
    let mut writer = Writer::new(path, Options::default(), shared);
    writer.write(&mut Batch::default());
    assert!(is_failing.load(Ordering::Relaxed));
    assert!(writer.patience().is_some());
    std::fs::create_dir(&folder).unwrap();
    // Its time is up.
    writer.failed = Instant::now().checked_sub(AGAIN);
    assert!(
        writer.failed.is_some(),
        "the machine runs for a moment only"
    );
    assert!(writer.turn(&Inbox::default(), &mut Vec::new()));
    assert!(!is_failing.load(Ordering::Relaxed));
    assert_eq!(writer.patience(), None);
}

#[test]
fn strangers_push_nothing_out_of_a_small_journal() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("queue.db.record");
    let shared = Arc::<Shared>::default();
    let mut options = Options::default();
    for limits in [&mut options.verified, &mut options.stranger] {
        limits.bytes = 1000;
        limits.body_bytes = 1000;
    }
    let verified = Row {
        verified_by: Some("env:SECRET".to_owned()),
        ..Row::default()
    };
    write_group(&shared, &path, &options, [verified.clone()]);
    let refused = Row {
        body_start: Some(vec![b'x'; 64 * 1024]),
        ..Row::default()
    };
    for _ in 0..3 {
        write_group(&shared, &path, &options, vec![refused.clone(); 31]);
    }
    let record = RecordFile::open(&path).unwrap().unwrap();
    let found = record.list(&Filter::default(), usize::MAX).unwrap();
    assert_eq!(found.first().map(|it| &it.row), Some(&verified));
}
