//! The pipeline without its queue (verify, describe, embed) against the passes that it cannot avoid,
//! each bare, over the same bytes in the same run: HMAC-SHA1, SHA-256, one JSON check, one copy.
//!
//! `cargo bench -p labelrelay-core --bench pipeline`. Read the ratio: it must not exceed 1.15 at
//! 100 KB. The ratio is printed at the end, from medians of interleaved rounds.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot set itself up has to stop"
)]

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput};
use futures_executor::block_on;
use futures_util::stream;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue, Method};
use labelrelay_core::config::{Config, SecretRef};
use labelrelay_core::observe::NoObserver;
use labelrelay_core::relay::{BodyError, Intake, Parts};
use labelrelay_core::signature::sign_sha1;
use labelrelay_core::{
    BoxFuture, EventQueue, OutboundMessage, Outcome, QueueError, QueueLimits, Receipt, Relay,
    RequestHead,
};
use labelrelay_testkit::clock::{CountingEntropy, FakeClock};
use serde_json::value::RawValue;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SECRET: &[u8] = b"a secret of the benchmark, 32 by";

/// The size in which bodies come off a socket at best.
const PIECE_BYTES: usize = 64 * 1024;

/// Takes everything and keeps nothing: what is left is the pipeline.
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
        QueueLimits::bytes(1 << 30)
    }

    fn check(&self) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

fn relay() -> Relay {
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
    Relay::new(&config, parts, &open).expect("a relay")
}

/// A v2 label as Labelbox's developer guide shows it, with bounding boxes until it has about `bytes`.
fn v2_label(bytes: usize) -> Vec<u8> {
    let object = r#"{"bbox":{"height":359,"left":24.5,"top":85,"width":480},"color":"1976d2","feature_id":"clvv876mw00023b6qr6mk2o4s","instance_uri":"https://api.labelbox.com/masks/feature/clvv876mw00023b6qr6mk2o4s","schema_id":"clvcnmppk0aq507z11haa4x66","title":"person","value":"person"}"#;
    let head = r#"{"data_row":{"id":"clvmpaetz76ct0706730rfcq9","external_id":null},"projects":{"clvo7ajpc014907zxagiw9hry":{"project_name":"p","labels":[{"label_kind":"Default","id":"clvo7b6h501ic07fdbg62c32w","label_details":{"created_at":"2024-05-06T17:18:48Z","updated_at":"2024-05-06T17:18:48Z"},"annotations":{"objects":["#;
    let tail = r#"],"relationships":[]}}]}},"media_attributes":{"asset_type":"image","height":825,"width":550}}"#;
    let times = (bytes.saturating_sub(head.len() + tail.len()) / (object.len() + 1)).max(1);
    format!("{head}{}{tail}", vec![object; times].join(",")).into_bytes()
}

/// A v1 label: its annotation is JSON within one long string.
fn v1_label(bytes: usize) -> Vec<u8> {
    let object = r#"{\"featureId\":\"cl4hg2phm00013b6j2thsko0u\",\"schemaId\":\"cl2i6hbju1o2y10a321w3cusv\",\"title\":\"grape\",\"color\":\"1CE6FF\",\"bbox\":{\"top\":298,\"left\":445,\"height\":520,\"width\":930}}"#;
    let head = r#"{"id":"cl4g555g81ltr07cka1a2b1wv","createdAt":"2022-06-16T19:41:49Z","updatedAt":"2022-06-16T19:58:25Z","label":"{\"objects\":["#;
    let tail = r#"],\"classifications\":[]}","deleted":false,"project":{"id":"cl2i6gssn1o2210a3gq549fq0"},"dataRow":{"id":"cl2hzfg8g18kw0ztwbtnq0b6q"}}"#;
    let times = (bytes.saturating_sub(head.len() + tail.len()) / (object.len() + 1)).max(1);
    format!("{head}{}{tail}", vec![object; times].join(",")).into_bytes()
}

struct Case {
    head: RequestHead,
    body: Bytes,
}

