//! What the archive has not got yet stays in the queue for longer, and what went without it is told.

use crate::support::{QueueDir, ids, send};
use labelrelay_local::QueueFile;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn acknowledge_all(file: &QueueFile) {
    let taken = file.receive(1000, HOUR).unwrap();
    let receipts = taken.iter().map(|delivery| delivery.receipt.as_str());
    let receipts: Vec<_> = receipts.collect();
    file.acknowledge_all(&receipts).unwrap();
}

/// Four events, acknowledged two hours ago.
fn acknowledged() -> QueueDir {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    for id in ["a", "b", "c", "d"] {
        send(&queue, id);
    }
    queue.close();
    acknowledge_all(&queue_dir.file());
    queue_dir.clock.advance(2 * HOUR);
    queue_dir
}

#[test]
fn what_is_not_archived_stays() {
    let queue_dir = acknowledged();
    let file = queue_dir.file();
    assert_eq!(file.archive_mark(1).unwrap(), None);
    let mark = file.begin_archive(1, 7, DAY).unwrap();
    assert_eq!((mark.writer, mark.through, mark.batch), (7, 0, None));
    assert_eq!(file.archive_mark(1).unwrap(), Some(mark));
    assert_eq!(file.archive_mark(2).unwrap(), None, "another archive");
    assert_eq!(file.prune(HOUR).unwrap(), 0);
    assert_eq!(file.held_for_archive().unwrap(), 4);
    file.begin_archive_batch(2).unwrap();
    file.end_archive_batch(2).unwrap();
    assert_eq!(file.prune(HOUR).unwrap(), 2);
    assert_eq!(ids(&file), ["c", "d"]);
    assert_eq!(file.lost_to_archive().unwrap(), None);
    // Without an archive, nothing is kept for it.
    assert_eq!(file.held_for_archive().unwrap(), 2);
    file.end_archive().unwrap();
    assert_eq!(file.held_for_archive().unwrap(), 0);
    assert_eq!(file.prune(HOUR).unwrap(), 2);
    let lost = file.lost_to_archive().unwrap().unwrap();
    assert_eq!((lost.first, lost.last, lost.events), (3, 4, 2));
    assert!(file.forget_lost_to_archive(lost).unwrap());
    assert_eq!(file.lost_to_archive().unwrap(), None);
}

#[test]
fn it_stays_for_a_time_and_then_it_is_told() {
    let queue_dir = acknowledged();
    let file = queue_dir.file();
    file.begin_archive(1, 7, DAY).unwrap();
    // Begun, and never ended: it is written again one day, and has to be the same then.
    file.begin_archive_batch(1).unwrap();
    queue_dir.clock.advance(2 * DAY);
    assert_eq!(file.prune(HOUR).unwrap(), 3);
    assert_eq!(ids(&file), ["a"]);
    let lost = file.lost_to_archive().unwrap().unwrap();
    assert_eq!((lost.first, lost.last, lost.events), (2, 4, 3));
    let queue = queue_dir.open();
    send(&queue, "e");
    queue.close();
    acknowledge_all(&file);
    queue_dir.clock.advance(2 * DAY);
    assert_eq!(file.prune(HOUR).unwrap(), 1);
    // What was told is not all of it any more.
    assert!(!file.forget_lost_to_archive(lost).unwrap());
    let lost = file.lost_to_archive().unwrap().unwrap();
    assert_eq!((lost.first, lost.last, lost.events), (2, 5, 4));
}

/// A full disk that nothing else frees.
#[test]
fn what_waits_goes_if_it_is_said_so_and_is_told() {
    let queue_dir = acknowledged();
    let file = queue_dir.file();
    file.begin_archive(1, 7, DAY).unwrap();
    file.begin_archive_batch(1).unwrap();
    assert_eq!(file.prune(HOUR).unwrap(), 0);
    assert_eq!(file.prune_unarchived(3 * HOUR).unwrap(), 0, "too young");
    assert_eq!(file.prune_unarchived(HOUR).unwrap(), 3);
    assert_eq!(ids(&file), ["a"], "it is being written");
    let lost = file.lost_to_archive().unwrap().unwrap();
    assert_eq!((lost.first, lost.last, lost.events), (2, 4, 3));
}

#[test]
fn the_mark_is_the_files_own_and_of_one_place() {
    let queue_dir = acknowledged();
    let file = queue_dir.file();
    file.begin_archive(1, 7, DAY).unwrap();
    file.begin_archive_batch(3).unwrap();
    file.end_archive_batch(3).unwrap();
    file.begin_archive_batch(4).unwrap();
    drop(file);
    let file = queue_dir.file();
    let mark = file.begin_archive(1, 8, DAY).unwrap();
    assert_eq!((mark.writer, mark.through, mark.batch), (7, 3, Some(4)));
    file.rename_archive_writer(9).unwrap();
    let mark = file.begin_archive(2, 8, DAY).unwrap();
    assert_eq!((mark.writer, mark.through, mark.batch), (9, 0, None));
    assert_eq!(file.last_number().unwrap(), 4);
}

/// The archive cannot be reached when it shall be begun.
#[test]
fn what_an_archive_shall_have_stays_before_there_is_one() {
    let queue_dir = acknowledged();
    let file = queue_dir.file();
    file.hold_for_archive(DAY).unwrap();
    assert_eq!(file.prune(HOUR).unwrap(), 0);
    queue_dir.clock.advance(2 * DAY);
    assert_eq!(file.prune(HOUR).unwrap(), 4);
    file.begin_archive(1, 7, DAY).unwrap();
    let lost = file.lost_to_archive().unwrap().unwrap();
    assert_eq!((lost.first, lost.last, lost.events), (1, 4, 4));
}
