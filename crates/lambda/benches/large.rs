//! An event as large as the platform lets it be, from its bytes to the call that stores the body,
//! against the passes that it cannot avoid, each bare, over the same bytes in the same run: decoding,
//! HMAC-SHA1, SHA-256, one JSON check, one copy.
//!
//! `cargo bench -p labelrelay-lambda --bench large --profile function`. Read the ratio: it must not exceed
//! 1.2. It is printed at the end, from interleaved rounds.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot set itself up has to stop"
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput};
use futures_util::StreamExt;
use hmac::{Hmac, KeyInit, Mac};
use labelrelay_core::config::{Config, SecretRef};
use labelrelay_core::observe::NoObserver;
use labelrelay_core::relay::Parts;
use labelrelay_core::signature::sign_sha1;
use labelrelay_core::{
    BlobError, BlobStore, BoxFuture, BoxStream, EventQueue, OutboundMessage, QueueError,
    QueueLimits, Receipt, Relay,
};
use labelrelay_lambda::{Event, Function, Telemetry};
use labelrelay_testkit::clock::{CountingEntropy, FakeClock};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::level_filters::LevelFilter;

const SECRET: &[u8] = b"a secret of the benchmark, 32 by";

/// Length of a body that fits into an event as text, and of one that fits as base64.
const TEXT: usize = 5_000_000;
const BASE64: usize = 4_600_000;

/// The largest event that the platform hands over.
const LIMIT: usize = 6_291_456;

/// Takes everything and keeps nothing: what is left is the function.
struct Sink;

impl EventQueue for Sink {
    fn send<'a>(
        &'a self,
        message: &'a OutboundMessage,
    ) -> BoxFuture<'a, Result<Receipt, QueueError>> {
        black_box(&message.body);
        Box::pin(std::future::ready(Ok(Receipt::new(None))))
    }

    fn limits(&self) -> QueueLimits {
        QueueLimits {
            xml_characters_only: true,
            ..QueueLimits::bytes(1 << 20)
        }
    }

    fn check(&self) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

impl BlobStore for Sink {
    fn put<'a>(
        &'a self,
        key: &'a str,
        length: u64,
        body: BoxStream<'a, std::io::Result<Bytes>>,
    ) -> BoxFuture<'a, Result<String, BlobError>> {
        Box::pin(async move {
            let bytes = body.fold(0, async |sum, piece| {
                sum + black_box(piece).expect("a piece").len() as u64
            });
            assert_eq!(bytes.await, length);
            Ok(format!("s3://bench/{key}"))
        })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

fn function() -> Function {
    let toml =
        "[[source]]\nname = \"labelbox\"\nprovider = \"labelbox\"\nsecret = \"env:SECRET\"\n";
    let lookup =
        |name: &str| (name == "SECRET").then(|| String::from_utf8(SECRET.to_vec()).expect("ASCII"));
    let config =
        Config::from_toml(toml, "bench", PathBuf::new(), &lookup).expect("a good configuration");
    let parts = Parts::new(
        Arc::new(Sink),
        Arc::new(FakeClock::at("2026-01-01T00:00:00Z")),
        Arc::new(CountingEntropy::default()),
        Arc::new(NoObserver),
    );
    let open = |reference: &SecretRef, end| {
        Ok(reference
            .open(end, &lookup, "bench", "secret")?
            .expect("no store"))
    };
    let relay = Relay::new(&config, parts.with_blobs(Some(Arc::new(Sink))), &open);
    let telemetry = Telemetry::new("bench".into(), LevelFilter::ERROR, Arc::new(|_| ()));
    Function::new(Arc::new(relay.expect("a relay")), Arc::new(telemetry))
}

/// A label that is mostly the outline of a mask: digits, because five megabytes of short strings would
/// not fit, their quotes take two bytes each.
fn label(bytes: usize) -> String {
    let tail = r#"[0,0]]}]}","dataRow":{"id":"cl2hzfg8g18kw0ztwbtnq0b6q"},"id":"cl4g555g81ltr07cka1a2b1wv","createdAt":"2022-06-16T19:41:49Z","updatedAt":"2022-06-16T19:58:25Z"}"#;
    let mut body = r#"{"project":{"id":"cl2i6gssn1o2210a3gq549fq0"},"label":"{\"objects\":[{\"value\":\"tree\",\"line\":["#.to_owned();
    let mut point = 0_u32;
    while body.len() + tail.len() < bytes {
        point = point.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (whole, part, y) = (point >> 20, point % 100, (point >> 8) & 0xfff);
        write!(body, "[{whole}.{part:02},{y}],").expect("writing to a String");
    }
    body + tail
}

