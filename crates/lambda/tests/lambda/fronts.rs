//! What one front has and another has not: forms of answers, lines of a header, base paths, encoded queries.

use crate::event_builder::{Form, Front, event};
use labelrelay_lambda::{Event, Function, Response, Telemetry};
use labelrelay_testkit::adapter_suite::{LIMITS, SECRET, WRONG_SECRET, relay_with_queue};
use labelrelay_testkit::in_memory::MemoryQueue;
use labelrelay_testkit::request::TestRequest;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tracing::level_filters::LevelFilter;

const ALL: [Front; 8] = [
    Front::FunctionUrl,
    Front::HttpApi("prod"),
    Front::HttpApiV1("$default"),
    Front::HttpApiV1("prod"),
    Front::RestApi(""),
    Front::RestApi("/hooks"),
    Front::LoadBalancer { multi_value: false },
    Front::LoadBalancer { multi_value: true },
];

const BODY: &[u8] = br#"{"id":"l1","label":"{}"}"#;

/// Asserts that a written response has the members that `front` takes, and no others.
pub(crate) fn in_its_form(front: Front, written: &Value) {
    let members = written.as_object().unwrap();
    let mut found: Vec<_> = members.keys().map(String::as_str).collect();
    let mut expected = vec!["body", "isBase64Encoded", "statusCode"];
    expected.push(match front {
        Front::LoadBalancer { multi_value: true } => "multiValueHeaders",
        _ => "headers",
    });
    if let Front::FunctionUrl | Front::HttpApi(_) = front {
        expected.push("cookies");
    }
    if let Front::LoadBalancer { .. } = front {
        expected.push("statusDescription");
        let status = written["statusCode"].to_string();
        let described = written["statusDescription"].as_str().unwrap();
        assert_eq!(described.split_once(' ').unwrap().0, status, "{written}");
    }
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected, "{front:?}: {written}");
    assert_eq!(written["isBase64Encoded"], false);
}

/// The headers of a written response.
pub(crate) fn headers_of(written: &Value) -> BTreeMap<String, String> {
    let single = |value: &Value| match value {
        Value::Array(lines) => {
            assert_eq!(lines.len(), 1, "{written}");
            lines[0].as_str().unwrap().to_owned()
        }
        value => value.as_str().unwrap().to_owned(),
    };
    let headers = [&written["multiValueHeaders"], &written["headers"]];
    let headers = headers.into_iter().filter_map(Value::as_object).flatten();
    headers
        .map(|(name, value)| (name.clone(), single(value)))
        .collect()
}

struct Setting {
    function: Function,
    queue: Arc<MemoryQueue>,
}

fn setting() -> Setting {
    let (relay, queue) = relay_with_queue(LIMITS);
    let sink = Arc::new(|_: &[u8]| {});
    let telemetry = Telemetry::new("relay".to_owned(), LevelFilter::OFF, sink);
    Setting {
        function: Function::new(relay, Arc::new(telemetry)),
        queue,
    }
}

impl Setting {
    async fn invoke(&self, event: &Value) -> Response {
        let bytes = serde_json::to_vec(event).unwrap();
        let event: Event = serde_json::from_slice(&bytes).unwrap();
        self.function.invoke(event, 0).await.unwrap()
    }

    /// The status of the answer, which must be in the front's own form.
    async fn status(&self, front: Front, event: &Value) -> u16 {
        let response = self.invoke(event).await;
        in_its_form(front, &serde_json::to_value(&response).unwrap());
        response.status.as_u16()
    }

    fn events(&self) -> usize {
        self.queue.messages().len()
    }
}

fn label() -> TestRequest {
    TestRequest::labelbox(SECRET, "LABEL_CREATED", "delivery", BODY)
}

fn get(path: &str) -> TestRequest {
    TestRequest::new(http::Method::GET, path, b"")
}

fn made(front: Front, request: &TestRequest) -> Value {
    event(front, Form::Text, request, 0)
}

#[tokio::test]
async fn each_refusal_has_the_form_of_its_front() {
    let setting = setting();
    let forged = TestRequest::labelbox(WRONG_SECRET, "LABEL_CREATED", "delivery", BODY);
    for front in ALL {
        let base64 = event(front, Form::Base64, &label(), 0);
        let with = |name: &str, value: Value| {
            let mut event = base64.clone();
            event[name] = value;
            event
        };
        for (what, event, status) in [
            ("no base64", with("body", json!("e3")), 400),
            ("an object for a body", with("body", json!({"a": 1})), 400),
            ("no flag", with("isBase64Encoded", json!(null)), 401),
            ("no body", with("body", json!(null)), 401),
            ("forged", made(front, &forged), 401),
            ("no path of ours", made(front, &get("/-/other")), 404),
            ("another method", made(front, &get("/labelbox")), 405),
        ] {
            assert_eq!(
                setting.status(front, &event).await,
                status,
                "{front:?}, {what}"
            );
        }
    }
    assert_eq!(setting.events(), 0);
}

