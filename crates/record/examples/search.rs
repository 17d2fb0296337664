//! How long a search takes in a record of a million deliveries, as the page asks for it.
//!
//! `cargo run --release -p labelrelay-record --example search [DELIVERIES]`
//!
//! Medians of twenty, each with the file opened anew. Aim: 200 ms.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measuring program"
)]

use labelrelay_core::Clock;
use labelrelay_record::{Filter, Options, RecordFile, Recorder, Row};
use labelrelay_startup::SystemClock;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const AIM: Duration = Duration::from_millis(200);
const TIMES: usize = 20;

/// A page of the list, and one more.
const LIMIT: usize = 101;

/// Rows that are noted at once: they have room while the thread gathers them.
const AT_ONCE: u64 = 10_000;
const GATHER: Duration = Duration::from_millis(150);

fn main() {
    let wanted: u64 = std::env::args()
        .nth(1)
        .map_or(1_000_000, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("queue.db.record");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let begun = Instant::now();
    fill(&path, wanted, &clock);
    let record = RecordFile::open(&path).unwrap().unwrap();
    println!(
        "{} deliveries in {:.0} s; {} are missing",
        record.count().unwrap(),
        begun.elapsed().as_secs_f64(),
        record.lost().unwrap()
    );
    drop(record);
    let middle = wanted / 2;
    for (what, text) in [
        ("an event", event_id(middle)),
        (
            "the beginning of one",
            event_id(middle).chars().take(10).collect(),
        ),
        ("a delivery's id", delivery_id(middle)),
        ("a subject", format!("task/{}", middle / 10)),
        ("a project that has all", "3".to_owned()),
        ("a type that has all", "io.labelstud".to_owned()),
        ("a name in the record", format!("r{middle}")),
        ("nothing that is there", "ffffffffffffffff".to_owned()),
    ] {
        let (time, found) = measured(&path, &text);
        let verdict = if time <= AIM { "met" } else { "MISSED" };
        println!(
            "{verdict:<7} {:>8.2} ms  {found:>4} found  {what}",
            time.as_secs_f64() * 1000.0
        );
    }
}

/// The median, and how many were found.
fn measured(path: &Path, text: &str) -> (Duration, usize) {
    let newest = Filter {
        newest_first: true,
        ..Filter::default()
    };
    let mut times = Vec::new();
    let mut found = 0;
    for _ in 0..TIMES {
        let begun = Instant::now();
        let record = RecordFile::open(path).unwrap().unwrap();
        found = record.search(text, &newest, LIMIT).unwrap().len();
        times.push(begun.elapsed());
    }
    times.sort();
    (times.get(TIMES / 2).copied().unwrap_or_default(), found)
}

/// Ids look like digests: their order is not that in which they came.
fn event_id(number: u64) -> String {
    let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{scattered:016x}{number:048x}")
}

fn delivery_id(number: u64) -> String {
    let scattered = number.wrapping_mul(0xd1b5_4a32_d192_ed03);
    format!("{scattered:016x}-{number:x}")
}

fn row(number: u64, now_ms: i64) -> Row {
    Row {
        arrived_ms: now_ms,
        status: 200,
        outcome: "accepted".to_owned(),
        source: Some("label-studio".to_owned()),
        method: Some("POST".to_owned()),
        path: Some("/label-studio".to_owned()),
        head: Some("host: relay.example\ncontent-type: application/json\n".to_owned()),
        event_id: Some(event_id(number)),
        event_type: Some("io.labelstud.annotation.updated".to_owned()),
        subject: Some(format!("task/{}", number / 10)),
        project: Some("3".to_owned()),
        delivery_id: Some(delivery_id(number)),
        verified_by: Some("env:SECRET".to_owned()),
        client: Some("192.0.2.7".to_owned()),
        elapsed_us: 1234,
        queue_us: Some(567),
        ..Row::default()
    }
}

/// However small the disk is: all that is recorded has to be found.
fn on_any_disk(mut options: Options) -> Options {
    options.max_disk_percent = 100;
    options
}

/// Records so many deliveries, and has all of them moved into the file.
fn fill(path: &Path, wanted: u64, clock: &Arc<dyn Clock>) {
    let begin = || {
        let recorder = Recorder::new(
            path.to_owned(),
            on_any_disk(Options::default()),
            Arc::clone(clock),
        );
        recorder.begin().unwrap();
        recorder
    };
    let recorder = begin();
    for first in (0..wanted).step_by(usize::try_from(AT_ONCE).unwrap()) {
        let now_ms = clock.now().as_millisecond();
        for number in first..wanted.min(first + AT_ONCE) {
            recorder.note(row(number, now_ms));
        }
        std::thread::sleep(GATHER);
    }
    recorder.close();
    // Each end moves what it can in half a second.
    while waits(path) {
        begin().close();
    }
}

/// Tells whether something is left in the journal.
fn waits(path: &Path) -> bool {
    let mut journal = path.as_os_str().to_owned();
    journal.push(".journal");
    std::fs::read_dir(journal).is_ok_and(|mut files| files.next().is_some())
}
