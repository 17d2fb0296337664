//! An event read, verified and turned into changes, against `RawValue` and SHA-256 over the same bytes.
//!
//! `cargo bench -p labelrelay-event` prints the ratios first: both are timed in turns there, so that a machine which is slower
//! for a second is so for both. Criterion then times each alone.

#![expect(
    clippy::expect_used,
    reason = "a benchmark without its fixtures is none"
)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use labelrelay_event::{Attributes, DataEncoding, Digest, Event, EventType, encode};
use serde_json::value::RawValue;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

fn fixture(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures")
        .join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A recorded annotation of Label Studio, its regions repeated until it has about `bytes`. Each has an id of its own, as
/// regions of one annotation have.
fn annotation(bytes: usize) -> String {
    let recorded = fixture(
        "label_studio/1.23.2/050_ANNOTATION_CREATED_annotation_regions_5000__project-all.http",
    );
    let body = recorded.split_once("\r\n\r\n").expect("a head").1;
    let (before, rest) = body.split_once("\"result\": [").expect("regions");
    let (regions, after) = rest.split_once("}}], ").expect("an end of regions");
    let regions = regions.split("}}, ");
    let mut out = format!("{before}\"result\": [");
    for (number, region) in regions.cycle().enumerate() {
        if number > 0 || !out.ends_with('[') {
            out.push_str("}}, ");
        }
        let id = format!("\"id\": \"{number}-");
        out.push_str(&region.replacen("\"id\": \"", &id, 1));
        if out.len() + after.len() >= bytes {
            break;
        }
    }
    out + "}}], " + after
}

/// A deletion of tasks, which names nothing but ids.
fn deletion(bytes: usize) -> String {
    let ids = (1..).map(|id| format!("{{\"id\": {id}}}"));
    let mut body =
        "{\"action\": \"TASKS_DELETED\", \"project\": {\"id\": 1}, \"tasks\": [{\"id\": 0}"
            .to_owned();
    for id in ids {
        if body.len() >= bytes {
            break;
        }
        body += ", ";
        body += &id;
    }
    body + "]}"
}

type Make = fn(usize) -> String;

const BODIES: [(&str, &str, Make); 2] = [
    ("annotation", "io.labelstud.annotation.created", annotation),
    ("deletion", "io.labelstud.task.deleted", deletion),
];

const SIZES: [(&str, usize); 3] = [("10KB", 10_000), ("100KB", 100_000), ("10MB", 10_000_000)];

fn message(event_type: &'static str, body: &str) -> Vec<u8> {
    let event_type = EventType::from_static(event_type);
    let digest = Digest::of(body.as_bytes());
    let received = "2026-11-21T09:47:12Z";
    let attributes = Attributes::new("e1", "/label-studio", &event_type, &digest, received);
    encode(
        &attributes,
        DataEncoding::Json,
        body.len(),
        [body.as_bytes()],
    )
}

/// Deliveries as a real Label Studio sent them, with a payload: 207 bytes to 16 KB, mostly about 5 KB.
fn recorded() -> Vec<Vec<u8>> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/label_studio/1.23.2");
    let files = std::fs::read_dir(folder).expect("fixtures");
    let mut names: Vec<_> = files
        .filter_map(|file| file.expect("a fixture").file_name().into_string().ok())
        .collect();
    names.sort();
    let deliveries = names.iter().filter_map(|name| {
        let request = fixture(&format!("label_studio/1.23.2/{name}"));
        let (_, body) = request.split_once("\r\n\r\n")?;
        let (_, action) = name.split_once('_')?;
        let (kind, verb) = ["CREATED", "UPDATED", "DELETED"].iter().find_map(|verb| {
            let kind = action.split_once(&format!("_{verb}_"))?.0;
            Some((
                kind.trim_end_matches('S').to_lowercase(),
                verb.to_lowercase(),
            ))
        })?;
        let event_type = format!("io.labelstud.{kind}.{verb}").leak();
        (body.len() < 16_384).then(|| message(event_type, body))
    });
    deliveries
        .filter(|message| Event::parse(message).is_ok_and(|event| event.changes().is_ok()))
        .collect()
}

fn reading_recorded(criterion: &mut Criterion) {
    let messages = recorded();
    assert!(messages.len() > 40, "{}", messages.len());
    let mut group = criterion.benchmark_group("recorded");
    group.throughput(Throughput::Bytes(
        messages.iter().map(|one| one.len() as u64).sum(),
    ));
    group.bench_function("floor", |bencher| {
        bencher.iter(|| messages.iter().map(|one| floor(one)).sum::<usize>());
    });
    group.bench_function("event", |bencher| {
        bencher.iter(|| messages.iter().map(|one| read(one)).sum::<usize>());
    });
    group.finish();
}

/// What nothing that reads an event can do without.
fn floor(message: &[u8]) -> usize {
    let raw: &RawValue = serde_json::from_slice(black_box(message)).expect("JSON");
    black_box(Digest::of(message));
    raw.get().len()
}

fn read(message: &[u8]) -> usize {
    let event = Event::parse(black_box(message)).expect("an event");
    event.verify().expect("what was sent");
    black_box(event.changes().expect("changes")).len()
}

fn reading(criterion: &mut Criterion) {
    for (name, event_type, make) in BODIES {
        for (size, bytes) in SIZES {
            let message = message(event_type, &make(bytes));
            let event = Event::parse(&message).expect("an event");
            assert!(!event.changes().expect("changes").is_empty());
            let mut group = criterion.benchmark_group(format!("{name}/{size}"));
            group.throughput(Throughput::Bytes(message.len() as u64));
            group.bench_with_input(
                BenchmarkId::from_parameter("floor"),
                &message,
                |bencher, message| bencher.iter(|| floor(message)),
            );
            group.bench_with_input(
                BenchmarkId::from_parameter("event"),
                &message,
                |bencher, message| bencher.iter(|| read(message)),
            );
            group.finish();
        }
    }
}

/// How many times as long an event takes as the floor: of rounds in turns, the quarter below which the fastest lie, and the
/// median.
fn print_ratio(name: &str, messages: &[Vec<u8>]) {
    let bytes: usize = messages.iter().map(Vec::len).sum();
    let rounds = (400_000_000 / bytes).clamp(20, 2_000);
    let timed = |read: fn(&[u8]) -> usize| {
        let begun = Instant::now();
        for message in messages {
            black_box(read(message));
        }
        begun.elapsed().as_secs_f64()
    };
    let (mut floors, mut events): (Vec<_>, Vec<_>) =
        (0..rounds).map(|_| (timed(floor), timed(read))).unzip();
    floors.sort_by(f64::total_cmp);
    events.sort_by(f64::total_cmp);
    let ratio = |part: usize| {
        let at = rounds * part / 4;
        events
            .get(at)
            .zip(floors.get(at))
            .map_or(0.0, |(event, floor)| event / floor)
    };
    println!(
        "{name}: {:.2} times the floor, {:.2} in the median",
        ratio(1),
        ratio(2)
    );
}

fn print_ratios() {
    print_ratio("recorded", &recorded());
    for (name, event_type, make) in BODIES {
        for (size, bytes) in SIZES {
            print_ratio(
                &format!("{name}/{size}"),
                &[message(event_type, &make(bytes))],
            );
        }
    }
}

criterion_group!(benches, reading_recorded, reading);

fn main() {
    // With `--test`, each is run once, and nothing is timed.
    if !std::env::args().any(|argument| argument == "--test") {
        print_ratios();
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
