//! The conformance suite of adapters through the real binary: by crafted events behind the Runtime
//! Interface Emulator, and by HTTP behind `cargo lambda watch`. A real queue takes the events.

use crate::craft::{Form, Front, event};
use crate::masked::masked;
use crate::setting::{Cloud, answer, quiet_about_cases};
use labelrelay_testkit::adapter_suite::{self, Case};
use labelrelay_testkit::request::TestRequest;
use labelrelay_tests::client;
use labelrelay_tests::servers::{Function, Watched};
use std::collections::BTreeMap;

/// A case that needs no relay of its own, with what `serve` made of it.
struct Expected {
    name: String,
    request: TestRequest,
    status: u16,
    body: Vec<u8>,
    envelopes: Vec<Vec<u8>>,
}

/// Cases of one request. A standard queue recognises no repeats, and nobody tells it to fail.
async fn expected() -> Vec<Expected> {
    let observed = adapter_suite::observe("serve", &adapter_suite::serve).await;
    let alone = |case: &Case| case.requests.len() == 1 && case.faults.is_empty();
    let cases = adapter_suite::cases().into_iter().zip(observed);
    cases
        .filter(|(case, _)| alone(case))
        .map(|(mut case, mut observed)| Expected {
            name: case.name,
            request: case.requests.remove(0).0,
            status: observed.responses[0].status,
            body: observed.responses.remove(0).body,
            envelopes: observed.envelopes.iter().map(|sent| masked(sent)).collect(),
        })
        .collect()
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

fn assert_answer(case: &Expected, status: u16, body: &[u8]) {
    let shown = String::from_utf8_lossy(body);
    assert_eq!(status, case.status, "{}: {shown}", case.name);
    assert_eq!(
        String::from_utf8(masked(body)).unwrap(),
        String::from_utf8(masked(&case.body)).unwrap(),
        "{}",
        case.name
    );
}

/// What lies on the queue is what `serve` put on its own, as often.
fn assert_queued<'a>(cloud: &Cloud, cases: impl Iterator<Item = &'a Expected>) {
    let mut count: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
    let mut expected = 0;
    for envelope in cases.flat_map(|case| &case.envelopes) {
        *count.entry(envelope.clone()).or_default() += 1;
        expected += 1;
    }
    let queued = cloud.drain();
    assert_eq!(queued.len(), expected, "events on the queue");
    for envelope in queued {
        *count.entry(masked(&envelope)).or_default() -= 1;
    }
    for (envelope, difference) in count {
        let shown = String::from_utf8_lossy(&envelope[..envelope.len().min(2000)]);
        assert_eq!(difference, 0, "{shown}");
    }
}

#[tokio::test]
#[ignore = "needs the function, its emulator and MiniStack: cargo xtask test"]
async fn crafted_events() {
    let cases = expected().await;
    let cloud = Cloud::start();
    let function = Function::start(&cloud.variables());
    for (front, form) in [
        (Front::FunctionUrl, Form::Text),
        (Front::HttpApi("prod"), Form::Base64),
    ] {
        for case in &cases {
            let event = serde_json::to_vec(&event(front, form, &case.request, now())).unwrap();
            let (status, body) = answer(&function.invoke(&event));
            assert_answer(case, status, &body);
        }
        assert_queued(&cloud, cases.iter());
    }
    quiet_about_cases(&function.log());
}

#[tokio::test]
#[ignore = "needs the function, cargo-lambda and MiniStack: cargo xtask test"]
async fn requests_behind_cargo_lambda_watch() {
    let mut cases = expected().await;
    // The emulator takes a body by its content type, and answers 500 itself when that says JSON and the
    // bytes are no text. Repeated headers reach the function as one of them.
    cases.retain(|case| {
        let headers = &case.request.headers;
        std::str::from_utf8(&case.request.body).is_ok()
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
        assert_answer(case, answer.status, &answer.body);
    }
    assert_queued(&cloud, cases.iter());
    quiet_about_cases(&watched.log());
}
