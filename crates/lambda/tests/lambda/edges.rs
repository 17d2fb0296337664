//! Events that no other adapter meets: as large as Lambda lets them be, with an invalid body, with
//! members missing.

use crate::event_builder::{Form, Front, event};
use crate::setup::{Cloud, answer, variables, with};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labelrelay_testkit::adapter_suite::SECRET;
use labelrelay_testkit::request::TestRequest;
use labelrelay_tests::servers::Function;
use serde_json::{Value, json};

/// Lambda's limit of an event.
const LARGEST_EVENT_BYTES: usize = 6_291_456;

fn label(body: &[u8]) -> TestRequest {
    TestRequest::labelbox(SECRET, "LABEL_CREATED", "delivery", body)
}

fn made(form: Form, body: &[u8]) -> Value {
    let now = jiff::Timestamp::now().as_millisecond();
    event(Front::FunctionUrl, form, &label(body), now)
}

fn with_member(mut event: Value, name: &str, value: Value) -> Vec<u8> {
    event[name] = value;
    serde_json::to_vec(&event).unwrap()
}

#[test]
#[ignore = "needs the function and its emulator: cargo xtask test"]
fn requests_that_are_refused_before_any_queue() {
    // Nothing answers there: whatever comes that far is a 503.
    let nowhere = "http://127.0.0.1:9";
    let queue = format!("{nowhere}/123456789012/events");
    let function = Function::start(&with(variables(nowhere, &queue), "LABELRELAY_WARM", "off"));
    let text = || made(Form::Text, b"{}");
    let base64 = || made(Form::Base64, b"{}");
    let cases = [
        (
            "invalid base64",
            with_member(base64(), "body", json!("e3")),
            400,
        ),
        (
            "base64 with a line break",
            with_member(base64(), "body", json!("e30=\n")),
            400,
        ),
        (
            "base64 for URLs",
            with_member(base64(), "body", json!("_-8=")),
            400,
        ),
        (
            "base64 that says it is none",
            with_member(base64(), "isBase64Encoded", json!(false)),
            401,
        ),
        (
            "text that says it is base64",
            with_member(text(), "isBase64Encoded", json!(true)),
            400,
        ),
        (
            "an object for a body",
            with_member(text(), "body", json!({"a": 1})),
            400,
        ),
        ("no body", with_member(text(), "body", Value::Null), 401),
        (
            "no headers",
            with_member(text(), "headers", Value::Null),
            401,
        ),
        ("no path", with_member(text(), "rawPath", Value::Null), 503),
        (
            "no context",
            with_member(text(), "requestContext", json!({"http": {}})),
            405,
        ),
    ];
    for (name, event, status) in cases {
        let response = function.invoke(&event);
        assert_eq!(
            answer(&response).0,
            status,
            "{name}: {response}\n{}",
            function.log()
        );
    }
    let error = function.invoke(br#"{"key1":"value1"}"#);
    assert_eq!(error["errorType"], "NotARequest", "{error}");
    let still = function.invoke(&with_member(text(), "headers", json!({})));
    assert_eq!(answer(&still).0, 401, "the instance lives");
}

#[test]
#[ignore = "needs the function, its emulator and MiniStack: cargo xtask test"]
fn the_largest_events() {
    let cloud = Cloud::start();
    let function = Function::start(&cloud.variables());
    for form in [Form::Text, Form::Base64] {
        let mut body = br#"{"id":"l1","label":""#.to_vec();
        // Quotes and line breaks cost two bytes in the event; the rest of its length is other members.
        let part = "\\\"a line of a label, \u{e9}\\n";
        let room = LARGEST_EVENT_BYTES - 4096;
        let cost = match form {
            Form::Text => part.len() + 3,
            Form::Base64 => part.len() * 4 / 3 + 1,
        };
        for _ in 0..room / cost {
            body.extend_from_slice(part.as_bytes());
        }
        body.extend_from_slice(b"\"}");
        let event = serde_json::to_vec(&made(form, &body)).unwrap();
        assert!(
            event.len() > 5_500_000 && event.len() <= LARGEST_EVENT_BYTES,
            "{form:?}: {}",
            event.len()
        );
        let response = function.invoke(&event);
        assert_eq!(
            answer(&response).0,
            200,
            "{form:?}: {response}\n{}",
            function.log()
        );
        let envelopes = cloud.drain();
        let [envelope] = &envelopes[..] else {
            panic!("{} events", envelopes.len());
        };
        let envelope: Value = serde_json::from_slice(envelope).unwrap();
        let place = envelope["dataref"].as_str().expect("a claim check");
        let key = place.strip_prefix("s3://bucket/").expect("in the bucket");
        let script = "import base64\nprint(base64.b64encode(client('s3').get_object(Bucket='bucket', Key=args[0])['Body'].read()).decode())";
        let stored = STANDARD
            .decode(cloud.ministack.boto3(script, &[key]))
            .unwrap();
        assert!(stored == body, "{form:?}: other bytes");
    }
}
