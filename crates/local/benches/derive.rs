//! A commit of Label Studio's annotation events of 1 KB, with and without the ledger from which events are derived.
//!
//! `cargo bench -p labelrelay-local --bench derive`. Read the ratios at the end, from interleaved rounds, of medians and
//! of sums: only the sums tell of what one commit in many pays for the others. The aim is that a commit of one event
//! costs at most 1.10 of what it costs without the ledger, and one of 64 at most 1.5. Nothing follows from an annotation
//! that is changed; one that completes its task brings a second event along, which has to be written as well, and has no
//! aim. `cargo xtask campaign derived-cost` sets the variable with which the bench fails where an aim is missed.

#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot set itself up has to stop"
)]

use criterion::{Criterion, Throughput};
use futures_executor::block_on;
use futures_util::future::join_all;
use labelrelay_core::config::Config;
use labelrelay_core::derive::Derivation;
use labelrelay_core::{EventQueue as _, OutboundMessage};
use labelrelay_event::{Attributes, DataEncoding, Digest, EventType, encode};
use labelrelay_local::{EmbeddedQueue, Options};
use labelrelay_testkit::clock::FakeClock;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Tasks that are worked at.
const TASKS: u64 = 1000;

/// With this variable, it fails where an aim is missed.
const AIMS: &str = "LABELRELAY_BENCH_AIMS";

/// Events of a commit, and the cost with the ledger that is aimed at, as a multiple of that without.
const OF_COMMITS: [(usize, f64); 2] = [(1, 1.10), (64, 1.5)];

const ROUNDS: usize = 30;
const COMMITS: u64 = 40;

#[derive(Clone, Copy)]
enum Kind {
    Changed,
    Completing,
}

/// A queue, and the number of the next event.
struct Bench {
    queue: EmbeddedQueue,
    next: u64,
    _dir: TempDir,
}

fn derivation() -> Option<Arc<Derivation>> {
    let lookup = |name: &str| (name == "SECRET").then(|| "0123456789abcdef".to_owned());
    let toml = "[[source]]\nname = \"label-studio\"\nprovider = \"label-studio\"\nsecret = \"env:SECRET\"\n";
    let config = Config::from_toml(toml, "bench", "/".into(), &lookup).expect("a configuration");
    Derivation::of(&config.sources).map(Arc::new)
}

impl Bench {
    fn new(derives: bool) -> Self {
        let dir = TempDir::new().expect("a folder");
        let mut options = Options::default();
        options.derivation = derivation().filter(|_| derives);
        let clock = Arc::new(FakeClock::at("2026-11-21T09:00:00Z"));
        let queue = EmbeddedQueue::open(dir.path().join("queue.db"), options, clock);
        let mut bench = Self {
            queue: queue.expect("a queue"),
            next: 1,
            _dir: dir,
        };
        for _ in 0..TASKS / 50 {
            bench.commit(50, Kind::Changed);
        }
        bench
    }

    fn event(&mut self, kind: Kind) -> OutboundMessage {
        let number = self.next;
        self.next += 1;
        let (id, action) = match kind {
            Kind::Changed => (1 + number % TASKS, "updated"),
            Kind::Completing => (TASKS + number, "created"),
        };
        let (minute, micros) = (number / 1_000_000, number % 1_000_000);
        let data = format!(
            r#"{{"action":"ANNOTATION_{}","annotation":{{"id":{id},"task":{id},"was_cancelled":false,"updated_at":"2026-11-21T09:{minute:02}:00.{micros:06}Z","result":"{}"}},"project":{{"id":1,"skip_queue":"REQUEUE_FOR_OTHERS"}},"task":{{"id":{id},"is_labeled":true,"overlap":1,"total_annotations":1,"cancelled_annotations":0}}}}"#,
            action.to_uppercase(),
            "x".repeat(700)
        );
        let event_type = match kind {
            Kind::Changed => EventType::from_static("io.labelstud.annotation.updated"),
            Kind::Completing => EventType::from_static("io.labelstud.annotation.created"),
        };
        let digest = Digest::of(data.as_bytes());
        let received = "2026-11-21T09:00:00.000000Z";
        let source = "/label-studio";
        let mut attributes =
            Attributes::new(number.to_string(), source, &event_type, &digest, received);
        attributes.project = Some("1".to_owned());
        let pieces = [data.as_bytes()];
        let envelope = encode(&attributes, DataEncoding::Json, data.len(), pieces);
        OutboundMessage::new(attributes, envelope)
    }

    /// Sends some at once, and waits until they are written.
    fn commit(&mut self, events: usize, kind: Kind) -> Duration {
        let messages: Vec<_> = (0..events).map(|_| self.event(kind)).collect();
        let begun = Instant::now();
        let sent = block_on(join_all(messages.iter().map(|it| self.queue.send(it))));
        let took = begun.elapsed();
        assert!(sent.iter().all(Result::is_ok), "{sent:?}");
        took
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The cost with the ledger, as a multiple of that without: of medians, and of sums.
fn ratio(events: usize, kind: Kind) -> [f64; 2] {
    let mut queues = [Bench::new(false), Bench::new(true)];
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for _ in 0..COMMITS {
            for (queue, times) in queues.iter_mut().zip(&mut times) {
                times.push(queue.commit(events, kind));
            }
        }
    }
    let sums = times.each_ref().map(|times| times.iter().sum());
    let medians = times.map(median);
    let [without, with] = medians;
    println!("{events} at once: {without:?} without the ledger, {with:?} with it");
    [medians, sums].map(|[without, with]: [Duration; 2]| with.as_secs_f64() / without.as_secs_f64())
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("commit");
    for (name, derives) in [("without", false), ("with", true)] {
        let mut bench = Bench::new(derives);
        group.throughput(Throughput::Elements(1));
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| (0..times).map(|_| bench.commit(1, Kind::Changed)).sum());
        });
    }
    group.finish();
    criterion.final_summary();
    let mut missed = Vec::new();
    for (what, kind, has_aim) in [
        ("changed", Kind::Changed, true),
        ("completing its task", Kind::Completing, false),
    ] {
        for (events, aim) in OF_COMMITS {
            let [of_medians, of_sums] = ratio(events, kind);
            let line = format!("{events} {what}: {of_medians:.3} of medians, {of_sums:.3} of sums");
            println!("ratio, {line}");
            if has_aim && of_sums > aim {
                missed.push(format!("{line}, which is above {aim}"));
            }
        }
    }
    assert!(
        missed.is_empty() || std::env::var_os(AIMS).is_none(),
        "aims missed: {missed:#?}"
    );
}