struct Case {
    body: String,
    event: Vec<u8>,
    base64: bool,
}

/// The event, as far as decoding it bare needs it.
#[derive(Deserialize)]
struct Carried<'a> {
    #[serde(borrow)]
    body: Cow<'a, str>,
}

impl Case {
    fn new(bytes: usize, base64: bool) -> Self {
        let body = label(bytes);
        let text = if base64 {
            STANDARD.encode(&body)
        } else {
            body.clone()
        };
        let event = json!({
            "version": "2.0",
            "rawPath": "/labelbox",
            "headers": {
                "content-type": "application/json",
                "x-hub-signature": sign_sha1(SECRET, body.as_bytes()),
                "x-labelbox-event": "LABEL_UPDATED",
                "x-labelbox-id": "ckfgcfsjk09jn06624cy7gb26",
            },
            "requestContext": {
                "http": { "method": "POST", "path": "/labelbox", "sourceIp": "203.0.113.7" },
                "stage": "$default",
            },
            "body": text,
            "isBase64Encoded": base64,
        });
        let event = serde_json::to_vec(&event).expect("JSON");
        assert!(event.len() < LIMIT, "{} bytes", event.len());
        Self {
            body,
            event,
            base64,
        }
    }

    fn function(&self, runtime: &tokio::runtime::Runtime, function: &Function) {
        // As the runtime does it: the event is read from a slice.
        let event = serde_json::from_slice::<Event>(&self.event).expect("an event");
        let response = runtime.block_on(function.invoke(event, 2_000_000_000_000));
        assert_eq!(response.expect("a request").status, 200);
    }

    fn decoding(&self) {
        let carried = serde_json::from_slice::<Carried<'_>>(&self.event).expect("an event");
        if self.base64 {
            black_box(STANDARD.decode(carried.body.as_bytes()).expect("base64"));
        } else {
            black_box(carried.body);
        }
    }

    fn hmac(&self) {
        let mut mac = Hmac::<Sha1>::new_from_slice(SECRET).expect("any length");
        mac.update(self.body.as_bytes());
        black_box(mac.finalize());
    }

    fn sha256(&self) {
        black_box(Sha256::digest(&self.body));
    }

    fn json(&self) {
        // From bytes, so that UTF-8 is checked too.
        let body = self.body.as_bytes();
        black_box(serde_json::from_slice::<&RawValue>(body).expect("JSON"));
    }

    fn copy(&self) {
        black_box(self.body.as_bytes().to_vec());
    }
}

/// Median of the ratios of interleaved rounds: noise of the machine hits both sides alike.
fn ratio(case: &Case, runtime: &tokio::runtime::Runtime, function: &Function) -> f64 {
    let rounds = 41;
    let time = |work: &dyn Fn()| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    };
    let mut ratios: Vec<f64> = (0..rounds)
        .map(|_| {
            let bare = time(&|| case.decoding())
                + time(&|| case.hmac())
                + time(&|| case.sha256())
                + time(&|| case.json())
                + time(&|| case.copy());
            time(&|| case.function(runtime, function)) / bare
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    ratios[rounds / 2]
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let function = function();
    let mut criterion = Criterion::default()
        .configure_from_args()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20);
    let mut table = Vec::new();
    for (name, case) in [
        ("5 MB", Case::new(TEXT, false)),
        ("4.6 MB as base64", Case::new(BASE64, true)),
    ] {
        let mut group = criterion.benchmark_group("event");
        group.throughput(Throughput::Bytes(case.body.len() as u64));
        let measured: [(&str, &dyn Fn()); 6] = [
            ("function", &|| case.function(&runtime, &function)),
            ("decoding alone", &|| case.decoding()),
            ("hmac-sha1 alone", &|| case.hmac()),
            ("sha256 alone", &|| case.sha256()),
            ("json check alone", &|| case.json()),
            ("copy alone", &|| case.copy()),
        ];
        for (what, work) in measured {
            group.bench_function(BenchmarkId::new(what, name), |bencher| bencher.iter(work));
        }
        group.finish();
        table.push((name, ratio(&case, &runtime, &function)));
    }
    criterion.final_summary();
    println!();
    for (name, ratio) in table {
        println!(
            "{name}, event bytes to the SDK's call / the passes that it cannot avoid: {ratio:.3}"
        );
    }
}
