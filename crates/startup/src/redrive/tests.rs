use super::Redrive;
use labelrelay_core::fallback::MAX_ENVELOPE;
use labelrelay_core::traces::is_of;
use labelrelay_core::{Clock as _, FallbackStore as _, QueueLimits};
use labelrelay_testkit::clock::FakeClock;
use labelrelay_testkit::in_memory::{MemoryFallback, MemoryQueue};
use labelrelay_testkit::queue_suite::message;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::yield_now;

/// Red if an event from the fallback leaves no trace, or waits there because it could leave none.
#[tokio::test]
async fn what_comes_out_of_the_fallback_leaves_a_trace_if_it_can() {
    for (is_broken, left) in [(false, 2), (true, 0)] {
        let clock = FakeClock::at("2026-11-29T00:00:00Z");
        let fallback = Arc::new(MemoryFallback::default());
        let store = Arc::new(MemoryFallback::default());
        let queue = Arc::new(MemoryQueue::new(QueueLimits::bytes(1 << 20)));
        for key in ["1", "2"] {
            let envelope = message(key, b"{}").body;
            fallback.put(key, envelope).await.unwrap();
        }
        store.break_down(is_broken);
        let redrive = Redrive {
            fallback: fallback.clone(),
            queue: queue.clone(),
            blobs: None,
            traces: Some(store.clone()),
            clock: Arc::new(clock.clone()),
            max_envelope: MAX_ENVELOPE,
        };
        let until = clock.monotonic() + Duration::from_secs(60);
        let done = redrive.run(until).await.unwrap();
        assert_eq!((done.moved, done.failed, done.complete), (2, 0, true));
        assert_eq!(queue.messages().len(), 2);
        let keys = store.keys();
        assert_eq!(keys.len(), left, "{keys:?}");
        assert!(keys.iter().all(|key| is_of(key, "labelbox")), "{keys:?}");
    }
}

/// Red if each event waits for a trace in a store that never answers: 500 events would take two minutes and a half.
#[tokio::test]
async fn a_store_for_traces_that_hangs_holds_up_a_few_events_alone() {
    let clock = FakeClock::at("2026-11-29T00:00:00Z");
    let fallback = Arc::new(MemoryFallback::default());
    let store = Arc::new(MemoryFallback::default());
    for number in 100..600 {
        let key = number.to_string();
        let envelope = message(&key, b"{}").body;
        fallback.put(&key, envelope).await.unwrap();
    }
    store.hang();
    let redrive = Redrive {
        fallback,
        queue: Arc::new(MemoryQueue::new(QueueLimits::bytes(1 << 20))),
        blobs: None,
        traces: Some(store),
        clock: Arc::new(clock.clone()),
        max_envelope: MAX_ENVELOPE,
    };
    let until = clock.monotonic() + Duration::from_secs(60);
    let time = async {
        for _ in 0..120 {
            for _ in 0..1000 {
                yield_now().await;
            }
            clock.advance(Duration::from_secs(1));
        }
    };
    let done = tokio::select! {
        done = redrive.run(until) => done.unwrap(),
        () = time => panic!("it has no end"),
    };
    assert_eq!((done.moved, done.failed, done.complete), (500, 0, true));
}
