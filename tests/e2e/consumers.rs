//! Queued events are read by those who consume them.

use crate::readers::generate::{Delivery, Generator};
use crate::readers::pipeline::Pipeline;
use crate::readers::process::{Batch, Readers};
use crate::readers::{Tally, run};
use labelrelay_event::{Attributes, DataEncoding, Digest, EventType, encode};
use labelrelay_tests::client::Client;
use labelrelay_tests::random::Random;
use labelrelay_tests::relay::{SECRET, Site};
use labelrelay_tests::{fixture, program, sender};
use std::collections::HashMap;

#[test]
#[ignore = "needs jq and the CloudEvents SDKs: run it with `cargo xtask e2e reading`"]
fn whatever_is_queued_is_read_to_the_same_data() {
    let _machine = crate::beside_others();
    let seed = Random::seeded().below(1 << 32);
    let tally = run(seed, 20_000, &mut Readers::start());
    println!("{} embedded, {} as base64", tally.embedded, tally.base64);
    assert_all_read(&tally);
    // Both forms must be common, else one half of the rules was not tried.
    let (embedded, base64) = (tally.embedded, tally.base64);
    assert!(embedded > base64 / 4 && base64 > embedded / 20, "{tally:?}");
}

#[test]
#[ignore = "needs jq and the CloudEvents SDKs: run it with `cargo xtask e2e reading`"]
fn every_fixture_is_read() {
    let _machine = crate::beside_others();
    let files = ["edge", "json", "labelbox", "label_studio/documents"];
    let files = files.map(|folder| fixture::files(&fixture::folder().join(folder), "json"));
    let files = files
        .concat()
        .into_iter()
        .map(|path| std::fs::read(path).unwrap());
    let recorded = fixture::label_studio()
        .into_iter()
        .map(|recorded| recorded.body);
    let bodies: Vec<_> = files
        .chain(recorded)
        .filter(|body| !body.is_empty())
        .collect();
    let (mut readers, mut tally) = (Readers::start(), Tally::default());
    for line_by_line in [true, false] {
        let pipeline = Pipeline::new(line_by_line);
        let events = bodies.iter().map(|body| {
            let delivery = Delivery {
                labelbox: None,
                traceparent: None,
                body: body.clone(),
                piece: 1000,
            };
            (pipeline.envelope(&delivery), delivery.body)
        });
        let batch = Batch {
            line_by_line,
            events: events.collect(),
        };
        tally.add(&batch, readers.read(&batch));
    }
    assert_all_read(&tally);
}

/// The real program between them, and its lines as it prints them.
#[test]
#[ignore = "needs jq and the CloudEvents SDKs: run it with `cargo xtask e2e reading`"]
fn printed_lines_are_read_one_by_one() {
    let _machine = crate::beside_others();
    let site = Site::new();
    let relay = site.serve();
    let mut generator = Generator::new(Random::seeded().below(1 << 32));
    let mut client = Client::connect(relay.address).unwrap();
    let mut bodies = HashMap::new();
    for number in 0..600 {
        let Delivery { labelbox, body, .. } = generator.delivery();
        let request = match labelbox {
            Some(event) => sender::labelbox(SECRET, event, &format!("d-{number}"), &body),
            None => sender::label_studio(&format!("Bearer {SECRET}"), &body),
        };
        let answer = client.exchange(&request).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        bodies.insert(Digest::of(&body).to_hex(), body);
    }
    let (mut readers, mut tally) = (Readers::start(), Tally::default());
    for verb in [
        &["events", "tail", "--lines", "1000", "--json"][..],
        &["queue", "receive", "--max", "1000", "--json"],
    ] {
        let output = program::command()
            .args(verb)
            .env("LABELRELAY_QUEUE", site.queue_url())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let lines = output.stdout.strip_suffix(b"\n").unwrap();
        let lines = lines.split(|&byte| byte == b'\n').map(<[u8]>::to_vec);
        let events = lines.map(|line| {
            let body = bodies[&digest_in(&line)].clone();
            (line, body)
        });
        let batch = Batch {
            line_by_line: true,
            events: events.collect(),
        };
        assert!(batch.events.len() > bodies.len() / 2);
        tally.add(&batch, readers.read(&batch));
    }
    assert_all_read(&tally);
}

