//! The end of a run: what was begun is finished, the rest is given back.

use crate::bodies::{annotated, event};
use crate::rules::in_order;
use crate::source::{End, Source};
use labelrelay_consumer::{Consumer, Failure, Incoming, MemoryState, Settings};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;

fn without_end(drain: Duration) -> Settings {
    let mut settings = in_order();
    settings.until_idle = None;
    settings.drain = drain;
    settings
}

/// Begins five events one after the other, each for ten seconds, and stops while it is at the first.
async fn stopped_at_the_first(drain: Duration) -> Arc<Source> {
    let source = Source::of((0..5).map(|n| annotated(&n.to_string(), n, 20)));
    let begun = Arc::new(Notify::new());
    let told = Arc::clone(&begun);
    let consumer = Consumer::new(MemoryState::new())
        .on_all(move |_| {
            told.notify_one();
            async {
                sleep(Duration::from_secs(10)).await;
                Ok(())
            }
        })
        .settings(without_end(drain));
    consumer
        .run(source.clone(), begun.notified())
        .await
        .unwrap();
    source
}

#[tokio::test(start_paused = true)]
async fn begun_events_are_finished_and_the_rest_is_given_back() {
    let source = stopped_at_the_first(Duration::ZERO).await;
    let mut ends = source.ends();
    assert_eq!(ends.remove(0), Some(End::Acknowledged));
    assert_eq!(ends, [None, None, None, None]);
    let retries = source.retries();
    assert!(
        retries[1..]
            .iter()
            .all(|pauses| *pauses == [Duration::ZERO])
    );
}

#[tokio::test(start_paused = true)]
async fn received_events_are_begun_as_long_as_there_is_time() {
    let source = stopped_at_the_first(Duration::from_secs(25)).await;
    let done = |end: &&Option<End>| **end == Some(End::Acknowledged);
    assert_eq!(source.ends().iter().filter(done).count(), 3);
    let source = stopped_at_the_first(Duration::from_secs(3600)).await;
    assert!(source.are_all_acknowledged());
}

/// The second thing of the event is another's until the end. Red if the rejection of the first is the last word.
#[tokio::test(start_paused = true)]
async fn an_event_that_is_cut_off_is_not_rejected() {
    let tasks = |ids: &[u32]| {
        let tasks: Vec<_> = ids
            .iter()
            .map(|id| {
                format!(r#"{{"id":{id},"data":{{}},"updated_at":"2026-11-28T00:00:05.000001Z"}}"#)
            })
            .collect();
        let tasks = tasks.join(",");
        let body =
            format!(r#"{{"action":"TASKS_CREATED","tasks":[{tasks}],"project":{{"id":1}}}}"#);
        event(&format!("{ids:?}"), "task.created", &body)
    };
    let source = Source::of([tasks(&[2]), tasks(&[1, 2])]);
    let rejected = Arc::new(Notify::new());
    let told = Arc::clone(&rejected);
    let mut settings = without_end(Duration::ZERO);
    settings.concurrency = 2;
    let consumer = Consumer::new(MemoryState::new())
        .on_all(move |incoming: Incoming| {
            let told = Arc::clone(&told);
            async move {
                sleep(Duration::from_secs(1)).await;
                if incoming.key().id == "1" {
                    told.notify_one();
                    return Err(Failure::reject("no use for it"));
                }
                sleep(Duration::from_secs(10)).await;
                Ok(())
            }
        })
        .settings(settings);
    consumer
        .run(source.clone(), rejected.notified())
        .await
        .unwrap();
    assert_eq!(source.ends(), [Some(End::Acknowledged), None]);
    assert_eq!(source.retries()[1], [Duration::ZERO]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_a_wait_for_events() {
    let source = Source::of([]);
    let consumer = Consumer::new(MemoryState::new())
        .on_all(|_| async { Ok(()) })
        .settings(without_end(Duration::ZERO));
    let begun = tokio::time::Instant::now();
    let stop = sleep(Duration::from_secs(3));
    consumer.run(source, stop).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(4));
}

/// A run that is dropped is a process that dies: nothing is acknowledged that was not handled, and all of it comes again.
#[tokio::test(start_paused = true)]
async fn events_of_a_dead_worker_come_again() {
    let source = Source::of((0..5).map(|n| annotated(&n.to_string(), n, 20)));
    let consumer = Consumer::new(MemoryState::new())
        .on_all(|_| std::future::pending())
        .settings(without_end(Duration::ZERO));
    let run = consumer.run(source.clone(), std::future::pending());
    assert!(
        tokio::time::timeout(Duration::from_secs(5), run)
            .await
            .is_err()
    );
    assert_eq!(source.ends(), [const { None }; 5]);
    assert_eq!(source.receives(), [1; 5]);
    let consumer = Consumer::new(MemoryState::new())
        .on_all(|_| async { Ok(()) })
        .settings({
            let mut settings = in_order();
            settings.until_idle = Some(Duration::from_secs(120));
            settings
        });
    consumer
        .run(source.clone(), std::future::pending())
        .await
        .unwrap();
    assert!(source.are_all_acknowledged());
    assert_eq!(source.receives(), [2; 5]);
}
