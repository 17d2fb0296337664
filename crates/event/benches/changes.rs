//! An event read, verified and turned into changes, against `RawValue` and SHA-256 over the same bytes.
//!
//! `cargo bench -p labelrelay-event`; read the ratio, not the figures: divide a group's `floor` by its `event`.

#![expect(
    clippy::expect_used,
    reason = "a benchmark without its fixtures is none"
)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use labelrelay_event::{Attributes, DataEncoding, Digest, Event, EventType, encode};
use serde_json::value::RawValue;
use std::hint::black_box;
use std::path::Path;

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

fn reading(criterion: &mut Criterion) {
    let bodies = [
        (
            "annotation",
            "io.labelstud.annotation.created",
            annotation as fn(usize) -> String,
        ),
        ("deletion", "io.labelstud.task.deleted", deletion),
    ];
    for (name, event_type, make) in bodies {
        for (size, bytes) in [("10KB", 10_000), ("100KB", 100_000), ("10MB", 10_000_000)] {
            let message = message(event_type, &make(bytes));
            let event = Event::parse(&message).expect("an event");
            assert!(!event.changes().expect("changes").is_empty());
            let mut group = criterion.benchmark_group(format!("{name}/{size}"));
            group.throughput(Throughput::Bytes(message.len() as u64));
            group.bench_with_input(
                BenchmarkId::from_parameter("floor"),
                &message,
                |bencher, message| {
                    bencher.iter(|| {
                        let raw: &RawValue =
                            serde_json::from_slice(black_box(message)).expect("JSON");
                        (raw.get().len(), Digest::of(message))
                    });
                },
            );
            group.bench_with_input(
                BenchmarkId::from_parameter("event"),
                &message,
                |bencher, message| {
                    bencher.iter(|| {
                        let event = Event::parse(black_box(message)).expect("an event");
                        event.verify().expect("what was sent");
                        event.changes().expect("changes")
                    });
                },
            );
            group.finish();
        }
    }
}

criterion_group!(benches, reading);
criterion_main!(benches);
