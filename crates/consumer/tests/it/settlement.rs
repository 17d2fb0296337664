//! The end of an event that failed, of the others, and of one that takes long.

use crate::bodies::{annotated, event};
use crate::rules::{Seen, in_order, noting};
use crate::source::{End, Source, error};
use labelrelay_consumer::{
    Consumer, Failure, Incoming, Known, MemoryState, RunError, State, StateError,
};
use labelrelay_core::BoxFuture;
use labelrelay_event::changes::Key;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::sleep;

/// A consumer whose handler fails for the annotation 5, as often as it is called.
fn failing(failure: impl Fn() -> Failure + Send + Sync + 'static) -> Consumer {
    Consumer::new(MemoryState::new())
        .on_all(move |incoming: Incoming| {
            let failure = (incoming.key().id == "5").then(&failure);
            async move { failure.map_or(Ok(()), Err) }
        })
        .settings(in_order())
}

#[tokio::test(start_paused = true)]
async fn an_event_that_fails_comes_again_later_each_time_and_takes_no_other_along() {
    let source = Source::of((0..10).map(|n| annotated(&n.to_string(), n, 20)));
    let mut settings = in_order();
    settings.max_receives = Some(4);
    settings.until_idle = Some(Duration::from_secs(3600));
    let consumer = failing(|| Failure::retry("the database is away")).settings(settings);
    let stats = consumer
        .run(source.clone(), std::future::pending())
        .await
        .unwrap();
    let reason = "received 4 times: the database is away".to_owned();
    for (n, end) in source.ends().into_iter().enumerate() {
        let expected = if n == 5 {
            End::Rejected(reason.clone())
        } else {
            End::Acknowledged
        };
        assert_eq!(end, Some(expected), "{n}");
    }
    let retries = &source.retries()[5];
    assert_eq!(retries.len(), 3);
    for (pause, whole) in retries.iter().zip([10, 40, 160]) {
        let whole = Duration::from_secs(whole);
        assert!(whole / 2 <= *pause && *pause <= whole, "{pause:?}");
    }
    assert_eq!(
        (stats.retried, stats.rejected, stats.acknowledged),
        (3, 1, 10)
    );
}

/// The consumer ends what the queue does not: what fails by its own fault after five receives, and nothing else.
#[tokio::test(start_paused = true)]
async fn without_a_limit_of_the_queue_own_failures_are_counted_here() {
    let settings = || {
        let mut settings = in_order();
        settings.until_idle = Some(Duration::from_secs(3600));
        settings
    };
    let source = Source::of([annotated("a", 5, 20)]);
    source.counts_nothing.store(true, Ordering::Relaxed);
    let consumer = failing(|| Failure::retry("why")).settings(settings());
    let never = std::future::pending();
    consumer.run(source.clone(), never).await.unwrap();
    let reason = "received 5 times: why".to_owned();
    assert_eq!(source.ends(), [Some(End::Rejected(reason))]);

    let state = Faulty::default();
    state.0.enters.store(8, Ordering::SeqCst);
    let source = Source::of([annotated("a", 5, 20)]);
    source.counts_nothing.store(true, Ordering::Relaxed);
    let consumer = noting(&Seen::default(), state).settings(settings());
    let never = std::future::pending();
    consumer.run(source.clone(), never).await.unwrap();
    assert_eq!(source.ends(), [Some(End::Acknowledged)]);
    assert_eq!(source.receives(), [9]);

    // The queue's own limit is the queue's affair.
    let source = Source::of([annotated("a", 5, 20)]);
    let consumer = failing(|| Failure::retry("why")).settings(settings());
    let stop = sleep(Duration::from_secs(7200));
    consumer.run(source.clone(), stop).await.unwrap();
    assert_eq!(source.ends(), [None]);
    assert!(source.receives()[0] > 5);
}