/// Where a front has a place for each line, what is in the other place does not count, good or bad.
#[tokio::test]
async fn two_signatures_are_none_whatever_stands_beside_them() {
    let setting = setting();
    let (right, wrong) = (
        label(),
        TestRequest::labelbox(WRONG_SECRET, "LABEL_CREATED", "delivery", BODY),
    );
    let signature =
        |request: &TestRequest| json!(request.headers["x-hub-signature"].to_str().unwrap());
    let (right, wrong) = (signature(&right), signature(&wrong));
    let joined = json!(format!(
        "{}, {}",
        right.as_str().unwrap(),
        wrong.as_str().unwrap()
    ));
    for front in [
        Front::HttpApiV1("prod"),
        Front::RestApi("/hooks"),
        Front::LoadBalancer { multi_value: true },
    ] {
        for lines in [
            json!([right, right]),
            json!([wrong, right]),
            json!([right, wrong]),
            json!([joined]),
            json!(joined),
        ] {
            let mut event = made(front, &label().without("x-hub-signature"));
            event["multiValueHeaders"]["X-Hub-Signature"] = lines.clone();
            event["headers"]["X-Hub-Signature"] = right.clone();
            assert_eq!(
                setting.status(front, &event).await,
                400,
                "{front:?}: {lines}"
            );
            // Two spellings of one name are one header as well.
            let mut event = made(front, &label().without("x-hub-signature"));
            event["multiValueHeaders"]["x-hub-signature"] = json!([right]);
            event["multiValueHeaders"]["X-HUB-SIGNATURE"] = lines;
            assert_eq!(
                setting.status(front, &event).await,
                400,
                "{front:?}: {event}"
            );
        }
    }
    assert_eq!(setting.events(), 0);
}

/// A load balancer without multi-value headers hands over the last line alone, and only a proxy's joined line shows.
#[tokio::test]
async fn a_joined_line_is_seen_through_every_front() {
    let setting = setting();
    let signature = label().headers["x-hub-signature"]
        .to_str()
        .unwrap()
        .to_owned();
    let joined = label()
        .without("x-hub-signature")
        .header("x-hub-signature", &format!("{signature},{signature}"));
    let bearer = format!("Bearer {SECRET}");
    let bearers = TestRequest::label_studio(SECRET, br#"{"action": "X"}"#)
        .without("authorization")
        .header("authorization", &format!("{bearer}, {bearer}"));
    for front in ALL {
        for request in [&joined, &bearers] {
            assert_eq!(
                setting.status(front, &made(front, request)).await,
                400,
                "{front:?}"
            );
        }
    }
    assert_eq!(setting.events(), 0);
}

/// REST APIs decode a query and load balancers do not. Nothing of it is read.
#[tokio::test]
async fn a_query_is_no_part_of_a_delivery_in_any_encoding() {
    for front in ALL {
        let setting = setting();
        for path in ["/labelbox?a=%2Fb%20c&a=2&d", "/labelbox?", "/labelbox"] {
            let event = made(front, &label().at(path));
            assert_eq!(
                setting.status(front, &event).await,
                200,
                "{front:?}: {path}"
            );
        }
        assert_eq!(setting.events(), 1, "{front:?}: one event and its repeats");
    }
}

#[tokio::test]
async fn our_own_paths_are_found_behind_stages_and_base_paths() {
    let setting = setting();
    for front in ALL {
        let ready = get("/-/ready");
        assert_eq!(
            setting.status(front, &made(front, &ready)).await,
            200,
            "{front:?}"
        );
    }
    // A health check of a load balancer, as AWS documents it.
    let health_check = json!({
        "requestContext": { "elb": { "targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/x/1" } },
        "httpMethod": "GET",
        "path": "/-/ready",
        "queryStringParameters": {},
        "headers": { "user-agent": "ELB-HealthChecker/2.0" },
        "body": "",
        "isBase64Encoded": false,
    });
    let front = Front::LoadBalancer { multi_value: false };
    assert_eq!(setting.status(front, &health_check).await, 200);
}

/// What a sender writes into `X-Forwarded-For` is left of what the balancer appends.
#[tokio::test]
async fn a_load_balancers_own_entry_is_the_address() {
    let setting = setting();
    for multi_value in [false, true] {
        let front = Front::LoadBalancer { multi_value };
        let at = |path: &str, forwarded: Value| {
            let mut event = made(front, &label().at(path));
            let (place, value) = if multi_value {
                ("multiValueHeaders", json!([forwarded]))
            } else {
                ("headers", forwarded)
            };
            event[place]["x-forwarded-for"] = value;
            event
        };
        for (path, forwarded, status) in [
            ("/elsewhere-only", json!("192.0.2.1"), 200),
            ("/elsewhere-only", json!("127.0.0.1, 192.0.2.1"), 200),
            ("/elsewhere-only", json!("192.0.2.1:4711"), 200),
            ("/elsewhere-only", json!("192.0.2.1, 127.0.0.1"), 403),
            ("/elsewhere-only", json!("192.0.2.1,"), 403),
            ("/elsewhere-only", json!("192.0.2.1, unknown"), 403),
            ("/elsewhere-only", json!(""), 403),
            ("/elsewhere-only", json!(null), 403),
        ] {
            let event = at(path, forwarded);
            assert_eq!(setting.status(front, &event).await, status, "{event}");
        }
    }
    let front = Front::LoadBalancer { multi_value: true };
    let mut event = made(front, &label().at("/elsewhere-only"));
    event["multiValueHeaders"]["x-forwarded-for"] = json!(["127.0.0.1", "192.0.2.1"]);
    assert_eq!(
        setting.status(front, &event).await,
        403,
        "of two lines none counts"
    );
}
