//! Events that were found are appended beside the owner, and neither gets in the other's way.

use crate::support::{QueueDir, ids, message, send};
use labelrelay_core::{EventQueue as _, OutboundMessage};
use labelrelay_local::QueueFile;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn append(file: &QueueFile, ids: &[&str], after: u64) -> Vec<bool> {
    let messages: Vec<OutboundMessage> = ids.iter().map(|id| message(id)).collect();
    file.append(&messages, after).unwrap()
}

#[test]
fn the_owner_learns_of_what_was_appended() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    send(&queue, "live 1");
    let file = queue_dir.file();
    assert_eq!(append(&file, &["found 1", "found 2"], 1), [true, true]);
    assert!(
        send(&queue, "found 2").repeat,
        "it came live a moment later"
    );
    assert!(send(&queue, "live 1").repeat);
    assert_eq!(send(&queue, "live 2").message_id.as_deref(), Some("4"));
    assert_eq!(ids(&file), ["live 1", "found 1", "found 2", "live 2"]);
    queue.close();

    let queue = queue_dir.open();
    assert!(send(&queue, "found 1").repeat, "after a restart too");
}

#[test]
fn an_event_that_arrived_since_is_not_appended_again() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    for id in ["a", "b", "c"] {
        send(&queue, id);
    }
    let file = queue_dir.file();
    let appended = append(&file, &["a", "c", "d", "d"], 1);
    assert_eq!(
        appended,
        [true, false, true, false],
        "only what came after number 1 is looked at, and the batch itself"
    );
    assert_eq!(ids(&file), ["a", "b", "c", "a", "d"]);
}

#[test]
fn numbers_are_not_given_twice_though_everything_was_pruned() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    for id in ["a", "b"] {
        send(&queue, id);
    }
    let file = queue_dir.file();
    for delivery in file.receive(10, Duration::from_secs(60)).unwrap() {
        file.acknowledge(&delivery.receipt).unwrap();
    }
    queue_dir.clock.advance(Duration::from_secs(48 * 3600));
    file.prune(Duration::ZERO).unwrap();
    assert_eq!(ids(&file), [""; 0]);
    append(&file, &["c"], 2);
    assert_eq!(send(&queue, "d").message_id.as_deref(), Some("4"));
}

#[test]
fn attributes_of_the_events_after_a_number() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    for id in ["a", "b"] {
        send(&queue, id);
    }
    let heads = queue_dir.file().attributes_after(1, 10).unwrap();
    assert_eq!(heads.len(), 1);
    assert_eq!(heads[0].seq, 2);
    let attributes: labelrelay_event::Attributes =
        serde_json::from_slice(&heads[0].attributes).unwrap();
    assert_eq!(attributes.id, "b");
}

#[test]
fn an_owner_and_an_appender_at_once_lose_nothing_and_double_nothing() {
    const EACH: usize = 400;
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    let done = AtomicBool::new(false);
    let refused = std::thread::scope(|scope| {
        let appender = scope.spawn(|| {
            let file = queue_dir.file();
            let mut appended = 0;
            for n in 0..EACH / 10 {
                let batch: Vec<_> = (n * 10..n * 10 + 10)
                    .map(|n| message(&format!("shared {n}")))
                    .collect();
                let new = file.append(&batch, 0).unwrap();
                appended += new.into_iter().filter(|new| *new).count();
            }
            done.store(true, Ordering::Release);
            appended
        });
        let mut repeats = 0;
        for n in (0..EACH).rev() {
            let receipt =
                futures_executor::block_on(queue.send(&message(&format!("shared {n}")))).unwrap();
            repeats += usize::from(receipt.repeat);
        }
        repeats + EACH - appender.join().unwrap()
    });
    assert!(done.load(Ordering::Acquire));
    assert_eq!(refused, EACH, "each id came twice and was taken once");
    let mut ids = ids(&queue_dir.file());
    assert_eq!(ids.len(), EACH);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), EACH);
}