#[tokio::test(start_paused = true)]
async fn a_handler_says_when_and_whether() {
    let after = Duration::from_secs(77);
    let source = Source::of([annotated("a", 5, 20), annotated("b", 6, 20)]);
    let consumer = failing(move || Failure::retry("not yet").after(after));
    consumer
        .run(source.clone(), std::future::pending())
        .await
        .unwrap();
    assert_eq!(source.retries(), [vec![after], vec![]]);

    let source = Source::of([annotated("a", 5, 20), annotated("b", 6, 20)]);
    let consumer = failing(|| Failure::reject("no use\nfor it"));
    let stats = consumer
        .run(source.clone(), std::future::pending())
        .await
        .unwrap();
    let rejected = End::Rejected("no use for it".to_owned());
    assert_eq!(source.ends(), [Some(rejected), Some(End::Acknowledged)]);
    assert_eq!(stats.rejected, 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_fails_its_event_alone() {
    let source = Source::of([annotated("a", 5, 20), annotated("b", 6, 20)]);
    let consumer = failing(|| panic!("a fault of the test"));
    consumer
        .run(source.clone(), std::future::pending())
        .await
        .unwrap();
    assert_eq!(source.ends(), [None, Some(End::Acknowledged)]);
    assert_eq!(source.retries()[0].len(), 1);
}

/// Without the extensions, each would be received again and again while its handler works.
#[tokio::test(start_paused = true)]
async fn an_event_stays_hidden_as_long_as_its_handler_works() {
    let source = Source::of((0..4).map(|n| annotated(&n.to_string(), n, 20)));
    let consumer = Consumer::new(MemoryState::new())
        .on_all(|_| async {
            sleep(Duration::from_secs(600)).await;
            Ok(())
        })
        .settings(in_order());
    consumer
        .run(source.clone(), std::future::pending())
        .await
        .unwrap();
    // Each by the receipt that its last extension gave.
    assert!(source.are_all_acknowledged());
    assert_eq!(source.receives(), [1; 4]);
    assert!(source.extensions().iter().all(|times| *times >= 10));
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_event_is_left_for_the_dead_letters() {
    let good = annotated("good", 6, 20);
    let changed_body = String::from_utf8(annotated("changed", 5, 20)).unwrap();
    let changed_body = changed_body.replace("\"result\":[]", "\"result\":[1]");
    let source = Source::of([
        b"nonsense".to_vec(),
        changed_body.into_bytes(),
        event("odd", "annotation.updated", "{}"),
        good,
    ]);
    let seen = Seen::default();
    let mut settings = in_order();
    settings.max_receives = Some(2);
    settings.until_idle = Some(Duration::from_secs(60));
    let consumer = noting(&seen, MemoryState::new()).settings(settings);
    let stats = consumer
        .run(source.clone(), std::future::pending())
        .await
        .unwrap();
    assert_eq!(seen.lines(), ["annotation/6 0020"]);
    let ends = source.ends();
    for (end, error) in ends
        .iter()
        .zip(["MalformedEnvelope", "DigestMismatch", "PayloadMissing"])
    {
        let Some(End::Rejected(reason)) = end else {
            panic!("{end:?}");
        };
        assert!(reason.contains(error), "{reason}");
        assert!(reason.starts_with("received 2 times: "), "{reason}");
    }
    assert_eq!(ends[3], Some(End::Acknowledged));
    assert_eq!(stats.unreadable, 6);
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_is_tried_again_and_several_go_together() {
    let source = Source::of((0..50).map(|n| annotated(&n.to_string(), n, 20)));
    source.fail_acks([error(true), error(true)]);
    let consumer = noting(&Seen::default(), MemoryState::new());
    consumer
        .run(source.clone(), std::future::pending())
        .await
        .unwrap();
    assert!(source.are_all_acknowledged());
    assert_eq!(source.receives(), [1; 50]);
    let acks = source.acks.lock().unwrap().len();
    assert!(acks <= 10, "{acks} calls for 50 events");
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_away_for_a_while_is_waited_for() {
    let source = Source::of([annotated("a", 5, 20)]);
    source.fail_receives([error(true), error(true), error(true)]);
    let mut settings = in_order();
    settings.until_idle = Some(Duration::from_secs(60));
    let consumer = noting(&Seen::default(), MemoryState::new()).settings(settings);
    consumer
        .run(source.clone(), std::future::pending())
        .await
        .unwrap();
    assert!(source.are_all_acknowledged());
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_never_answers_ends_the_run() {
    let consumer = noting(&Seen::default(), MemoryState::new());
    let source = Source::of([]);
    source.fail_receives([error(false)]);
    let ended = consumer.run(source, std::future::pending()).await;
    assert_eq!(ended, Err(RunError::Source(error(false))));
    let source = Source::of([]);
    source.fail_receives(std::iter::repeat_n(error(true), 100));
    let ended = consumer.run(source, std::future::pending()).await;
    assert_eq!(ended, Err(RunError::NothingReceived(error(true))));
}

/// Red if every event is handled again and again, because of a permission that is lacking.
#[tokio::test(start_paused = true)]
async fn a_queue_that_lets_nothing_be_acknowledged_ends_the_run() {
    let source = Source::of((0..3).map(|n| annotated(&n.to_string(), n, 20)));
    source.fail_acks(std::iter::repeat_n(error(false), 100));
    let mut settings = in_order();
    settings.until_idle = None;
    let consumer = noting(&Seen::default(), MemoryState::new()).settings(settings);
    let ended = consumer.run(source.clone(), std::future::pending()).await;
    assert_eq!(ended, Err(RunError::Source(error(false))));
    assert!(source.ends().iter().all(Option::is_none));

    // Later on it may be of some receipts, and is waited for.
    let source = Source::of((0..20).map(|n| annotated(&n.to_string(), n, 20)));
    source.most_at_once.store(1, Ordering::Relaxed);
    let mut settings = in_order();
    settings.prefetch = 0;
    let failing = Arc::clone(&source);
    let consumer = Consumer::new(MemoryState::new())
        .on_all(move |incoming: Incoming| {
            // Those before it were acknowledged, some of them at least.
            if incoming.key().id == "15" {
                failing.fail_acks([error(false)]);
            }
            async {
                sleep(Duration::from_secs(1)).await;
                Ok(())
            }
        })
        .settings(settings);
    let ended = consumer.run(source.clone(), std::future::pending()).await;
    assert!(ended.is_ok(), "{ended:?}");
}

#[tokio::test]
async fn without_a_handler_nothing_is_received() {
    let source = Source::of([annotated("a", 5, 20)]);
    let consumer = Consumer::new(MemoryState::new());
    let ended = consumer.run(source.clone(), std::future::pending()).await;
    assert_eq!(ended, Err(RunError::NoHandler));
    assert_eq!(source.receives(), [0]);
}

/// A state that fails where a test wants it to.
#[derive(Clone, Default)]
struct Faulty(Arc<Faults>);

#[derive(Default)]
struct Faults {
    good: MemoryState,
    enters: AtomicUsize,
    syncs: AtomicUsize,
}

impl Faulty {
    fn fails(left: &AtomicUsize) -> Result<(), StateError> {
        let fails = left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            })
            .is_ok();
        if fails {
            return Err(StateError::new("a fault of the test"));
        }
        Ok(())
    }
}

impl State for Faulty {
    fn was_handled<'a>(&'a self, event: &'a str) -> BoxFuture<'a, Result<bool, StateError>> {
        self.0.good.was_handled(event)
    }

    fn handled<'a>(&'a self, event: &'a str) -> BoxFuture<'a, Result<(), StateError>> {
        self.0.good.handled(event)
    }

    fn enter<'a>(
        &'a self,
        key: &'a Key<'static>,
        parents: &'a [Key<'static>],
        lease: Duration,
        comes: bool,
    ) -> BoxFuture<'a, Result<Option<HashMap<Key<'static>, Known>>, StateError>> {
        match Self::fails(&self.0.enters) {
            Ok(()) => self.0.good.enter(key, parents, lease, comes),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn leave<'a>(
        &'a self,
        key: &'a Key<'static>,
        known: Option<&'a Known>,
        event: Option<&'a str>,
    ) -> BoxFuture<'a, Result<bool, StateError>> {
        self.0.good.leave(key, known, event)
    }

    fn keep(&self, lease: Duration) -> BoxFuture<'_, Result<(), StateError>> {
        self.0.good.keep(lease)
    }

    fn remove<'a>(
        &'a self,
        key: &'a Key<'static>,
        until: &'a str,
    ) -> BoxFuture<'a, Result<(), StateError>> {
        self.0.good.remove(key, until)
    }

    fn below<'a>(
        &'a self,
        key: &'a Key<'static>,
    ) -> BoxFuture<'a, Result<Vec<Key<'static>>, StateError>> {
        self.0.good.below(key)
    }

    fn sync(&self) -> BoxFuture<'_, Result<(), StateError>> {
        Box::pin(std::future::ready(Self::fails(&self.0.syncs)))
    }
}

#[tokio::test(start_paused = true)]
async fn a_state_that_fails_makes_no_dead_letters_and_loses_nothing() {
    let state = Faulty::default();
    state.0.enters.store(3, Ordering::SeqCst);
    state.0.syncs.store(1, Ordering::SeqCst);
    let source = Source::of([annotated("a", 5, 20)]);
    let seen = Seen::default();
    let mut settings = in_order();
    settings.max_receives = Some(1);
    settings.until_idle = Some(Duration::from_secs(1000));
    let consumer = noting(&seen, state).settings(settings);
    consumer
        .run(source.clone(), std::future::pending())
        .await
        .unwrap();
    assert!(source.are_all_acknowledged());
    // Three times the state failed, once it was not durable; then the event was known.
    assert_eq!(source.receives(), [5]);
    assert_eq!(seen.lines().len(), 1);
}
