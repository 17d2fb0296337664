//! The suite that every source of events passes, and what is particular to a file.

use crate::support::{QueueDir, message, send};
use futures_executor::block_on;
use futures_util::future::join;
use labelrelay_core::backend::{BackEndError, CommandLineBackEnd as _, Location};
use labelrelay_core::{BoxFuture, Clock, EventQueue, EventSource, SourceOptions};
use labelrelay_local::{EmbeddedQueue, FileSource, Local, Options, State};
use labelrelay_testkit::source_suite::{self as suite, Subject, Tells};
use rusqlite::Connection;
use std::sync::Arc;
use std::time::Duration;

fn source(queue_dir: &QueueDir) -> FileSource {
    FileSource::open(queue_dir.path(), Arc::new(queue_dir.clock.clone())).unwrap()
}

/// Runs `test` over a fresh file, which it may look into.
fn over_a_file<T>(test: impl AsyncFnOnce(Subject<'_>, &QueueDir) -> T) -> T {
    let queue_dir = QueueDir::new();
    let queue: EmbeddedQueue = queue_dir.open();
    let source = source(&queue_dir);
    let clock = queue_dir.clock.clone();
    let pass = move |by| -> BoxFuture<'static, ()> {
        clock.advance(by);
        Box::pin(async {})
    };
    let subject = Subject {
        queue: &queue,
        source: &source,
        pass: &pass,
        tells: Tells::All,
    };
    block_on(test(subject, &queue_dir))
}

macro_rules! passes {
    ($($name:ident),+) => {$(
        #[test]
        fn $name() {
            over_a_file(async |subject, _| suite::$name(subject).await);
        }
    )+};
}

passes!(
    an_event_comes_back_when_its_visibility_ran_out,
    an_acknowledged_event_is_done_with,
    an_event_that_was_given_back_comes_when_its_time_has_come,
    an_event_that_is_extended_is_kept,
    a_wait_ends_with_an_event,
    odd_and_large_envelopes_come_as_they_were_sent
);

#[test]
fn a_rejected_event_is_a_dead_letter_with_its_bytes() {
    over_a_file(async |subject, queue_dir| {
        let rejected = suite::a_rejected_event_is_done_with(subject).await;
        let stored = queue_dir.file().get(1).unwrap().unwrap();
        assert_eq!(stored.event.state, State::Dead);
        assert!(stored.envelope == rejected.envelope);
    });
}

#[test]
fn an_event_that_others_may_have_is_not_rejected() {
    over_a_file(async |subject, queue_dir| {
        suite::an_event_that_others_may_have_is_not_rejected(subject).await;
        assert!(queue_dir.file().dead(10).unwrap().is_empty());
    });
}

#[test]
fn a_long_batch_is_settled_receipt_by_receipt() {
    over_a_file(async |subject, _| {
        suite::a_long_batch_is_settled_receipt_by_receipt(subject, 40).await;
    });
}

#[test]
fn an_event_that_is_held_is_nobody_elses() {
    over_a_file(async |subject, queue_dir| {
        let other = source(queue_dir);
        suite::an_event_that_is_held_is_nobody_elses(subject, &other).await;
    });
}

#[test]
fn an_event_that_is_received_too_often_is_a_dead_letter() {
    over_a_file(async |subject, queue_dir| {
        let most = Options::default().max_receives;
        suite::an_event_that_is_received_too_often_is_handed_out_no_more(subject, most).await;
        assert_eq!(queue_dir.file().dead(10).unwrap().len(), 1);
    });
}

/// Red if a receive that waits writes: it would have to wait for the other's transaction, which ends only after it.
#[test]
fn a_look_at_an_empty_queue_waits_for_nobody_who_writes() {
    over_a_file(async |subject, queue_dir| {
        let other = Connection::open(queue_dir.path()).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let received = subject
            .source
            .receive(1, Duration::from_secs(1), Duration::ZERO)
            .await;
        assert!(received.unwrap().is_empty());
        other.execute_batch("ROLLBACK").unwrap();
    });
}

/// Red if it is cut: the event would be received again while its consumer believes to have it.
#[test]
fn a_time_that_the_file_does_not_know_is_refused() {
    over_a_file(async |subject, _| {
        let day = Duration::from_secs(86_400);
        let received = subject.source.receive(1, day, Duration::ZERO).await;
        let extended = subject.source.extend("1-0", day).await;
        for error in [received.err(), extended.err()] {
            let error = error.unwrap();
            assert!(
                error.cure.contains("12 hours") && !error.retryable,
                "{error}"
            );
        }
    });
}

fn opened(
    queue_dir: &QueueDir,
    url: &str,
    options: &SourceOptions,
) -> Result<Arc<dyn EventSource>, BackEndError> {
    let clock: Arc<dyn Clock> = Arc::new(queue_dir.clock.clone());
    let local = Local::new(Options::default(), clock);
    let base_dir = queue_dir.dir.path();
    block_on(local.event_source(Location { url, base_dir }, options))
}

#[test]
fn a_back_end_opens_a_file_and_the_directory_of_a_serve() {
    let queue_dir = QueueDir::new();
    let options = SourceOptions::default();
    let queue = queue_dir.open();
    send(&queue, "one");
    let file = opened(&queue_dir, "sqlite:queue.db", &options).unwrap();
    let received = block_on(file.receive(10, Duration::from_secs(60), Duration::ZERO));
    assert_eq!(received.unwrap().len(), 1);

    let own = queue_dir.dir.path().join(".labelrelay");
    std::fs::create_dir(&own).unwrap();
    let clock = Arc::new(queue_dir.clock.clone());
    let queue = EmbeddedQueue::open(own.join("queue.db"), Options::default(), clock).unwrap();
    for directory in [".", queue_dir.dir.path().to_str().unwrap()] {
        let source = opened(&queue_dir, directory, &options).unwrap();
        let sent = message(directory);
        let receive = source.receive(10, Duration::from_secs(60), Duration::from_secs(20));
        let (sent, received) = block_on(join(queue.send(&sent), receive));
        sent.unwrap();
        assert_eq!(received.unwrap().len(), 1, "{directory}");
    }
}

#[test]
fn a_source_that_cannot_be_opened_is_refused_with_the_cure() {
    let queue_dir = QueueDir::new();
    let options = SourceOptions::default();
    let elsewhere = SourceOptions::default().dead_letter("sqlite:dead.db");
    drop(queue_dir.open());
    for (url, options, word) in [
        ("sqlite:queue.db", &elsewhere, "dead letters of its own"),
        ("sqlite:", &options, "names no file"),
        ("sqlite:missing.db", &options, "missing.db"),
        ("nowhere", &options, "sqlite:FILE"),
        (".", &options, ".labelrelay"),
    ] {
        let error = opened(&queue_dir, url, options).err().expect(url);
        assert!(
            error.to_string().contains(word) && !error.retryable,
            "{url}: {error}"
        );
    }
    std::fs::write(queue_dir.dir.path().join("labelrelay.toml"), "").unwrap();
    let error = opened(&queue_dir, ".", &options).err().unwrap();
    assert!(error.to_string().contains("labelrelay.toml"), "{error}");
}

#[test]
fn a_missing_file_is_refused_with_its_name() {
    let queue_dir = QueueDir::new();
    let clock = Arc::new(queue_dir.clock.clone());
    let error = FileSource::open(queue_dir.path(), clock).unwrap_err();
    assert!(error.resource.ends_with("queue.db"), "{error}");
    assert!(!error.retryable, "{error}");
}
