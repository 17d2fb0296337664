//! The conformance suite of adapters through the real binary: by crafted events behind the Runtime
//! Interface Emulator, and by HTTP behind `cargo lambda watch`. A real queue takes the events.

use crate::event_builder::{Form, Front, event};
use crate::fronts::in_its_form;
use crate::setup::{Cloud, answer, quiet_about_cases};
use labelrelay_testkit::adapter_suite::{LIMITS, assert_queued, expected};
use labelrelay_tests::client;
use labelrelay_tests::servers::{Function, Watched};

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

#[tokio::test]
#[ignore = "needs the function, its emulator and MiniStack: cargo xtask test"]
async fn crafted_events() {
    let cases = expected(LIMITS).await;
    let cloud = Cloud::start();
    let function = Function::start(&cloud.variables());
    for (front, form) in [
        (Front::FunctionUrl, Form::Text),
        (Front::HttpApi("prod"), Form::Base64),
        (Front::RestApi("/hooks"), Form::Base64),
        (Front::LoadBalancer { multi_value: true }, Form::Text),
    ] {
        for case in &cases {
            let event = serde_json::to_vec(&event(front, form, &case.request, now())).unwrap();
            let response = function.invoke(&event);
            in_its_form(front, &response);
            let (status, body) = answer(&response);
            case.assert_answer(status, &body);
        }
        assert_queued(&cloud.drain(), &cases);
    }
    quiet_about_cases(&function.log());
}

#[tokio::test]
#[ignore = "needs the function, cargo-lambda and MiniStack: cargo xtask test"]
async fn requests_behind_cargo_lambda_watch() {
    let mut cases = expected(LIMITS).await;
    // The emulator takes a body by its content type, and answers 500 itself when that says JSON and the
    // bytes are no text. Repeated headers reach the function as one of them. It finds the function by the path, so
    // empty segments are not given to it.
    cases.retain(|case| {
        let headers = &case.request.headers;
        !case.request.path.contains("//")
            && std::str::from_utf8(&case.request.body).is_ok()
            && headers
                .keys()
                .all(|name| headers.get_all(name).iter().count() == 1)
    });
    assert!(cases.len() > 150, "{} cases", cases.len());
    let cloud = Cloud::start();
    let watched = Watched::start(&cloud.variables());
    for case in &cases {
        let path = format!("/lambda-url/_{}", case.request.path);
        let request = case.request.clone().at(&path).close();
        let answer = client::once(watched.address(), &request.raw());
        case.assert_answer(answer.status, &answer.body);
    }
    assert_queued(&cloud.drain(), &cases);
    quiet_about_cases(&watched.log());
}
