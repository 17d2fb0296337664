//! Nothing is changed: bytes out are bytes in, whatever the bytes are.

use crate::test_bench::{BOTH_PLATFORMS, Bench, SECRET};
use labelrelay_core::{EventTrace, Outcome, QueueErrorKind, QueueLimits, TraceContext};
use labelrelay_event::{Data, Envelope};
use labelrelay_testkit::in_memory::Fault;
use labelrelay_testkit::request::TestRequest;
use proptest::prelude::*;

/// Delivers `body` to Labelbox's source and returns the envelope that was queued.
fn queued(bench: &Bench, body: &[u8]) -> Vec<u8> {
    let before = bench.queue.messages().len();
    let answer = bench.deliver(&TestRequest::labelbox(SECRET, "LABEL_CREATED", "d", body));
    assert_eq!(answer.outcome, Outcome::Accepted, "{}", bench.reason());
    bench.queue.messages()[before].body.to_vec()
}

fn data_member(envelope: &[u8]) -> &'static str {
    match Envelope::decode(envelope).expect("an envelope").data {
        Data::Json(_) => "data",
        Data::Base64(_) => "data_base64",
        Data::Reference => "dataref",
    }
}

/// Wraps each body, and compares how it went in; whatever the way, its bytes come out.
fn assert_forms(cases: &[(&str, Vec<u8>, &str)]) {
    let bench = Bench::new();
    for (name, body, expected) in cases {
        let envelope = queued(&bench, body);
        assert_eq!(data_member(&envelope), *expected, "{name}");
        let decoded = Envelope::decode(&envelope).unwrap();
        let bytes = decoded.data.bytes().unwrap().unwrap();
        assert_eq!(&*bytes, body.as_slice(), "{name}");
        assert!(decoded.matches_digest(&bytes), "{name}");
        assert_eq!(
            std::str::from_utf8(&envelope).map(|text| text.contains('\u{feff}')),
            Ok(false),
            "{name}"
        );
    }
}

