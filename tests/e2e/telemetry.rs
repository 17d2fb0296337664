//! OpenTelemetry: a real collector has spans that join sender, relay and consumer, and one that misbehaves keeps nobody
//! waiting.

use labelrelay_tests::client::{self, Client};
use labelrelay_tests::program;
use labelrelay_tests::relay::{Relay, SECRET, Site, eventually};
use labelrelay_tests::sender;
use labelrelay_tests::servers::{CollectedSpan, Rotel, free_ports, installed};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command};

/// The one of the trace that has this name.
fn named<'a>(spans: &'a [CollectedSpan], trace: &str, name: &str) -> &'a CollectedSpan {
    let found: Vec<_> = spans
        .iter()
        .filter(|span| span.trace == trace && span.name == name)
        .collect();
    let [span] = found[..] else {
        panic!("{name} of {trace}: {spans:#?}");
    };
    span
}

#[test]
#[ignore = "needs a collector, and a build with OpenTelemetry: run it with `cargo xtask e2e telemetry`"]
fn spans_of_sender_relay_and_consumer_hang_together() {
    let _machine = crate::beside_others();
    let collector = Rotel::start();
    let site = Site::new();
    let endpoint = collector.endpoint();
    let relay = site.serve_with(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        // No span is sent again because a machine is busy.
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "120000"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "500"),
    ]);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(installed("LABELRELAY_TEST_TELEMETRY_PYTHON"))
        .arg("-B")
        .arg(folder.join("e2e/telemetry.py"))
        .args([
            &collector.endpoint(),
            &relay.address.to_string(),
            &site.queue_url(),
        ])
        .arg(program::labelrelay())
        .arg(SECRET)
        .env("PYTHONPATH", folder.parent().unwrap().join("python"))
        // These are seconds.
        .env("OTEL_EXPORTER_OTLP_TIMEOUT", "120")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}\n{}", relay.log());
    // The sender's span, and of each delivery those of the server, the producer and the consumer.
    let spans = eventually("the collector has all spans", || {
        let spans = collector.spans();
        let is_whole = |span: &CollectedSpan| {
            [&span.id, &span.name, &span.kind]
                .iter()
                .all(|part| !part.is_empty())
        };
        (spans.len() >= 7 && spans.iter().all(is_whole)).then_some(spans)
    });
    assert_eq!(spans.len(), 7, "{spans:#?}");
    let annotate = spans.iter().find(|span| span.name == "annotate").unwrap();
    assert_eq!(annotate.service, "sender");
    let sent = spans.iter().filter(|span| span.name == "send queue.db");
    for send in sent {
        let post = named(&spans, &send.trace, "POST /label-studio");
        let process = named(&spans, &send.trace, "process queue.db");
        assert_eq!(send.parent, post.id);
        if send.trace == annotate.trace {
            assert_eq!([&post.parent, &process.parent], [&annotate.id; 2]);
        } else {
            assert_eq!((&*post.parent, &process.parent), ("", &send.id));
        }
        let services = [post, send, process].map(|span| &*span.service);
        assert_eq!(services, ["labelrelay", "labelrelay", "consumer"]);
        let kinds = [post, send, process].map(|span| &*span.kind);
        assert_eq!(
            kinds,
            [
                "SPAN_KIND_SERVER",
                "SPAN_KIND_PRODUCER",
                "SPAN_KIND_CONSUMER"
            ]
        );
    }
    named(&spans, &annotate.trace, "send queue.db");
    for metric in ["labelrelay_requests_total", "labelrelay_delivery_seconds"] {
        eventually(metric, || collector.log().contains(metric).then_some(()));
    }
    relay.terminate();
    assert!(relay.wait().success());
}

/// A consumer that goes on until it is dropped.
struct Consuming(Child);

