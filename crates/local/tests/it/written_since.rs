//! An event is found by its id and the time at which it was written, without reading through the file.

use crate::support::{QueueDir, send};
use labelrelay_core::Clock as _;
use std::time::Duration;

#[test]
fn an_event_is_found_from_a_time_on() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| options.window = Duration::ZERO);
    let mut written = Vec::new();
    for number in 0..100 {
        queue_dir.clock.advance(Duration::from_secs(1));
        written.push(queue_dir.clock.now().as_millisecond());
        send(&queue, &format!("e-{}", number % 50));
    }
    let file = queue_dir.file();
    let found = |id: &str, from: usize, most| {
        let found = file.find_since(id, written[from], most).unwrap();
        found.map(|found| found.event.seq)
    };
    assert_eq!(found("e-7", 0, 1000), Some(8));
    assert_eq!(found("e-7", 7, 1), Some(8));
    assert_eq!(found("e-7", 8, 1000), Some(58), "the one after it");
    assert_eq!(found("e-7", 58, 1000), None, "none is later");
    assert_eq!(found("e-7", 0, 7), None, "too far");
    let early = file.find_since("e-0", 0, 1000).unwrap().unwrap();
    assert_eq!(early.event.seq, 1);
    assert!(file.find_since("e-0", i64::MAX, 1000).unwrap().is_none());

    // The first ones are gone.
    for delivery in file.receive(60, Duration::from_secs(60)).unwrap() {
        file.acknowledge(&delivery.receipt).unwrap();
    }
    queue_dir.clock.advance(Duration::from_secs(48 * 3600));
    file.prune(Duration::ZERO).unwrap();
    assert_eq!(found("e-7", 0, 1000), None);
    assert_eq!(found("e-17", 0, 1000), Some(68));
    queue.close();
}
