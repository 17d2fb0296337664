//! The queue misbehaves on purpose: 503 with `Retry-After` before the answer is due, a line that says why,
//! and the next event gets through once the queue does well again.

use crate::event_builder::{Form, Front, event};
use crate::no_secrets_in_logs::assert_quiet;
use crate::setup::{answer, variables, with};
use labelrelay_testkit::adapter_suite::SECRET;
use labelrelay_testkit::request::TestRequest;
use labelrelay_tests::servers::{Behaviour, Function, Misbehaving};

/// The senders' patience in these tests, and more than a slow machine needs for one call.
const DEADLINE_MS: &str = "4000";

fn delivery(n: usize) -> TestRequest {
    let body = format!(
        r#"{{"id":"l{n}","label":"{{}}","canary":"a piece of a body that no log line may ever show, whatever fails"}}"#
    );
    TestRequest::labelbox(SECRET, "LABEL_CREATED", "delivery", body.as_bytes())
}

fn send(function: &Function, request: &TestRequest) -> serde_json::Value {
    let now = jiff::Timestamp::now().as_millisecond();
    let event = event(Front::FunctionUrl, Form::Text, request, now);
    function.invoke(&serde_json::to_vec(&event).unwrap())
}

#[test]
#[ignore = "needs the function and its emulator: cargo xtask test"]
fn whatever_the_queue_does_the_sender_is_told_in_time_and_the_log_says_why() {
    let server = Misbehaving::start_tls(Behaviour::Well);
    let queue = format!("{}/123456789012/events", server.endpoint());
    let variables = variables(&server.endpoint(), &queue);
    let variables = with(variables, "LABELRELAY_DEADLINE_MS", DEADLINE_MS);
    let authority = server.authority().display().to_string();
    let function = Function::start(&with(variables, "AWS_CA_BUNDLE", &authority));
    let cases = [
        (
            Behaviour::error(400, "com.amazonaws.sqs#QueueDoesNotExist", "gone"),
            "create it",
        ),
        (
            Behaviour::error(403, "AccessDeniedException", "no policy"),
            "allow sqs:SendMessage",
        ),
        (
            Behaviour::error(400, "com.amazonaws.sqs#KmsAccessDenied", "x"),
            "kms:GenerateDataKey",
        ),
        (
            Behaviour::error(
                403,
                "SignatureDoesNotMatch",
                "Credential should be scoped to a valid region",
            ),
            "region",
        ),
        (Behaviour::error(403, "ExpiredToken", "x"), "expired"),
        (
            Behaviour::error(400, "ThrottlingException", "x"),
            "queue_throttled",
        ),
        (Behaviour::html(200), "delivery_failed"),
        (Behaviour::html(503), "queue_unavailable"),
        (Behaviour::WrongBodyMd5, "queue_unproven"),
        (Behaviour::NoMd5, "queue_unproven"),
        (Behaviour::NoMessageId, "delivery_failed"),
        (Behaviour::Hang, "queue_late"),
        (Behaviour::HangUp, "queue_unavailable"),
        (Behaviour::Cut, "queue_unproven"),
    ];
    assert_eq!(
        answer(&send(&function, &delivery(0))).0,
        200,
        "{}",
        function.log()
    );
    let actions: Vec<_> = server.seen().into_iter().map(|seen| seen.action).collect();
    assert_eq!(
        (actions, server.connections()),
        (
            vec![
                "AmazonSQS.GetQueueAttributes".to_owned(),
                "AmazonSQS.SendMessage".to_owned()
            ],
            1
        ),
        "INIT opened the connection that the first event uses"
    );
    for (n, (behaviour, words)) in cases.into_iter().enumerate() {
        let before = function.log().len();
        server.behave(behaviour.clone());
        let response = send(&function, &delivery(n + 1));
        let log = function.log();
        assert_eq!(answer(&response).0, 503, "{behaviour:?}: {response}\n{log}");
        let log = function.logged(before, &["\"delivery_failed\"", words]);
        assert_eq!(response["headers"]["retry-after"], "5", "{behaviour:?}");
        let line = line(&log, "delivery_failed");
        let elapsed = line["elapsed_ms"].as_f64().expect("how long it took");
        // The deadline, and what a busy machine adds.
        assert!(elapsed <= 7000.0, "{behaviour:?} took {elapsed} ms");
        assert_eq!(line["Failed"], 1, "{line}");
        server.behave(Behaviour::Well);
        let again = send(&function, &delivery(n + 1));
        assert_eq!(answer(&again).0, 200, "after {behaviour:?}: {again}");
    }
    let bodies: Vec<_> = (0..20).map(|n| delivery(n).body).collect();
    assert_quiet(&function.log(), bodies.iter().map(Vec::as_slice));
}

#[test]
#[ignore = "needs the function and its emulator: cargo xtask test"]
fn a_queue_out_of_reach_fails_no_start() {
    let server = Misbehaving::start_tls(Behaviour::Reset);
    let queue = format!("{}/123456789012/events", server.endpoint());
    let variables = variables(&server.endpoint(), &queue);
    let variables = with(variables, "LABELRELAY_DEADLINE_MS", DEADLINE_MS);
    let authority = server.authority().display().to_string();
    let function = Function::start(&with(variables, "AWS_CA_BUNDLE", &authority));
    let response = send(&function, &delivery(0));
    let log = function.log();
    assert_eq!(answer(&response).0, 503, "{response}\n{log}");
    function.logged(0, &["\"what\":\"queue_not_ready\"", "queue_unavailable"]);
    server.behave(Behaviour::Well);
    let again = send(&function, &delivery(0));
    assert_eq!(answer(&again).0, 200, "{again}");
}

#[test]
#[ignore = "needs the function and its emulator: cargo xtask test"]
fn a_connection_that_dies_in_the_freeze_costs_no_event() {
    let server = Misbehaving::start_tls(Behaviour::StaleAndReset);
    let queue = format!("{}/123456789012/events", server.endpoint());
    let variables = variables(&server.endpoint(), &queue);
    let authority = server.authority().display().to_string();
    let function = Function::start(&with(variables, "AWS_CA_BUNDLE", &authority));
    for behaviour in [Behaviour::StaleAndReset, Behaviour::StaleAndSilent] {
        server.behave(behaviour.clone());
        for n in 0..3 {
            let response = send(&function, &delivery(n));
            assert_eq!(
                answer(&response).0,
                200,
                "{behaviour:?}: {response}\n{}",
                function.log()
            );
        }
    }
}

/// The only line of the function that is called `event`.
fn line(log: &str, event: &str) -> serde_json::Value {
    let lines: Vec<serde_json::Value> = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|line: &serde_json::Value| line["event"] == event)
        .collect();
    let [line] = &lines[..] else {
        panic!("{} lines called {event} in\n{log}", lines.len());
    };
    assert!(line["requestId"].is_string(), "{line}");
    line.clone()
}
