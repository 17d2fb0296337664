//! A relay on a test bench: fake time, a queue in memory, remembered reports.

use futures_executor::block_on;
use futures_util::future::{Either, select};
use labelrelay_core::config::Config;
use labelrelay_core::queue::QueueLimits;
use labelrelay_core::relay::{Intake, Parts, Received};
use labelrelay_core::{Answer, Relay, Spool};
use labelrelay_testkit::clock::{CountingEntropy, FakeClock};
use labelrelay_testkit::in_memory::{MemoryBlobs, MemoryFallback, MemoryQueue, RecordingObserver};
use labelrelay_testkit::request::TestRequest;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

pub const SECRET: &str = "current-secret-0123456789";
pub const PREVIOUS: &str = "previous-secret-0123456789";

pub const BOTH_PLATFORMS: &str = r#"
[[source]]
name = "labelbox"
provider = "labelbox"
secret = "env:SECRET"
previous_secret = "env:PREVIOUS"
previous_until = "2026-02-01T00:00:00Z"
models = ["yolo", "sam"]

[[source]]
name = "label-studio"
provider = "label-studio"
secret = "env:SECRET"
ml_backend = true
"#;

pub struct Bench {
    pub relay: Relay,
    pub clock: FakeClock,
    pub queue: Arc<MemoryQueue>,
    pub blobs: Arc<MemoryBlobs>,
    pub fallback: Arc<MemoryFallback>,
    /// Traces, if there are any.
    pub traces: Arc<MemoryFallback>,
    pub seen: Arc<RecordingObserver>,
}

impl Bench {
    pub fn new() -> Self {
        Self::with(BOTH_PLATFORMS, QueueLimits::bytes(1 << 30), false)
    }

    pub fn with(toml: &str, limits: QueueLimits, blobs: bool) -> Self {
        Self::build(toml, limits, blobs, false, None)
    }

    /// With a fallback behind a queue that takes messages of up to `max_message_bytes`.
    pub fn with_fallback(max_message_bytes: u64, blobs: bool) -> Self {
        let limits = QueueLimits::bytes(max_message_bytes);
        Self::build(BOTH_PLATFORMS, limits, blobs, true, None)
    }

    /// With a fallback, and a store for traces.
    pub fn with_traces(toml: &str) -> Self {
        let limits = QueueLimits::bytes(1 << 20);
        Self::whole(toml, limits, false, true, None, true)
    }

    pub fn build(
        toml: &str,
        limits: QueueLimits,
        blobs: bool,
        fallback: bool,
        spool: Option<Arc<dyn Spool>>,
    ) -> Self {
        Self::whole(toml, limits, blobs, fallback, spool, false)
    }

    fn whole(
        toml: &str,
        limits: QueueLimits,
        blobs: bool,
        fallback: bool,
        spool: Option<Arc<dyn Spool>>,
        traces: bool,
    ) -> Self {
        let lookup = |name: &str| match name {
            "SECRET" => Some(SECRET.to_owned()),
            "PREVIOUS" => Some(PREVIOUS.to_owned()),
            _ => None,
        };
        let config = Config::from_toml(toml, "test.toml", PathBuf::from("."), &lookup)
            .expect("a good configuration");
        let clock = FakeClock::at("2026-01-15T12:00:00Z");
        let (queue, store, seen) = (
            Arc::new(MemoryQueue::new(limits)),
            Arc::new(MemoryBlobs::default()),
            Arc::new(RecordingObserver::default()),
        );
        let second = Arc::new(MemoryFallback::default());
        let left = Arc::new(MemoryFallback::default());
        let parts = Parts::new(
            queue.clone(),
            Arc::new(clock.clone()),
            Arc::new(CountingEntropy::default()),
            seen.clone(),
        )
        .with_blobs(blobs.then(|| store.clone() as _))
        .with_fallback(fallback.then(|| second.clone() as _))
        .with_traces(traces.then(|| left.clone() as _))
        .with_spool(spool);
        let open = |reference: &labelrelay_core::config::SecretRef, end| {
            Ok(reference
                .open(end, &lookup, "test.toml", "secret")?
                .expect("no store is named"))
        };
        let relay = Relay::new(&config, parts, &open).expect("secrets open");
        Self {
            relay,
            clock,
            queue,
            blobs: store,
            fallback: second,
            traces: left,
            seen,
        }
    }

    /// The whole way, as an adapter goes it.
    pub async fn deliver_async(&self, request: &TestRequest) -> Answer {
        match self
            .relay
            .receive(request.head(&self.clock), request.stream(1000))
            .await
        {
            Intake::Deliver(received) => self.relay.complete(received).await,
            Intake::Answer(answer) => answer,
        }
    }

    pub fn deliver(&self, request: &TestRequest) -> Answer {
        block_on(self.deliver_async(request))
    }

    /// As far as the last byte; what it holds is given back when it is dropped.
    pub fn deliver_half(&self, request: &TestRequest) -> Box<Received> {
        let received = self
            .relay
            .receive(request.head(&self.clock), request.stream(10_000));
        match block_on(received) {
            Intake::Deliver(received) => received,
            Intake::Answer(answer) => panic!("{answer:?}"),
        }
    }

    /// Delivers while the clock moves on by 11 s, which is longer than any delivery may take.
    pub fn deliver_while_time_passes(&self, request: &TestRequest) -> Answer {
        let tick = async {
            for _ in 0..110 {
                self.clock.advance(Duration::from_millis(100));
                // Lets the other side run between two ticks.
                let mut polled = false;
                std::future::poll_fn(|context| {
                    if std::mem::replace(&mut polled, true) {
                        return Poll::Ready(());
                    }
                    context.waker().wake_by_ref();
                    Poll::Pending
                })
                .await;
            }
        };
        let delivery = std::pin::pin!(self.deliver_async(request));
        match block_on(select(delivery, std::pin::pin!(tick))) {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => panic!("still at it 11 s after the arrival"),
        }
    }

    pub fn status(&self, request: &TestRequest) -> u16 {
        self.deliver(request).outcome.status().as_u16()
    }

    /// The reason of the newest report.
    pub fn reason(&self) -> String {
        self.seen
            .reports()
            .last()
            .and_then(|report| report.reason.clone())
            .unwrap_or_default()
    }
}
