//! The suite that every source of events passes, and what is particular to a file.

use crate::support::QueueDir;
use futures_executor::block_on;
use labelrelay_core::BoxFuture;
use labelrelay_local::{FileSource, State};
use labelrelay_testkit::source_suite as suite;
use std::sync::Arc;
use std::time::Duration;

fn source(queue_dir: &QueueDir) -> FileSource {
    FileSource::open(queue_dir.path(), Arc::new(queue_dir.clock.clone())).unwrap()
}

fn pass(queue_dir: &QueueDir) -> impl Fn(Duration) -> BoxFuture<'static, ()> {
    let clock = queue_dir.clock.clone();
    move |by| {
        clock.advance(by);
        Box::pin(async {})
    }
}

macro_rules! passes {
    ($($name:ident),+) => {$(
        #[test]
        fn $name() {
            let queue_dir = QueueDir::new();
            let queue = queue_dir.open();
            block_on(suite::$name(&queue, &source(&queue_dir), &pass(&queue_dir)));
        }
    )+};
}

passes!(
    an_event_comes_back_when_its_visibility_ran_out,
    an_acknowledged_event_is_done_with,
    an_event_that_was_given_back_comes_when_its_time_has_come,
    an_event_that_is_extended_is_kept
);

#[test]
fn a_rejected_event_is_a_dead_letter_with_its_bytes() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    let source = source(&queue_dir);
    let rejected = block_on(suite::a_rejected_event_is_done_with(
        &queue,
        &source,
        &pass(&queue_dir),
    ));
    let stored = queue_dir.file().get(1).unwrap().unwrap();
    assert_eq!(stored.event.state, State::Dead);
    assert!(stored.envelope == rejected.envelope);
}

#[test]
fn a_wait_ends_with_an_event() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    block_on(suite::a_wait_ends_with_an_event(
        &queue,
        &source(&queue_dir),
    ));
}

#[test]
fn a_missing_file_is_refused_with_its_name() {
    let queue_dir = QueueDir::new();
    let clock = Arc::new(queue_dir.clock.clone());
    let error = FileSource::open(queue_dir.path(), clock).unwrap_err();
    assert!(error.resource.ends_with("queue.db"), "{error}");
    assert!(!error.may_pass, "{error}");
}