/// Value of `datasha256`.
fn digest_in(line: &[u8]) -> String {
    let key = b"\"datasha256\":\"";
    let at = line
        .windows(key.len())
        .position(|part| part == key)
        .unwrap()
        + key.len();
    String::from_utf8(line[at..at + 64].to_vec()).unwrap()
}

/// Each rule of what is embedded, and of times, broken on purpose: it is needed, and the readers say so.
#[test]
#[ignore = "needs jq and the CloudEvents SDKs: run it with `cargo xtask e2e reading`"]
fn violations_of_the_rules_are_noticed() {
    let _machine = crate::beside_others();
    let mut readers = Readers::start();
    let mut noticed =
        |what: &str, form, time: Option<&str>, body: &[u8], sent: &[u8], by: &[&str]| {
            let event_type = EventType::from_static("io.labelstud.task.created");
            let received = "2026-01-01T00:00:00Z";
            let mut attributes =
                Attributes::new("1", "/x", &event_type, &Digest::of(sent), received);
            attributes.time = time.map(str::to_owned);
            attributes.datacontenttype = Some("application/json".into());
            let batch = Batch {
                line_by_line: true,
                events: vec![(encode(&attributes, form, body.len(), [body]), sent.to_vec())],
            };
            let failures = readers.read(&batch);
            for reader in by {
                assert!(
                    failures.iter().any(|failure| failure.reader == *reader),
                    "{what}, {reader}: {failures:?}"
                );
            }
            assert_eq!(failures.is_empty(), by.is_empty(), "{what}: {failures:?}");
        };
    let (json, python, node) = (DataEncoding::Json, "Python's json", "Node's JSON");
    let (python_sdk, js_sdk) = ("Python's CloudEvents", "JavaScript's CloudEvents");
    let good = br#"{"a":"b"}"#;
    noticed(
        "nothing",
        json,
        Some("2026-01-01T00:00:00.5+01:00"),
        good,
        good,
        &[],
    );
    noticed(
        "other data",
        json,
        None,
        br#"{"a":"c"}"#,
        good,
        &[python, node],
    );
    noticed(
        "other bytes",
        DataEncoding::Base64,
        None,
        br#"{"a":"b" }"#,
        good,
        &[python, node],
    );
    let arrays = [b"[".repeat(256), b"]".repeat(256)].concat();
    let objects = [&*b"{\"a\":".repeat(128), b"1", &*b"}".repeat(128)].concat();
    let long = format!("[{}]", "7".repeat(5000));
    for (what, body, by) in [
        ("half a pair", &br#"["\ud83d"]"#[..], &["jq", python][..]),
        ("its other half", br#"{"\ude00":1}"#, &[python]),
        (
            "U+2028",
            "[\"\u{2028}\"]".as_bytes(),
            &["Python's splitlines"],
        ),
        (
            "U+2029",
            "[\"\u{2029}\"]".as_bytes(),
            &["Python's splitlines"],
        ),
        (
            "U+0085",
            "[\"\u{85}\"]".as_bytes(),
            &["Python's splitlines"],
        ),
        ("nested arrays", &arrays, &["jq"]),
        ("nested objects", &objects, &["jq"]),
        ("5,000 digits", long.as_bytes(), &[python]),
        ("infinity", b"[1e400]", &[python]),
        ("null", b"null", &[js_sdk]),
        ("zero", b"0", &[js_sdk]),
    ] {
        noticed(what, json, None, body, body, by);
    }
    for time in ["2026-11-20T08:00:00+25:00", "2016-12-31T23:59:60Z"] {
        noticed(time, json, Some(time), good, good, &[python_sdk, js_sdk]);
    }
    noticed(
        "year 0",
        json,
        Some("0000-01-01T00:00:00Z"),
        good,
        good,
        &[python_sdk],
    );
}

fn assert_all_read(tally: &Tally) {
    assert!(tally.failures.is_empty(), "{:#?}", tally.failures);
}