#[test]
fn bodies_go_in_as_json_or_base64() {
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("an object", br#"{"b": 1.0, "a" : 1e2}"#.to_vec(), "data"),
        ("NUL escaped", br#"["a\u0000b"]"#.to_vec(), "data"),
        (
            "integers over 2^53",
            b"[9007199254740993,123456789012345678901234567890]".to_vec(),
            "data",
        ),
        ("repeated keys", br#"{"a":1,"a":2}"#.to_vec(), "data"),
        (
            "a byte order mark",
            b"\xef\xbb\xbf{}".to_vec(),
            "data_base64",
        ),
        ("not UTF-8", b"{\"a\":\"\xff\"}".to_vec(), "data_base64"),
        ("white space before", b" {}".to_vec(), "data_base64"),
        ("a line break after", b"{}\n".to_vec(), "data_base64"),
        ("two values", b"{}{}".to_vec(), "data_base64"),
        (
            "a break-out",
            br#"1},"data":{"forged":true"#.to_vec(),
            "data_base64",
        ),
        ("text", b"hello".to_vec(), "data_base64"),
        (
            "a raw control character",
            b"\"\x01\"".to_vec(),
            "data_base64",
        ),
        ("a raw U+FFFF", "[\"\u{ffff}\"]".as_bytes().to_vec(), "data"),
        ("a line break inside", b"{\n}".to_vec(), "data"),
    ];
    assert_forms(&cases);
    let narrow = QueueLimits {
        xml_characters_only: true,
        single_line: true,
        ..QueueLimits::bytes(1 << 20)
    };
    let bench = Bench::with(BOTH_PLATFORMS, narrow, false);
    assert_eq!(
        data_member(&queued(&bench, "[\"\u{ffff}\"]".as_bytes())),
        "data_base64"
    );
    assert_eq!(
        data_member(&queued(&bench, "[\"\u{fffe}\"]".as_bytes())),
        "data_base64"
    );
    assert_eq!(data_member(&queued(&bench, b"{\n}")), "data_base64");
    assert_eq!(data_member(&queued(&bench, b"{ }")), "data");
}

#[test]
fn json_that_some_parser_refuses_goes_in_as_base64() {
    let nested = |depth: usize| [b"[".repeat(depth), b"]".repeat(depth)].concat();
    let objects = |depth: usize| [&*b"{\"a\":".repeat(depth), b"1", &*b"}".repeat(depth)].concat();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("null", b"null".to_vec(), "data_base64"),
        ("a number", b"7".to_vec(), "data_base64"),
        ("a string", b"\"s\"".to_vec(), "data_base64"),
        ("an array", b"[]".to_vec(), "data"),
        (
            "a lone surrogate",
            br#"{"s":"cut \ud83d here"}"#.to_vec(),
            "data_base64",
        ),
        (
            "a lone surrogate in a key",
            br#"{"\ude00":1}"#.to_vec(),
            "data_base64",
        ),
        ("a surrogate pair", br#"["\ud83d\uDE00"]"#.to_vec(), "data"),
        (
            "a raw line separator",
            "[\"\u{2028}\"]".as_bytes().to_vec(),
            "data_base64",
        ),
        (
            "a raw next line",
            "{\"\u{85}\":1}".as_bytes().to_vec(),
            "data_base64",
        ),
        ("its escape", br#"["\u2028"]"#.to_vec(), "data"),
        (
            "an integer of 308 digits",
            format!("[{}]", "7".repeat(308)).into_bytes(),
            "data",
        ),
        (
            "an integer of 309 digits",
            format!("[{}]", "7".repeat(309)).into_bytes(),
            "data_base64",
        ),
        ("a large double", b"[1e307]".to_vec(), "data"),
        ("infinity", b"[1e309]".to_vec(), "data_base64"),
        ("250 levels", nested(250), "data"),
        ("251 levels", nested(251), "data_base64"),
        ("125 objects", objects(125), "data"),
        ("126 objects", objects(126), "data_base64"),
    ];
    assert_forms(&cases);
}

#[test]
fn the_signed_bytes_lie_between_the_first_data_key_and_the_last_brace() {
    let bench = Bench::new();
    let body = br#"{"note":"},\"data\":{","data":{"x":1}, "id":"l1"}"#;
    let envelope = queued(&bench, body);
    let key = b",\"data\":";
    let at = envelope
        .windows(key.len())
        .position(|window| window == key)
        .unwrap()
        + key.len();
    assert_eq!(&envelope[at..envelope.len() - 1], body);
}

#[test]
fn events_too_large_for_the_queue_are_claimed_to_the_byte() {
    let bench = Bench::with(BOTH_PLATFORMS, QueueLimits::bytes(1 << 20), false);
    let overhead = queued(&bench, b"[]").len() - 2;
    let body = |bytes: usize| format!("[\"{}\"]", "x".repeat(bytes - 4)).into_bytes();
    let limit = 10_000;
    let with_store = Bench::with(BOTH_PLATFORMS, QueueLimits::bytes(limit as u64), true);
    let fits = queued(&with_store, &body(limit - overhead));
    assert_eq!((fits.len(), data_member(&fits)), (limit, "data"));
    let claimed = queued(&with_store, &body(limit - overhead + 1));
    assert_eq!(data_member(&claimed), "dataref");
    let attributes = Envelope::decode(&claimed).unwrap().attributes;
    let key = attributes
        .dataref
        .as_deref()
        .unwrap()
        .strip_prefix("memory:")
        .unwrap()
        .to_owned();
    assert_eq!(
        key,
        format!("2026/01/15/labelbox/{}", attributes.datasha256)
    );
    assert_eq!(
        with_store.blobs.get(&key).unwrap(),
        body(limit - overhead + 1)
    );

    let without = Bench::with(BOTH_PLATFORMS, QueueLimits::bytes(limit as u64), false);
    let request = TestRequest::labelbox(SECRET, "LABEL_CREATED", "d", &body(limit));
    assert_eq!(without.deliver(&request).outcome, Outcome::TooLarge);
    assert!(without.reason().contains("blob_store"));
    assert!(without.queue.messages().is_empty());
}

/// The queue counts in another way than we thought, or its limit was lowered while we ran.
#[test]
fn a_queue_that_finds_a_message_too_large_gets_a_claim() {
    let bench = Bench::with(BOTH_PLATFORMS, QueueLimits::bytes(1 << 20), true);
    bench
        .queue
        .fail_with(&[Fault::Error(QueueErrorKind::TooLarge)]);
    assert_eq!(data_member(&queued(&bench, b"{}")), "dataref");
    let without = Bench::with(BOTH_PLATFORMS, QueueLimits::bytes(1 << 20), false);
    without
        .queue
        .fail_with(&[Fault::Error(QueueErrorKind::TooLarge)]);
    let request = TestRequest::labelbox(SECRET, "LABEL_CREATED", "d", b"{}");
    assert_eq!(without.deliver(&request).outcome, Outcome::TooLarge);
}

#[test]
fn a_blob_store_that_hangs_or_fails_is_503_in_the_end() {
    let large = format!("\"{}\"", "x".repeat(20_000));
    let request = TestRequest::labelbox(SECRET, "LABEL_CREATED", "d", large.as_bytes());
    for hang in [false, true] {
        let bench = Bench::with(BOTH_PLATFORMS, QueueLimits::bytes(10_000), true);
        if hang {
            bench.blobs.hang();
        } else {
            bench.blobs.break_down();
        }
        let answer = bench.deliver_while_time_passes(&request);
        assert_eq!(answer.outcome, Outcome::Unavailable);
        assert!(
            !bench.seen.failed_attempts().is_empty(),
            "it was tried again"
        );
        assert_eq!(
            bench.seen.failed_last_attempts(),
            [QueueErrorKind::Unavailable],
            "the last attempt is counted too"
        );
        assert!(bench.reason().contains("blob store"), "{}", bench.reason());
        assert!(
            !String::from_utf8_lossy(&answer.body).contains("test"),
            "the sender is not told"
        );
    }
}

#[test]
fn outside_text_is_bounded_and_printable() {
    let bench = Bench::new();
    let long = "x".repeat(2000);
    let body = format!(
        r#"{{"id":"{long}","label":"{{}}","deleted":false,"createdAt":"2020-09-24T04:56:08Z","updatedAt":"2020-09-24T04:56:08Z","dataRow":{{"id":"a\u0007b"}},"project":{{"id":"{long}"}}}}"#
    );
    let request = TestRequest::labelbox(SECRET, "LABEL_CREATED", &long, body.as_bytes()).header(
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    );
    assert_eq!(bench.deliver(&request).outcome, Outcome::Accepted);
    let message = bench.queue.messages().pop().unwrap();
    let attributes = Envelope::decode(&message.body).unwrap().attributes;
    for text in [
        attributes.subject,
        attributes.partitionkey,
        attributes.deliveryid,
        attributes.project,
        Some(attributes.id),
    ] {
        let text = text.expect("present");
        assert!(
            text.len() <= 128 && text.bytes().all(|b| (0x20..0x7f).contains(&b)),
            "{text}"
        );
    }
    assert_eq!(
        attributes.traceparent.as_deref(),
        Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    );
    let request = TestRequest::labelbox(SECRET, "LABEL_CREATED", "d", b"{\"other\":1}")
        .header("traceparent", "00-zz-1-01");
    bench.deliver(&request);
    let message = bench.queue.messages().pop().unwrap();
    assert_eq!(
        Envelope::decode(&message.body)
            .unwrap()
            .attributes
            .traceparent,
        None
    );
}

#[test]
fn the_trace_of_a_verified_request_goes_on_and_without_one_the_relays_own() {
    const SENDERS: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const OWN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    const STATE: &str = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE";
    let [of_sender, own] = [SENDERS, OWN].map(|text| TraceContext::parse(text).unwrap());
    let (of_sender, of_relay) = (EventTrace::Sender(of_sender), EventTrace::Relay(own));
    let mut id = None;
    for (records, headers, parent, state, told) in [
        (false, &[][..], None, None, None),
        (true, &[], Some(OWN), None, Some(of_relay)),
        // Of a parent that is none, the state means nothing either.
        (
            true,
            &[("traceparent", "00-zz-1-01"), ("tracestate", STATE)],
            Some(OWN),
            None,
            Some(of_relay),
        ),
        (
            true,
            &[("traceparent", SENDERS), ("traceparent", SENDERS)],
            Some(OWN),
            None,
            Some(of_relay),
        ),
        (
            false,
            &[("traceparent", SENDERS), ("tracestate", "no pair")],
            Some(SENDERS),
            None,
            Some(of_sender),
        ),
        (
            true,
            &[("traceparent", SENDERS), ("tracestate", STATE)],
            Some(SENDERS),
            Some(STATE),
            Some(of_sender),
        ),
    ] {
        let bench = Bench::new();
        *bench.seen.span.lock().unwrap() = records.then_some(own);
        let body = br#"{"id":"l1","label":"{}"}"#;
        let mut request = TestRequest::labelbox(SECRET, "LABEL_CREATED", "d", body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        assert_eq!(bench.deliver(&request).outcome, Outcome::Accepted);
        let message = bench.queue.messages().pop().unwrap();
        let attributes = Envelope::decode(&message.body).unwrap().attributes;
        assert_eq!(attributes.traceparent.as_deref(), parent, "{headers:?}");
        assert_eq!(attributes.tracestate.as_deref(), state, "{headers:?}");
        // It is for telemetry alone: the event is the same one.
        assert_eq!(*id.get_or_insert(attributes.id.clone()), attributes.id);
        let report = bench.seen.reports().pop().unwrap();
        assert_eq!(report.trace, told, "{headers:?}");
        assert!(report.queue_began.unwrap() + report.queue_elapsed.unwrap() <= report.elapsed);
    }
}

#[test]
fn the_trace_of_a_forged_request_is_nobodys() {
    let bench = Bench::new();
    let request = TestRequest::labelbox("wrong", "LABEL_CREATED", "d", b"{}").header(
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    );
    assert_eq!(bench.deliver(&request).outcome, Outcome::Unauthorized);
    assert_eq!(bench.seen.reports().pop().unwrap().trace, None);
}

proptest! {
    #[test]
    fn bytes_out_are_bytes_in(body in prop_oneof![
        proptest::collection::vec(any::<u8>(), 1..300),
        "[\\[\\]{}\",:0-9a-z\\\\ \n\u{7f}-\u{ffff}]{1,60}".prop_map(String::into_bytes),
        json().prop_map(|value| serde_json::to_vec(&value).unwrap()),
    ]) {
        let bench = Bench::new();
        let envelope = queued(&bench, &body);
        serde_json::from_slice::<serde::de::IgnoredAny>(&envelope).expect("the envelope is JSON");
        std::str::from_utf8(&envelope).expect("the envelope is UTF-8");
        let decoded = Envelope::decode(&envelope).unwrap();
        let bytes = decoded.data.bytes().unwrap().unwrap();
        prop_assert_eq!(&*bytes, body.as_slice());
        prop_assert!(decoded.matches_digest(&bytes));
    }
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(
                prop_oneof!["(id|action|label|deleted|dataRow|projects|data)", ".*"],
                inner,
                0..6
            )
            .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}
