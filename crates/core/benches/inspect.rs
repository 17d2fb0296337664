//! One pass that checks and describes a body, against `serde_json`'s check alone over the same bytes.
//!
//! `cargo bench -p labelrelay-core`; read the ratio, not the figures: divide a group's `RawValue` by
//! its `Inspector`. What it must not exceed is in ARCHITECTURE.md.

#![expect(
    clippy::expect_used,
    reason = "a benchmark without its fixtures is none"
)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use http::{HeaderMap, Method};
use labelrelay_core::RequestHead;
use labelrelay_core::json;
use labelrelay_core::provider::Provider;
use serde_json::value::RawValue;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

/// The size in which bodies come off a socket at best.
const PIECE_BYTES: usize = 64 * 1024;

fn fixture(path: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures")
        .join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A recorded annotation of Label Studio, its regions cut or repeated until it has about `bytes`.
fn annotation(bytes: usize) -> Vec<u8> {
    let recorded = fixture(
        "label_studio/1.23.2/050_ANNOTATION_CREATED_annotation_regions_5000__project-all.http",
    );
    let text = String::from_utf8(recorded).expect("recorded requests are ASCII");
    let body = text.split_once("\r\n\r\n").expect("a head").1;
    let (before, rest) = body.split_once("\"result\": [").expect("regions");
    let (regions, after) = rest.split_once("}}], ").expect("an end of regions");
    let regions: Vec<&str> = regions.split("}}, ").collect();
    let mut out = format!("{before}\"result\": [");
    let room = bytes.saturating_sub(after.len());
    for (number, region) in regions.iter().cycle().enumerate() {
        if number > 0 {
            out.push_str("}}, ");
        }
        out.push_str(region);
        if out.len() >= room {
            break;
        }
    }
    out.push_str("}}], ");
    out.push_str(after);
    out.into_bytes()
}

/// A Labelbox label whose `label`, JSON within a string, has about `bytes`.
fn label(bytes: usize) -> Vec<u8> {
    let text = String::from_utf8(fixture("labelbox/v1_label_updated.json")).expect("UTF-8");
    let (before, rest) = text
        .split_once("{\\\"featureId")
        .expect("an object in the label");
    let (object, after) = rest
        .split_once("],\\\"classifications")
        .expect("the end of objects");
    let object = format!("{{\\\"featureId{object}");
    let times = (bytes / object.len()).max(1);
    format!(
        "{before}{}],\\\"classifications{after}",
        vec![object; times].join(",")
    )
    .into_bytes()
}

fn inspect(
    provider: Provider,
    head: &RequestHead,
    body: &[u8],
) -> labelrelay_core::describe::Inspection {
    let mut inspector = provider.inspector(head);
    for piece in body.chunks(PIECE_BYTES) {
        inspector.update(piece);
    }
    inspector.finish()
}

fn passes(criterion: &mut Criterion) {
    let head = RequestHead {
        method: Method::POST,
        path: "/".to_owned(),
        headers: HeaderMap::new(),
        peer: None,
        arrived: Duration::ZERO,
    };
    let bodies = [
        (
            "annotation",
            Provider::LabelStudio,
            annotation as fn(usize) -> Vec<u8>,
        ),
        ("label", Provider::Labelbox, label),
    ];
    for (name, provider, make) in bodies {
        for (size, bytes) in [("1KB", 1_000), ("100KB", 100_000), ("10MB", 10_000_000)] {
            let body = make(bytes);
            assert!(
                inspect(provider, &head, &body).check.is_json,
                "{name} {size}"
            );
            assert!(
                !inspect(provider, &head, &body)
                    .description
                    .event_type
                    .is_unrecognized(),
                "{name} {size}"
            );
            let mut group = criterion.benchmark_group(format!("{name}/{size}"));
            group.throughput(Throughput::Bytes(body.len() as u64));
            group.bench_with_input(
                BenchmarkId::from_parameter("RawValue"),
                &*body,
                |b, body| {
                    b.iter(|| serde_json::from_slice::<&RawValue>(black_box(body)).is_ok());
                },
            );
            group.bench_with_input(BenchmarkId::from_parameter("Check"), &*body, |b, body| {
                b.iter(|| json::check(black_box(body)));
            });
            group.bench_with_input(
                BenchmarkId::from_parameter("Inspector"),
                &*body,
                |b, body| {
                    b.iter(|| inspect(provider, &head, black_box(body)));
                },
            );
            group.finish();
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = passes
}
criterion_main!(benches);