impl Case {
    fn new(body: Vec<u8>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-hub-signature",
            HeaderValue::from_str(&sign_sha1(SECRET, &body)).expect("hex"),
        );
        headers.insert(
            "x-labelbox-event",
            HeaderValue::from_static("LABEL_UPDATED"),
        );
        headers.insert(
            "x-labelbox-id",
            HeaderValue::from_static("ckfgcfsjk09jn06624cy7gb26"),
        );
        let head = RequestHead {
            method: Method::POST,
            path: "/labelbox".into(),
            headers,
            peer: None,
            arrived: Duration::from_secs(1000),
        };
        Self {
            head,
            body: body.into(),
        }
    }

    fn pieces(&self) -> impl futures_util::Stream<Item = Result<Bytes, BodyError>> + Send + use<> {
        let body = self.body.clone();
        stream::iter(
            (0..body.len())
                .step_by(PIECE_BYTES)
                .map(move |at| Ok(body.slice(at..(at + PIECE_BYTES).min(body.len())))),
        )
    }

    fn pipeline(&self, relay: &Relay) {
        let answer = block_on(async {
            match relay.receive(self.head.clone(), self.pieces()).await {
                Intake::Deliver(received) => relay.complete(received).await,
                Intake::Answer(answer) => answer,
            }
        });
        assert_eq!(answer.outcome, Outcome::Accepted);
    }

    fn bare_sha1(&self) {
        let mut mac = Hmac::<Sha1>::new_from_slice(SECRET).expect("any length");
        mac.update(&self.body);
        black_box(mac.finalize());
    }

    fn bare_sha256(&self) {
        black_box(Sha256::digest(&self.body));
    }

    fn bare_json(&self) {
        black_box(serde_json::from_slice::<&RawValue>(&self.body).expect("JSON"));
    }

    fn bare_copy(&self) {
        black_box(self.body.to_vec());
    }
}

/// Median of the ratios of interleaved rounds: noise of the machine hits both sides alike.
fn ratio(case: &Case, relay: &Relay) -> f64 {
    let rounds = 41;
    let repeat = (4_000_000 / case.body.len()).clamp(1, 2000);
    let time = |work: &dyn Fn()| {
        let start = Instant::now();
        for _ in 0..repeat {
            work();
        }
        start.elapsed().as_secs_f64()
    };
    let mut ratios: Vec<f64> = (0..rounds)
        .map(|_| {
            let bare = time(&|| case.bare_sha1())
                + time(&|| case.bare_sha256())
                + time(&|| case.bare_json())
                + time(&|| case.bare_copy());
            time(&|| case.pipeline(relay)) / bare
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    ratios[rounds / 2]
}

fn main() {
    let relay = relay();
    let mut criterion = Criterion::default()
        .configure_from_args()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20);
    let mut table = Vec::new();
    for (name, make) in [
        ("v2 label", v2_label as fn(usize) -> Vec<u8>),
        ("v1 label", v1_label),
    ] {
        for (size, bytes) in [("1 KB", 1_000), ("100 KB", 100_000), ("10 MB", 10_000_000)] {
            let case = Case::new(make(bytes));
            let mut group = criterion.benchmark_group(name);
            group.throughput(Throughput::Bytes(case.body.len() as u64));
            let measured: [(&str, &dyn Fn()); 5] = [
                ("pipeline", &|| case.pipeline(&relay)),
                ("hmac-sha1 alone", &|| case.bare_sha1()),
                ("sha256 alone", &|| case.bare_sha256()),
                ("json check alone", &|| case.bare_json()),
                ("copy alone", &|| case.bare_copy()),
            ];
            for (what, work) in measured {
                group.bench_function(BenchmarkId::new(what, size), |bencher| bencher.iter(work));
            }
            group.finish();
            table.push((name, size, ratio(&case, &relay)));
        }
    }
    criterion.final_summary();
    println!(
        "\npipeline / (HMAC-SHA1 + SHA-256 + JSON check + copy), medians of 41 interleaved rounds:"
    );
    for (name, size, ratio) in table {
        println!("  {name:<9} {size:>7}  {ratio:.2}");
    }
}
