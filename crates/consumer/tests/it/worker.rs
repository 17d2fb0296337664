//! Faults of others that must neither hold an event for ever nor lose it.

use crate::bodies::annotated;
use crate::rules::{Seen, in_order, noting};
use crate::source::{End, Source};
use labelrelay_consumer::{
    Consumer, Failure, MemoryState, Outcome, RunError, Settings, Slots, Work, Worker,
};
use labelrelay_core::{BoxFuture, ReceivedEvent};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// Red if the event is extended for ever though nobody works on it.
#[tokio::test(start_paused = true)]
async fn an_event_whose_settlement_panicked_comes_again() {
    let source = Source::of([annotated("a", 5, 20)]);
    source.retry_panics.store(true, Ordering::Relaxed);
    let mut settings = in_order();
    settings.until_idle = Some(Duration::from_secs(300));
    let consumer = Consumer::new(MemoryState::new())
        .on_all(|_| async { Err(Failure::retry("not yet")) })
        .settings(settings);
    let stop = sleep(Duration::from_secs(200));
    consumer.run(source.clone(), stop).await.unwrap();
    assert!(source.receives()[0] >= 2);
}

/// Red if the run goes on, and handles every event again and again.
#[tokio::test(start_paused = true)]
async fn a_run_that_cannot_acknowledge_ends_with_an_error() {
    let source = Source::of((0..30).map(|n| annotated(&n.to_string(), n, 20)));
    source.ack_panics.store(true, Ordering::Relaxed);
    let mut settings = in_order();
    settings.until_idle = None;
    let consumer = noting(&Seen::default(), MemoryState::new()).settings(settings);
    let ended = consumer.run(source.clone(), std::future::pending()).await;
    assert_eq!(ended, Err(RunError::NotAcknowledged));
    assert!(source.ends().iter().all(Option::is_none));
}

/// Red if those beside it wait for their acknowledgement until its extension is over.
#[tokio::test(start_paused = true)]
async fn an_extension_that_hangs_keeps_no_other_event() {
    let source = Source::of((0..3).map(|n| annotated(&n.to_string(), n, 20)));
    source.slow_extension.store(0, Ordering::Relaxed);
    let mut settings = in_order();
    settings.concurrency = 3;
    let consumer = Consumer::new(MemoryState::new())
        .on_all(|_| async {
            sleep(Duration::from_secs(30)).await;
            Ok(())
        })
        .settings(settings);
    let looked = async {
        sleep(Duration::from_secs(35)).await;
        source.ends()
    };
    let (ended, ends) = tokio::join!(consumer.run(source.clone(), std::future::pending()), looked);
    ended.unwrap();
    assert_eq!(
        ends,
        [None, Some(End::Acknowledged), Some(End::Acknowledged)]
    );
    // By the receipt that the extension gave.
    assert!(source.are_all_acknowledged());
}

/// Works on nothing before it may.
struct Held(watch::Receiver<bool>);

impl Work for Held {
    fn work<'a>(&'a self, _: &'a ReceivedEvent, slots: &'a Slots) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let _slot = slots.take().await;
            let _ = self.0.clone().wait_for(|may| *may).await;
            Outcome::Done
        })
    }
}

#[tokio::test(start_paused = true)]
async fn held_events_are_bounded_in_bytes() {
    const MIB: usize = 1024 * 1024;
    let source = Source::of((0..8).map(|_| vec![b' '; 20 * MIB]));
    source.most_at_once.store(1, Ordering::Relaxed);
    let (may, held) = watch::channel(false);
    let mut settings = Settings::default();
    settings.concurrency = 100;
    settings.until_idle = Some(Duration::from_secs(1));
    let worker = Worker::new(source.clone(), Arc::new(Held(held)), settings);
    let looked = async {
        sleep(Duration::from_secs(30)).await;
        let received: u32 = source.receives().iter().sum();
        may.send_replace(true);
        received
    };
    let (ended, received) = tokio::join!(worker.run(std::future::pending()), looked);
    ended.unwrap();
    assert_eq!(received, 4, "the fourth goes beyond 64 MiB");
    assert!(source.are_all_acknowledged());
}
