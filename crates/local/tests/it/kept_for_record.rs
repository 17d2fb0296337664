//! Acknowledged events that the record of deliveries refers to stay for longer, as long as there is room.

use crate::support::{QueueDir, ids, send};
use futures_executor::block_on;
use labelrelay_core::EventQueue as _;
use labelrelay_local::{EmbeddedQueue, Filter, KeptForRecord, Options, QueueFile};
use labelrelay_testkit::queue_suite;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const MIB: u64 = 1024 * 1024;

fn acknowledge_all(file: &QueueFile) {
    let taken = file.receive(1000, HOUR).unwrap();
    let receipts: Vec<_> = taken.iter().map(|it| it.receipt.as_str()).collect();
    file.acknowledge_all(&receipts).unwrap();
}

/// Changes options to keep so many bytes of what was acknowledged since `since_ms`.
fn keeping(bytes: u64, since_ms: &Arc<AtomicI64>) -> impl FnOnce(&mut Options) + use<> {
    let since_ms = Arc::clone(since_ms);
    move |options| {
        options.retention = HOUR;
        options.kept_for_record = Some(KeptForRecord {
            bytes,
            longest: 30 * DAY,
            since_ms,
        });
    }
}

/// Four events, acknowledged one second after the other, three hours ago.
fn acknowledged() -> QueueDir {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    for id in ["a", "b", "c", "d"] {
        send(&queue, id);
        acknowledge_all(&queue_dir.file());
        queue_dir.clock.advance(SECOND);
    }
    queue.close();
    queue_dir.clock.advance(3 * HOUR);
    queue_dir
}

/// What is left once the owner has pruned: a check is a turn of the writer, and it prunes behind it.
fn left(queue_dir: &QueueDir, queue: &EmbeddedQueue) -> Vec<String> {
    queue_dir.clock.advance(2 * Duration::from_secs(60));
    for _ in 0..3 {
        block_on(queue.check()).unwrap();
    }
    ids(&queue_dir.file())
}

fn envelope_bytes(queue_dir: &QueueDir) -> u64 {
    let events = queue_dir.file().list(&Filter::default(), 1).unwrap();
    events.first().unwrap().envelope_bytes
}

#[test]
fn the_newest_stay_and_without_a_bound_none_does() {
    for (events, kept) in [
        (0, vec![]),
        (1, vec!["d"]),
        (2, vec!["c", "d"]),
        (4, vec!["a", "b", "c", "d"]),
    ] {
        let queue_dir = acknowledged();
        let bytes = envelope_bytes(&queue_dir) * events;
        let since_ms = Arc::default();
        let queue = queue_dir.open_with(keeping(bytes, &since_ms));
        assert_eq!(left(&queue_dir, &queue), kept);
        // As many of those that come stay, and the window of repeats goes by itself.
        send(&queue, "e");
        acknowledge_all(&queue_dir.file());
        queue_dir.clock.advance(2 * HOUR);
        let ids = left(&queue_dir, &queue);
        assert_eq!(ids.len() as u64, events.min(5).max(kept.len() as u64));
        assert_eq!(ids.last().map(String::as_str), (events > 0).then_some("e"));
    }
}

/// Red if events that were acknowledged in the same millisecond stay together, or go together.
#[test]
fn the_bound_holds_for_many_that_were_acknowledged_at_once() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    for n in 0..300 {
        send(&queue, &format!("{n:03}"));
    }
    acknowledge_all(&queue_dir.file());
    queue.close();
    queue_dir.clock.advance(3 * HOUR);
    let bytes = envelope_bytes(&queue_dir) * 11;
    let since_ms = Arc::default();
    let queue = queue_dir.open_with(keeping(bytes, &since_ms));
    // They are counted, and removed, 128 at a time.
    let turns: Vec<_> = (0..3).map(|_| left(&queue_dir, &queue)).collect();
    let newest: Vec<_> = (289..300).map(|n| format!("{n:03}")).collect();
    assert_eq!(turns.last(), Some(&newest));
}

#[test]
fn what_the_record_has_no_delivery_of_goes() {
    let queue_dir = acknowledged();
    let file = queue_dir.file();
    let times: Vec<_> = file.list(&Filter::default(), 9).unwrap();
    let third = times[2].received_ms;
    let since_ms = Arc::default();
    let queue = queue_dir.open_with(keeping(MIB, &since_ms));
    assert_eq!(left(&queue_dir, &queue).len(), 4, "it has said nothing yet");
    since_ms.store(third, Ordering::Relaxed);
    assert_eq!(left(&queue_dir, &queue), ["c", "d"]);
    // The age, whatever a record says that is not written any more.
    queue_dir.clock.advance(31 * DAY);
    assert_eq!(left(&queue_dir, &queue), Vec::<String>::new());
}

#[test]
fn without_a_record_events_are_pruned_as_ever() {
    let queue_dir = acknowledged();
    let since_ms = Arc::new(AtomicI64::new(i64::MAX));
    let queue = queue_dir.open_with(keeping(MIB, &since_ms));
    assert_eq!(left(&queue_dir, &queue), Vec::<String>::new());
}

#[test]
fn whoever_prunes_by_hand_gets_their_room_and_the_archive_keeps_its_own() {
    let queue_dir = acknowledged();
    let file = queue_dir.file();
    file.begin_archive(1, 7, DAY).unwrap();
    file.begin_archive_batch(2).unwrap();
    file.end_archive_batch(2).unwrap();
    let since_ms = Arc::default();
    let queue = queue_dir.open_with(keeping(MIB, &since_ms));
    assert_eq!(left(&queue_dir, &queue).len(), 4);
    assert_eq!(file.prune(Duration::ZERO).unwrap(), 2);
    assert_eq!(ids(&file), ["c", "d"]);
    assert_eq!(file.lost_to_archive().unwrap(), None);
    assert_eq!(file.stats().unwrap().acknowledged, 2);
}

