//! The state in a file: leases between processes, and what outlives them.

use crate::bodies::annotated;
use crate::source::Source;
use crate::state_suite::{self, LEASE, enter_when_free, key, known};
use labelrelay_consumer::{Consumer, SqliteState, State as _};
use labelrelay_event::changes::Kind;
use std::sync::{Arc, Barrier};
use tokio::sync::Notify;

#[tokio::test]
async fn a_thing_is_one_processes_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("seen.db");
    let [one, other] = [(); 2].map(|()| SqliteState::open(&path).unwrap());
    state_suite::a_thing_is_one_processes_at_a_time(one, &other).await;
}

#[test]
fn several_start_at_the_same_moment_with_a_new_file() {
    let directory = tempfile::tempdir().unwrap();
    let at_once = Barrier::new(3);
    for number in 0..60 {
        let path = directory.path().join(format!("{number}.db"));
        std::thread::scope(|scope| {
            let start = || {
                at_once.wait();
                SqliteState::open(&path).map(drop)
            };
            let started = [(); 3].map(|()| scope.spawn(start));
            for one in started {
                one.join().unwrap().unwrap();
            }
        });
    }
}

/// Kept by the state, it would keep every other process from the thing as long as this one lives.
#[tokio::test]
async fn a_run_that_is_dropped_leaves_no_lease() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("seen.db");
    let begun = Arc::new(Notify::new());
    let told = Arc::clone(&begun);
    let consumer = Consumer::new(SqliteState::open(&path).unwrap()).on_all(move |_| {
        told.notify_one();
        std::future::pending()
    });
    let source = Source::of([annotated("a", 5, 20)]);
    tokio::select! {
        ended = consumer.run(source, std::future::pending()) => panic!("{ended:?}"),
        () = begun.notified() => {}
    }
    let other = SqliteState::open(&path).unwrap();
    enter_when_free(&other, &key(Kind::Annotation, "5")).await;
}

#[tokio::test]
async fn notes_outlive_the_process() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("seen.db");
    let state = SqliteState::open(&path).unwrap();
    state_suite::note_things(&state).await;
    state_suite::note_a_removal(&state).await;
    drop(state);
    let state = SqliteState::open(&path).unwrap();
    state_suite::notes_are_there(&state).await;

    let annotation = key(Kind::Annotation, "5");
    let found = state.enter(&annotation, &[], LEASE, false).await.unwrap();
    let found = found.unwrap();
    assert_eq!(found.len(), 3, "the project is found through the task");
    assert_eq!(found[&key(Kind::Project, "1")].until, "5");
    // A write does not move what is gone.
    let after = known("9", &[]);
    let left = state.leave(&annotation, Some(&after), None);
    assert!(left.await.unwrap());
    let found = state.enter(&annotation, &[], LEASE, false).await.unwrap();
    assert_eq!(found.unwrap()[&annotation], known("9", &[]));
}

#[test]
fn a_file_of_a_newer_version_or_of_something_else_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("seen.db");
    drop(SqliteState::open(&path).unwrap());
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch("pragma user_version = 2").unwrap();
    let error = SqliteState::open(&path).unwrap_err().to_string();
    assert!(error.contains("newer"), "{error}");
    let other = directory.path().join("notes.txt");
    std::fs::write(&other, "no database at all. ".repeat(100)).unwrap();
    let error = SqliteState::open(&other).unwrap_err().to_string();
    assert!(error.contains("cannot be used"), "{error}");
}
