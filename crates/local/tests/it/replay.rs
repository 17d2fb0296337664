//! Events that are sent again on purpose.

use crate::support::{QueueDir, ids, message, send};
use futures_executor::block_on;
use labelrelay_core::replay::as_replay;
use labelrelay_core::{Clock as _, EventQueue as _, OutboundMessage};
use labelrelay_event::Envelope;
use std::time::Duration;

fn replayed(
    queue_dir: &QueueDir,
    queue: &impl labelrelay_core::EventQueue,
    id: &str,
) -> OutboundMessage {
    as_replay(&message(id).body, queue_dir.clock.now(), queue.limits()).unwrap()
}

#[test]
fn replayed_events_are_no_repeats_and_carry_the_same_data() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    send(&queue, "a");
    let second = replayed(&queue_dir, &queue, "a");
    assert!(!block_on(queue.send(&second)).unwrap().repeat);
    let (first, second) = (message("a"), second);
    let (first, second) = (
        Envelope::decode(&first.body).unwrap(),
        Envelope::decode(&second.body).unwrap(),
    );
    assert_eq!(first.data, second.data);
    let mut attributes = second.attributes.clone();
    assert_eq!(
        attributes.replayedtime.take().as_deref(),
        Some("2026-11-21T09:00:00.000000Z")
    );
    assert_eq!(attributes, first.attributes);
    assert!(
        send(&queue, "a").repeat,
        "an event that comes once more by itself is a repeat"
    );
    assert_eq!(ids(&queue_dir.file()), ["a", "a"]);
}

#[test]
fn appending_beside_the_owner_disturbs_neither() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    send(&queue, "a");
    let file = queue_dir.file();
    let both = [
        replayed(&queue_dir, &queue, "a"),
        replayed(&queue_dir, &queue, "a"),
    ];
    let end = i64::MAX.cast_unsigned();
    assert_eq!(file.append(&both, end).unwrap(), [true, true]);
    assert!(send(&queue, "a").repeat);
    assert!(!send(&queue, "b").repeat);
    assert_eq!(file.append(&both[..1], 0).unwrap(), [true]);
    assert!(send(&queue, "b").repeat);
    assert_eq!(ids(&file), ["a", "a", "a", "b", "a"]);
    let taken = file.receive(10, Duration::from_secs(60)).unwrap();
    assert_eq!(taken.len(), 5);
    queue.close();
    assert!(
        send(&queue_dir.open(), "b").repeat,
        "the window is read from the file"
    );
}