/// What the record keeps for longer than the archive waits is told as lost once it goes, and not before.
#[test]
fn an_event_that_stays_for_the_record_is_not_lost_to_the_archive() {
    let queue_dir = acknowledged();
    let file = queue_dir.file();
    file.begin_archive(1, 7, DAY).unwrap();
    let since_ms = Arc::default();
    let queue = queue_dir.open_with(keeping(MIB, &since_ms));
    queue_dir.clock.advance(2 * DAY);
    assert_eq!(left(&queue_dir, &queue).len(), 4);
    assert_eq!(file.lost_to_archive().unwrap(), None);
    since_ms.store(i64::MAX, Ordering::Relaxed);
    assert_eq!(left(&queue_dir, &queue), Vec::<String>::new());
    let lost = file.lost_to_archive().unwrap().unwrap();
    assert_eq!((lost.first, lost.last, lost.events), (1, 4, 4));
}

/// Events of 100 kB that a queue of 4 MiB takes after some of them were acknowledged.
fn taken(kept_bytes: u64) -> (usize, QueueDir) {
    taken_after(kept_bytes, 3 * HOUR)
}

/// The same, if those were acknowledged so long ago.
fn taken_after(kept_bytes: u64, time: Duration) -> (usize, QueueDir) {
    let queue_dir = QueueDir::new();
    let since_ms = Arc::default();
    let queue = queue_dir.open_with(|options| {
        keeping(kept_bytes, &since_ms)(options);
        options.max_file_bytes = Some(4 * MIB);
    });
    let body = [b"\"", &*b"x".repeat(100_000), b"\""].concat();
    let send = |id: &str| block_on(queue.send(&queue_suite::message(id, &body)));
    for n in 0..6 {
        send(&format!("old {n}")).unwrap();
    }
    acknowledge_all(&queue_dir.file());
    queue_dir.clock.advance(time);
    let many = if kept_bytes > 0 { 6 } else { 0 };
    assert_eq!(left(&queue_dir, &queue).len(), many);
    let mut taken = 0;
    while send(&format!("new {taken}")).is_ok() {
        taken += 1;
    }
    queue.close();
    (taken, queue_dir)
}

/// Red if an event is refused while there is room that only the record keeps.
#[test]
fn they_go_before_an_event_is_refused() {
    let (without, _) = taken(0);
    let (with, queue_dir) = taken(MIB);
    assert!(without > 20, "{without}");
    assert!(with + 1 >= without, "{with} of {without}");
    let ids = ids(&queue_dir.file());
    assert!(!ids.iter().any(|id| id.starts_with("old")), "{ids:?}");
}

/// Red if an event is refused because what one batch of pruning frees is less than it needs.
#[test]
fn as_many_go_as_a_large_event_needs() {
    const LARGE: usize = 20;
    let queue_dir = QueueDir::new();
    let since_ms = Arc::default();
    let queue = queue_dir.open_with(|options| {
        keeping(16 * MIB, &since_ms)(options);
        options.max_file_bytes = Some(64 * MIB);
    });
    let send = |id: &str, mebibytes: usize| {
        let body = [b"\"", &*vec![b'x'; mebibytes << 20], b"\""].concat();
        block_on(queue.send(&queue_suite::message(id, &body)))
    };
    for n in 0..15 {
        send(&format!("old {n}"), 1).unwrap();
    }
    acknowledge_all(&queue_dir.file());
    queue_dir.clock.advance(3 * HOUR);
    assert_eq!(left(&queue_dir, &queue).len(), 15);
    send("first", LARGE).unwrap();
    send("second", LARGE).unwrap();
    queue.close();
}

/// Red if only what was acknowledged an hour before the retention goes, as long as a ledger may have to read it: there is
/// none here.
#[test]
fn without_a_ledger_those_just_beyond_the_retention_go_before_an_event_is_refused() {
    let (with, queue_dir) = taken_after(MIB, HOUR + HOUR / 2);
    let (without, _) = taken_after(0, HOUR + HOUR / 2);
    assert!(with + 1 >= without, "{with} of {without}");
    let ids = ids(&queue_dir.file());
    assert!(!ids.iter().any(|id| id.starts_with("old")), "{ids:?}");
}

/// Red if the journal's part of the largest size counts as room for events: then none would go before the file is full.
#[test]
fn they_go_while_a_quarter_of_the_file_is_left() {
    for (others, kept) in [(25, 10), (38, 0)] {
        let queue_dir = QueueDir::new();
        let since_ms = Arc::default();
        let queue = queue_dir.open_with(|options| {
            keeping(2 * MIB, &since_ms)(options);
            // Six are for events.
            options.max_file_bytes = Some(8 * MIB);
        });
        let body = [b"\"", &*b"x".repeat(100_000), b"\""].concat();
        let send = |id: &str| block_on(queue.send(&queue_suite::message(id, &body))).unwrap();
        for n in 0..10 {
            send(&format!("old {n}"));
        }
        acknowledge_all(&queue_dir.file());
        queue_dir.clock.advance(3 * HOUR);
        for n in 0..others {
            send(&format!("new {n}"));
        }
        let left = left(&queue_dir, &queue);
        let old = left.iter().filter(|id| id.starts_with("old"));
        assert_eq!(old.count(), kept, "{others}");
    }
}