impl Drop for Consuming {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "needs a collector, and a build with OpenTelemetry: run it with `cargo xtask e2e telemetry`"]
fn what_consume_hands_on_joins_the_trace() {
    let _machine = crate::beside_others();
    let collector = Rotel::start();
    let endpoint = collector.endpoint();
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        // No span is sent again because a machine is busy.
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "120000"),
        ("OTEL_BSP_SCHEDULE_DELAY", "10"),
    ];
    let site = Site::new();
    let relay = site.serve_with(&variables);
    let mut client = Client::connect(relay.address).unwrap();
    let request = sender::labelbox(SECRET, "LABEL_CREATED", "d", &sender::label("t"));
    assert_eq!(client.exchange(&request).unwrap().status, 200);

    let seen = site.folder().join("seen");
    let consuming = program::command()
        .args(["consume", &site.queue_url(), "--exec"])
        .arg("printenv TRACEPARENT > seen")
        .current_dir(site.folder())
        .envs(variables)
        .spawn()
        .unwrap();
    let consuming = Consuming(consuming);
    let spans = eventually("the collector has all spans", || {
        let spans = collector.spans();
        let is_whole = |span: &CollectedSpan| !span.id.is_empty() && !span.kind.is_empty();
        (spans.len() >= 3 && spans.iter().all(is_whole)).then_some(spans)
    });
    drop(consuming);
    let sent = spans
        .iter()
        .find(|span| span.name == "send queue.db")
        .unwrap();
    let process = named(&spans, &sent.trace, "process queue.db");
    assert_eq!(process.parent, sent.id);
    assert_eq!(process.kind, "SPAN_KIND_CONSUMER");
    // What the command does belongs to the span of its event.
    let handed = std::fs::read_to_string(seen).unwrap();
    let handed: Vec<_> = handed.trim().split('-').collect();
    assert_eq!(handed[1..3], [process.trace.as_str(), process.id.as_str()]);
    relay.terminate();
    assert!(relay.wait().success());
}

#[test]
#[ignore = "needs a build with OpenTelemetry: run it with `cargo xtask e2e telemetry`"]
fn a_collector_that_is_spoken_to_in_grpc_switches_it_off() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let site = Site::new();
    let relay = site.serve_with(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_BSP_SCHEDULE_DELAY", "1"),
    ]);
    for words in ["OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", "4318"] {
        eventually(words, || relay.log().contains(words).then_some(()));
    }
    let mut client = Client::connect(relay.address).unwrap();
    let request = sender::labelbox(SECRET, "LABEL_CREATED", "d", &sender::label("t"));
    assert_eq!(client.exchange(&request).unwrap().status, 200);
    relay.terminate();
    assert!(relay.wait().success());
    assert!(listener.accept().is_err(), "nothing is sent");
}

/// Delivers to a relay whose collector misbehaves, waits until that is noticed, and stops it.
fn assert_untroubled<T>(endpoint: &str, noticed: impl FnOnce(&Relay) -> T) {
    const AN_HOUR: &str = "3600000";
    let site = Site::new();
    let relay = site.serve_with(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", AN_HOUR),
        ("OTEL_BSP_SCHEDULE_DELAY", "10"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "10"),
    ]);
    let deliver = |relay: &Relay| {
        let mut client = Client::connect(relay.address).unwrap();
        for number in 0..100 {
            let body = sender::label(&format!("t{number}"));
            let request = sender::labelbox(SECRET, "LABEL_CREATED", "d", &body);
            assert_eq!(client.exchange(&request).unwrap().status, 200);
        }
    };
    deliver(&relay);
    let _held = noticed(&relay);
    deliver(&relay);
    // It would wait for an hour.
    relay.terminate();
    assert!(relay.wait().success());
    assert_eq!(site.export().len(), 100, "repeats are recognised");
}

/// The log tells of it.
fn is_told(relay: &Relay) {
    let words = "the collector does not take what it is sent";
    eventually("the log tells of it", || {
        relay.log().contains(words).then_some(())
    });
}

#[test]
#[ignore = "needs a build with OpenTelemetry: run it with `cargo xtask e2e telemetry`"]
fn a_collector_that_hangs_keeps_no_delivery_and_no_stop() {
    let _machine = crate::beside_others();
    // The system takes connections for it, and nobody reads from them.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    listener.set_nonblocking(true).unwrap();
    assert_untroubled(&endpoint, |_| {
        let (mut stream, _) = eventually("it is sent something", || listener.accept().ok());
        stream.set_nonblocking(false).unwrap();
        let mut begin = [0; 4];
        stream.read_exact(&mut begin).unwrap();
        assert_eq!(&begin, b"POST");
        stream
    });
}

#[test]
#[ignore = "needs a build with OpenTelemetry: run it with `cargo xtask e2e telemetry`"]
fn a_collector_that_is_away_is_told_of() {
    let _machine = crate::beside_others();
    let [port] = free_ports();
    assert_untroubled(&format!("http://127.0.0.1:{port}"), is_told);
}

#[test]
#[ignore = "needs a build with OpenTelemetry: run it with `cargo xtask e2e telemetry`"]
fn a_collector_that_answers_500_is_told_of() {
    let _machine = crate::beside_others();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    // It ends with the process.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // The answer may come before the whole request: the connection is ended with it.
            let _ = client::read_request(&mut stream);
            let _ = stream.write_all(
                b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            );
        }
    });
    assert_untroubled(&endpoint, is_told);
}
