//! The window of repeats: its length, its life across restarts, and clocks that jump.

use crate::support::{QueueDir, ids, send};
use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(300);

#[test]
fn a_repeat_is_recognised_within_the_window_and_not_long_after_it() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    assert!(!send(&queue, "a").repeat);
    queue_dir.clock.advance(WINDOW);
    assert!(send(&queue, "a").repeat, "at its very end");
    queue_dir.clock.advance(WINDOW / 32);
    assert!(
        !send(&queue, "a").repeat,
        "the window moves in steps of a 64th of its length"
    );
    assert!(send(&queue, "a").repeat);
    assert_eq!(ids(&queue_dir.file()), ["a", "a"]);
}

#[test]
fn a_repeat_names_the_event_that_is_kept() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    send(&queue, "other");
    let first = send(&queue, "a");
    let again = send(&queue, "a");
    assert_eq!(first.message_id, again.message_id);
    assert_eq!(
        queue_dir
            .file()
            .list(&labelrelay_local::Filter::default(), 9)
            .unwrap()[1]
            .seq
            .to_string(),
        first.message_id.unwrap()
    );
}

#[test]
fn the_window_outlives_a_restart() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    send(&queue, "old");
    queue_dir
        .clock
        .advance(WINDOW.checked_sub(Duration::from_secs(10)).unwrap());
    send(&queue, "young");
    queue.close();
    queue_dir.clock.advance(Duration::from_secs(60));
    let queue = queue_dir.open();
    assert!(send(&queue, "young").repeat);
    assert!(
        !send(&queue, "old").repeat,
        "it left the window while nobody ran"
    );
}

#[test]
fn the_clock_may_go_back() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    send(&queue, "before");
    queue_dir.clock.set_time_of_day("2026-11-21T07:00:00Z");
    assert!(send(&queue, "before").repeat);
    send(&queue, "after");
    queue.close();
    let queue = queue_dir.open();
    assert!(
        send(&queue, "before").repeat,
        "seconds passed, whatever the time of day says"
    );
    assert!(send(&queue, "after").repeat);
    queue_dir.clock.advance(WINDOW + WINDOW / 32);
    assert!(
        !send(&queue, "before").repeat,
        "and it leaves the window all the same"
    );
}

#[test]
fn a_clock_that_jumps_ahead_opens_no_gap_while_running() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    send(&queue, "a");
    queue_dir.clock.set_time_of_day("2031-01-01T00:00:00Z");
    assert!(send(&queue, "a").repeat);
}

#[test]
fn without_a_window_nothing_is_a_repeat() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| options.window = Duration::ZERO);
    assert!(!send(&queue, "a").repeat);
    assert!(!send(&queue, "a").repeat);
}
