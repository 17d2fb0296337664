//! Load on the embedded queue: the events that it takes in a second, and the time that a send waits.
//!
//! `cargo run --release -p labelrelay-local --example load -- [--bytes 1700] [--senders 64] [--seconds 5]
//! [--before 1000000] [--dir DIR] [--checkpoint BYTES] [--step BYTES] [--readers N]`
//!
//! Senders are tasks of a small thread pool, each with one send under way; every id and every body is
//! distinct. `--before` events are put into the file first. `--readers` receive and acknowledge beside.
#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a measuring program"
)]

use futures_executor::{ThreadPool, block_on};
use futures_util::future::join_all;
use futures_util::task::SpawnExt as _;
use jiff::Timestamp;
use labelrelay_core::{BoxFuture, Clock, EventQueue as _, OutboundMessage};
use labelrelay_local::{EmbeddedQueue, Options, QueueFile};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

struct SystemClock(Instant);

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        unreachable!("the queue does not sleep")
    }
}

fn main() {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let given: HashMap<&str, &str> = given
        .chunks(2)
        .map(|pair| (pair[0].as_str(), pair[1].as_str()))
        .collect();
    let number = |name: &str, default: u64| {
        given
            .get(name)
            .map_or(default, |text| text.parse().unwrap())
    };
    let (bytes, senders) = (
        usize::try_from(number("--bytes", 1700)).unwrap(),
        number("--senders", 64),
    );
    let (seconds, before) = (number("--seconds", 5), number("--before", 0));
    let dir = given
        .get("--dir")
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let place = tempfile::tempdir_in(dir).unwrap();
    let path = place.path().join("queue.db");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock(Instant::now()));
    let mut options = Options::default();
    options.checkpoint_bytes = number("--checkpoint", options.checkpoint_bytes);
    options.checkpoint_step_bytes = number("--step", options.checkpoint_step_bytes);

    let pool = ThreadPool::builder().pool_size(2).create().unwrap();
    let mut queue =
        Arc::new(EmbeddedQueue::open(&path, options.clone(), Arc::clone(&clock)).unwrap());
    if before > 0 {
        let taken = AtomicU64::new(0);
        let (sent, elapsed, _) = run(&pool, &queue, 64, 1700, "before", move |_| {
            taken.fetch_add(1, Ordering::Relaxed) < before
        });
        println!(
            "put {sent} events of 1,700 bytes into the file first: {:.0}/s",
            sent as f64 / elapsed.as_secs_f64()
        );
        drop(queue);
        let opening = Instant::now();
        queue = Arc::new(EmbeddedQueue::open(&path, options, Arc::clone(&clock)).unwrap());
        println!(
            "opened it again in {:.2} s, resident {} MiB",
            opening.elapsed().as_secs_f64(),
            status("VmRSS:") / 1024
        );
    }
    let stop = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..number("--readers", 0))
        .map(|_| reader(&path, &clock, &stop))
        .collect();
    let until = Instant::now() + Duration::from_secs(seconds);
    let (journal, cpu) = (Arc::new(AtomicU64::new(0)), cpu());
    let watcher = watch(&path, &stop, &journal);
    let (sent, elapsed, mut waits) = run(&pool, &queue, senders, bytes, "load", move |_| {
        Instant::now() < until
    });
    let cpu = self::cpu() - cpu;
    stop.store(true, Ordering::Relaxed);
    watcher.join().unwrap();
    waits.sort_unstable();
    let at = |thousandth: usize| f64::from(waits[(waits.len() - 1) * thousandth / 1000]) / 1000.0;
    println!(
        "{bytes} bytes, {senders} senders: {:.0}/s  p50 {:.2} ms  p99 {:.2} ms  p99.9 {:.2} ms  max {:.1} ms  cpu {:.1} us/event  journal at most {} MiB  resident {} MiB, peak {} MiB",
        sent as f64 / elapsed.as_secs_f64(),
        at(500),
        at(990),
        at(999),
        at(1000),
        cpu * 1e6 / sent as f64,
        journal.load(Ordering::Relaxed) >> 20,
        status("VmRSS:") / 1024,
        status("VmHWM:") / 1024,
    );
    for reader in readers {
        let (received, slowest) = reader.join().unwrap();
        println!(
            "a reader received and acknowledged {received} events beside it; its slowest call took {:.1} ms",
            slowest.as_secs_f64() * 1000.0
        );
    }
}

