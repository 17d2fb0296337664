//! What the spans of a delivery cost its program: on the way to the answer, and until they are a message to a collector.
//!
//! `cargo bench -p labelrelay-otlp --bench spans`. Read the ratio, not the figures: divide `noted` or `sent` by `floor`,
//! which reads the clock twice and hashes a body of 1 KB.

#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot set itself up has to stop"
)]

use bytes::Bytes;
use criterion::{
    BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime,
};
use futures_executor::block_on;
use jiff::Timestamp;
use labelrelay_core::config::{Config, Environment, SecretRef};
use labelrelay_core::relay::{Intake, Parts};
use labelrelay_core::{
    BoxFuture, Clock, Entropy, Exchange, Observer, QueueError, QueueLimits, Relay, Report,
    TraceContext,
};
use labelrelay_otlp::{Destination, Exporter, Post, Settings, Target, Tracer};
use labelrelay_testkit::clock::{CountingEntropy, FakeClock};
use labelrelay_testkit::in_memory::MemoryQueue;
use labelrelay_testkit::request::TestRequest;
use sha2::{Digest as _, Sha256};
use std::hint::black_box;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

const SECRET: &str = "a secret of the benchmark, 32 by";

const SOURCES: &str = r#"
[[source]]
name = "labelbox"
provider = "labelbox"
secret = "env:SECRET"
"#;

/// Deliveries of a message.
const BATCH: u64 = 512;

/// Takes every message at once.
struct Taken;

impl Post for Taken {
    async fn post(&mut self, _: &Target, message: Bytes) -> Result<u16, String> {
        black_box(&message);
        Ok(200)
    }
}

/// The machine's clock.
struct Now;

impl Clock for Now {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

/// The machine's randomness.
struct System;

impl Entropy for System {
    fn ten_bytes(&self) -> [u8; 10] {
        let mut bytes = [0; 10];
        getrandom::fill(&mut bytes).expect("random bytes");
        bytes
    }
}

/// What is measured.
#[derive(Clone, Copy)]
enum Part {
    /// What the answer waits for.
    Noted,
    /// That, and the message.
    Sent,
}

/// Repeats what a delivery does with its tracer, and measures that. An exchange exists only while the pipeline tells of it.
struct Repeating {
    tracer: Tracer,
    exporter: Mutex<Exporter<Taken>>,
    /// What to repeat, and how often.
    asked: Mutex<(Part, u64)>,
    took: Mutex<Duration>,
}

impl Repeating {
    fn repeat(&self, exchange: &Exchange<'_>) -> Duration {
        let (part, mut left) = *locked(&self.asked);
        let mut took = Duration::ZERO;
        while left > 0 {
            let count = left.min(BATCH);
            left -= count;
            let begin = Instant::now();
            for _ in 0..count {
                black_box(self.tracer.begin_trace());
                self.tracer.exchange(exchange);
            }
            let noted = begin.elapsed();
            self.flush();
            took += match part {
                Part::Noted => noted,
                Part::Sent => begin.elapsed(),
            };
        }
        took
    }

    fn flush(&self) {
        let mut exporter = locked(&self.exporter);
        let flush = pin!(exporter.flush(Duration::from_secs(1)));
        let is_done = flush.poll(&mut Context::from_waker(Waker::noop()));
        assert!(is_done.is_ready(), "nothing of it waits");
    }
}

impl Observer for Repeating {
    fn request(&self, _: &Report) {}

    fn exchange(&self, exchange: &Exchange<'_>) {
        *locked(&self.took) = self.repeat(exchange);
    }

    fn begin_trace(&self) -> Option<TraceContext> {
        self.tracer.begin_trace()
    }

    fn queue_attempt_failed(&self, _: &str, _: &str, _: &QueueError) {}
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A pipeline whose observer repeats.
struct Program {
    relay: Relay,
    repeating: Arc<Repeating>,
    number: u64,
}

impl Program {
    /// Must be called within a Tokio runtime.
    fn new(sampler: &str) -> Self {
        let environment: Environment = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
            ("OTEL_METRICS_EXPORTER", "none"),
            ("OTEL_TRACES_SAMPLER", sampler),
            ("SECRET", SECRET),
        ]
        .into_iter()
        .collect();
        let settings = Settings::read(&environment).expect("settings");
        let settings = settings.expect("an endpoint");
        let queue = Destination::of_url("sqlite:queue.db");
        let clock: Arc<dyn Clock> = Arc::new(Now);
        let tracer = Tracer::new(
            settings.sampler,
            queue,
            Arc::clone(&clock),
            Arc::new(System),
        );
        let exporter = Exporter::new(settings, tracer.clone(), String::new, clock, Taken);
        let repeating = Arc::new(Repeating {
            tracer,
            exporter: Mutex::new(exporter),
            asked: Mutex::new((Part::Noted, 0)),
            took: Mutex::default(),
        });
        let config = Config::from_toml(SOURCES, "bench.toml", ".".into(), &environment);
        let parts = Parts::new(
            Arc::new(MemoryQueue::new(QueueLimits::bytes(1 << 20))),
            Arc::new(FakeClock::at("2026-01-15T12:00:00Z")),
            Arc::new(CountingEntropy::default()),
            Arc::clone(&repeating) as Arc<dyn Observer>,
        );
        let open = |reference: &SecretRef, end| {
            let secret = reference.open(end, &environment, "bench.toml", "secret")?;
            Ok(secret.expect("no store is named"))
        };
        Self {
            relay: Relay::new(&config.expect("a configuration"), parts, &open).expect("a relay"),
            repeating,
            number: 0,
        }
    }

    /// The time of so many.
    fn measure(&mut self, part: Part, count: u64) -> Duration {
        *locked(&self.repeating.asked) = (part, count);
        self.number += 1;
        let body = format!(
            r#"{{"id":"l{}","label":"{{}}","deleted":false,"createdAt":"2020-09-24T04:56:08Z","updatedAt":"2020-09-24T04:56:08Z","dataRow":{{"id":"r1"}},"project":{{"id":"p1"}}}}"#,
            self.number
        );
        let request = TestRequest::labelbox(SECRET, "LABEL_CREATED", "d", body.as_bytes());
        let head = request.head(&FakeClock::at("2026-01-15T12:00:00Z"));
        block_on(async {
            match self.relay.receive(head, request.stream(1000)).await {
                Intake::Deliver(received) => self.relay.complete(received).await,
                Intake::Answer(answer) => answer,
            }
        });
        *locked(&self.repeating.took)
    }
}

fn bench(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, sampler: &str, part: Part) {
    let mut program = Program::new(sampler);
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|count| program.measure(part, count));
    });
}

fn spans(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_time().build().expect("a runtime");
    let _within = runtime.enter();
    let mut group = criterion.benchmark_group("spans of a delivery");
    let body = vec![b'x'; 1024];
    group.bench_function("floor", |bencher| {
        bencher.iter(|| {
            let begin = Timestamp::now();
            let digest = Sha256::digest(black_box(&body));
            (begin, digest, Timestamp::now())
        });
    });
    bench(&mut group, "noted", "parentbased_always_on", Part::Noted);
    bench(&mut group, "sent", "parentbased_always_on", Part::Sent);
    bench(&mut group, "left out", "always_off", Part::Noted);
    group.finish();
}

criterion_group!(benches, spans);
criterion_main!(benches);
