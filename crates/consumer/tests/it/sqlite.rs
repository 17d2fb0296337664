//! The state in a file: leases between processes, and what outlives them.

use crate::bodies::annotated;
use crate::source::Source;
use labelrelay_consumer::{Consumer, Known, SqliteState, State as _};
use labelrelay_event::changes::{Key, Kind};
use std::sync::{Arc, Barrier};
use std::time::Duration;
use tokio::sync::Notify;

const LEASE: Duration = Duration::from_secs(60);

/// Looks, a millisecond apart, until something is free. Another thread frees it, which has its turn when the machine lets it.
const TRIES: usize = 20_000;

fn key(kind: Kind, id: &'static str) -> Key<'static> {
    Key::new("/label-studio", kind, id)
}

fn known(version: &str, parents: &[Key<'static>]) -> Known {
    Known {
        version: Some(version.to_owned()),
        is_there: true,
        until: String::new(),
        parents: parents.to_vec(),
    }
}

#[tokio::test]
async fn a_thing_is_one_processes_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("seen.db");
    let [one, other] = [(); 2].map(|()| SqliteState::open(&path).unwrap());
    let annotation = key(Kind::Annotation, "5");
    let task = [key(Kind::Task, "7")];
    let found = one.enter(&annotation, &task, LEASE, true).await.unwrap();
    assert_eq!(found.unwrap().len(), 0);
    assert_eq!(
        other.enter(&annotation, &task, LEASE, true).await.unwrap(),
        None
    );
    let after = known("2", &task);
    let left = one.leave(&annotation, Some(&after), Some("event"));
    assert!(left.await.unwrap());
    assert!(other.was_handled("event").await.unwrap());
    let found = other.enter(&annotation, &[], LEASE, true).await.unwrap();
    assert_eq!(found.unwrap()[&annotation], known("2", &task));

    // A lease that ran out is the next one's, and who had it learns so.
    other.keep(Duration::ZERO).await.unwrap();
    let mut taken = None;
    for _ in 0..TRIES {
        taken = one.enter(&annotation, &[], LEASE, false).await.unwrap();
        if taken.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(taken.is_some());
    let after = known("1", &task);
    let late = other.leave(&annotation, Some(&after), Some("late"));
    assert!(!late.await.unwrap());
    assert!(!one.was_handled("late").await.unwrap());

    // Things that a process held when it ended are free.
    drop(one);
    let mut free = None;
    for _ in 0..TRIES {
        free = other.enter(&annotation, &[], LEASE, false).await.unwrap();
        if free.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(free.is_some());
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
    let annotation = key(Kind::Annotation, "5");
    let mut free = None;
    for _ in 0..TRIES {
        free = other.enter(&annotation, &[], LEASE, false).await.unwrap();
        if free.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(free.is_some());
}

#[tokio::test]
async fn notes_outlive_the_process() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("seen.db");
    let [annotation, task, project] = [
        key(Kind::Annotation, "5"),
        key(Kind::Task, "7"),
        key(Kind::Project, "1"),
    ];
    {
        let state = SqliteState::open(&path).unwrap();
        for (thing, parent) in [(&task, &project), (&annotation, &task)] {
            let parents = std::slice::from_ref(parent);
            state.enter(thing, parents, LEASE, true).await.unwrap();
            state
                .leave(thing, Some(&known("1", parents)), None)
                .await
                .unwrap();
        }
        state.remove(&project, "5").await.unwrap();
        state.remove(&project, "3").await.unwrap();
        state.handled("event").await.unwrap();
        state.sync().await.unwrap();
    }
    let state = SqliteState::open(&path).unwrap();
    assert!(state.was_handled("event").await.unwrap());
    assert_eq!(
        state.below(&project).await.unwrap(),
        std::slice::from_ref(&task)
    );
    let found = state
        .enter(&annotation, &[], LEASE, false)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.len(), 3, "the project is found through the task");
    assert_eq!(found[&project].until, "5");
    // A write does not move what is gone.
    state
        .leave(&annotation, Some(&known("9", &[])), None)
        .await
        .unwrap();
    let found = state
        .enter(&annotation, &[], LEASE, false)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found[&annotation], known("9", &[]));
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