/// Microseconds; small, for the memory that is measured is this process's.
type Waits = Vec<u32>;

fn run(
    pool: &ThreadPool,
    queue: &Arc<EmbeddedQueue>,
    senders: u64,
    bytes: usize,
    name: &'static str,
    go_on: impl Fn(u64) -> bool + Send + Sync + 'static,
) -> (u64, Duration, Waits) {
    let go_on = Arc::new(go_on);
    let begun = Instant::now();
    let tasks: Vec<_> = (0..senders)
        .map(|sender| {
            let (queue, go_on) = (Arc::clone(queue), Arc::clone(&go_on));
            pool.spawn_with_handle(async move {
                let mut waits = Vec::new();
                let mut n = 0_u64;
                while go_on(n) {
                    n += 1;
                    let message = message(name, sender, n, bytes);
                    let at = Instant::now();
                    assert!(!queue.send(&message).await.unwrap().repeat);
                    waits.push(u32::try_from(at.elapsed().as_micros()).unwrap());
                }
                waits
            })
            .unwrap()
        })
        .collect();
    let waits: Waits = block_on(join_all(tasks)).into_iter().flatten().collect();
    (waits.len() as u64, begun.elapsed(), waits)
}

fn message(name: &str, sender: u64, n: u64, bytes: usize) -> OutboundMessage {
    let digest = labelrelay_event::Digest::of(format!("{name} {sender} {n}").as_bytes());
    let id = digest.to_hex();
    let kind = labelrelay_event::EventType::from_static("com.labelbox.label.created");
    let mut attributes = labelrelay_event::Attributes::new(
        id.as_str(),
        "/labelbox",
        &kind,
        &digest,
        "2026-11-21T09:47:10.371842Z",
    );
    attributes.subject = Some(format!("label/ck{}", &id[..23]));
    let mut body = vec![b'x'; bytes];
    body[..64].copy_from_slice(id.as_bytes());
    OutboundMessage::new(attributes, body)
}

fn reader(
    path: &Path,
    clock: &Arc<dyn Clock>,
    stop: &Arc<AtomicBool>,
) -> std::thread::JoinHandle<(usize, Duration)> {
    let (file, stop) = (
        QueueFile::open(path, Arc::clone(clock)).unwrap(),
        Arc::clone(stop),
    );
    std::thread::spawn(move || {
        let (mut received, mut slowest) = (0, Duration::ZERO);
        while !stop.load(Ordering::Relaxed) {
            let at = Instant::now();
            let taken = file.receive(10, Duration::from_secs(30)).unwrap();
            slowest = slowest.max(at.elapsed());
            let receipts: Vec<_> = taken
                .iter()
                .map(|delivery| delivery.receipt.as_str())
                .collect();
            let at = Instant::now();
            file.acknowledge_all(&receipts).unwrap();
            slowest = slowest.max(at.elapsed());
            received += taken.len();
        }
        (received, slowest)
    })
}

fn watch(
    path: &Path,
    stop: &Arc<AtomicBool>,
    journal: &Arc<AtomicU64>,
) -> std::thread::JoinHandle<()> {
    let (path, stop, journal) = (
        format!("{}-wal", path.display()),
        Arc::clone(stop),
        Arc::clone(journal),
    );
    std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            journal.fetch_max(
                std::fs::metadata(&path).map_or(0, |m| m.len()),
                Ordering::Relaxed,
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    })
}

/// A figure of `/proc/self/status`, in KiB.
fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|l| {
            l.strip_prefix(name)?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        })
        .unwrap_or(0)
}

/// Seconds of processor time that this process has used.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(11)
        .take(2);
    fields.filter_map(|f| f.parse::<f64>().ok()).sum::<f64>() / 100.0
}
