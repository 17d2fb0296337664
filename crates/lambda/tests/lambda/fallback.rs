//! The queue refuses an event, the fallback has it, the second function moves it into the queue.

use crate::event_builder::{Form, Front, event};
use crate::setup::{Cloud, Variables, answer, with};
use labelrelay_testkit::adapter_suite::SECRET;
use labelrelay_testkit::request::TestRequest;
use labelrelay_tests::servers::{Behaviour, Function, Misbehaving};
use serde_json::json;

#[test]
#[ignore = "needs the function, its emulator and MiniStack: cargo xtask test"]
fn an_event_that_the_queue_refuses_gets_there_in_the_end() {
    let cloud = Cloud::start();
    let refusing = Misbehaving::start(Behaviour::error(403, "AccessDeniedException", "no policy"));
    let variables = with(
        cloud.variables(),
        "LABELRELAY_FALLBACK",
        "s3://bucket/fallback",
    );
    let broken = with(
        variables.clone(),
        "AWS_ENDPOINT_URL_SQS",
        &refusing.endpoint(),
    );
    let relay = Function::start(&broken);
    let body = br#"{"id":"l1","label":"{}"}"#;
    let request = TestRequest::labelbox(SECRET, "LABEL_CREATED", "delivery", body);
    let now = jiff::Timestamp::now().as_millisecond();
    let event = event(Front::FunctionUrl, Form::Text, &request, now);
    let response = relay.invoke(&serde_json::to_vec(&event).unwrap());
    assert_eq!(answer(&response).0, 200, "{response}\n{}", relay.log());
    let words = ["\"event\":\"delivery_in_fallback\"", "sqs:SendMessage"];
    relay.logged(0, &words);
    assert_eq!(cloud.drain().len(), 0);

    let redrive = |variables| {
        let function = Function::start(&with(variables, "LABELRELAY_FUNCTION", "redrive"));
        let result = function.invoke(br#"{"source":"aws.scheduler"}"#);
        (result, function)
    };
    let (result, function) = redrive(broken);
    assert_eq!(result, json!({"moved": 0, "left": 1}), "{}", function.log());
    let words = ["\"event\":\"fallback_not_empty\"", "\"FallbackLeft\":1"];
    function.logged(0, &words);
    let (result, function) = redrive(variables.clone());
    assert_eq!(result, json!({"moved": 1, "left": 0}), "{}", function.log());
    let envelopes = cloud.drain();
    assert_eq!(envelopes.len(), 1);
    assert!(envelopes[0].ends_with(&[b",\"data\":", &body[..], b"}"].concat()));
    let (result, function) = redrive(variables);
    assert_eq!(result, json!({"moved": 0, "left": 0}), "{}", function.log());
}

/// A pull into SQS, which cannot look into it, goes by these.
#[test]
#[ignore = "needs the function, its emulator and MiniStack: cargo xtask test"]
fn what_the_queue_takes_leaves_a_trace_at_once_or_out_of_the_fallback() {
    let cloud = Cloud::start();
    let refusing = Misbehaving::start(Behaviour::error(403, "AccessDeniedException", "no policy"));
    let variables = with(
        cloud.variables(),
        "LABELRELAY_FALLBACK",
        "s3://bucket/fallback",
    );
    let variables = with(variables, "LABELRELAY_TRACES", "s3://bucket/traces");
    let broken = with(
        variables.clone(),
        "AWS_ENDPOINT_URL_SQS",
        &refusing.endpoint(),
    );
    let deliver = |variables: &Variables, id: &str| {
        let relay = Function::start(variables);
        let body = format!(r#"{{"id":"{id}","label":"{{}}"}}"#);
        let request = TestRequest::labelbox(SECRET, "LABEL_CREATED", id, body.as_bytes());
        let now = jiff::Timestamp::now().as_millisecond();
        let event = event(Front::FunctionUrl, Form::Text, &request, now);
        let response = relay.invoke(&serde_json::to_vec(&event).unwrap());
        assert_eq!(answer(&response).0, 200, "{response}\n{}", relay.log());
    };
    let traces = || {
        let script = "found = client('s3').list_objects_v2(Bucket='bucket', Prefix='traces/')\n\
            print(len(found.get('Contents', [])))";
        cloud.ministack.boto3(script, &[])
    };
    deliver(&broken, "first");
    assert_eq!(traces(), "0", "it waits in the fallback");
    let redrive = with(variables.clone(), "LABELRELAY_FUNCTION", "redrive");
    let function = Function::start(&redrive);
    let result = function.invoke(br#"{"source":"aws.scheduler"}"#);
    assert_eq!(result, json!({"moved": 1, "left": 0}), "{}", function.log());
    assert_eq!(traces(), "1");
    deliver(&variables, "second");
    assert_eq!(traces(), "2");
    assert_eq!(cloud.drain().len(), 2);
}
