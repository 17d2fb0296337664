//! The handler's part beyond that of all adapters: Lambda's own deadline, panics, events that are no
//! requests, and its lines.

use crate::event_builder::{Form, Front, event};
use labelrelay_core::FallbackStore;
use labelrelay_core::config::{Config, SecretRef};
use labelrelay_core::{
    BoxFuture, Clock, EventQueue, Observer as _, OutboundMessage, Outcome, Parts, QueueError,
    QueueLimits, Receipt, Relay, Report,
};
use labelrelay_lambda::{Event, Function, NotARequest, Redrive, Response, Telemetry};
use labelrelay_testkit::clock::{CountingEntropy, FakeClock};
use labelrelay_testkit::in_memory::{Fault, MemoryFallback, MemoryQueue};
use labelrelay_testkit::queue_suite::message;
use labelrelay_testkit::request::TestRequest;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing::level_filters::LevelFilter;

const SECRET: &str = "a secret of the handler's tests";
const LIMITS: QueueLimits = QueueLimits::bytes(1 << 20);

struct Setting {
    function: Function,
    clock: FakeClock,
    lines: Arc<Mutex<Vec<Value>>>,
}

fn telemetry(level: LevelFilter) -> (Arc<Telemetry>, Arc<Mutex<Vec<Value>>>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&lines);
    let sink = move |line: &[u8]| {
        let one = line.strip_suffix(b"\n").expect("a whole line");
        assert!(!one.contains(&b'\n'), "one line");
        kept.lock()
            .unwrap()
            .push(serde_json::from_slice(line).unwrap());
    };
    let telemetry = Telemetry::new("relay".to_owned(), level, Arc::new(sink));
    let clock = FakeClock::at("2026-11-21T09:47:10Z");
    (Arc::new(telemetry.with_clock(Arc::new(clock))), lines)
}

fn setting(queue: Arc<dyn EventQueue>, level: LevelFilter) -> Setting {
    let lookup = |name: &str| (name == "S").then(|| SECRET.to_owned());
    let toml = "[[source]]\nname = \"labelbox\"\nprovider = \"labelbox\"\nsecret = \"env:S\"\n\
        [[source]]\nname = \"label-studio\"\nprovider = \"label-studio\"\nsecret = \"env:S\"\n";
    let config = Config::from_toml(toml, "t", PathBuf::new(), &lookup).unwrap();
    let (telemetry, lines) = telemetry(level);
    let clock = FakeClock::at("2026-11-21T09:47:10Z");
    let parts = Parts::new(
        queue,
        Arc::new(clock.clone()),
        Arc::new(CountingEntropy::default()),
        telemetry.clone(),
    );
    let open = |reference: &SecretRef, end| Ok(reference.open(end, &lookup, "t", "s")?.unwrap());
    let relay = Arc::new(Relay::new(&config, parts, &open).unwrap());
    Setting {
        function: Function::new(relay, telemetry),
        clock,
        lines,
    }
}

impl Setting {
    fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    /// A delivery that the platform got at `at` and that must have ended `left` from now.
    async fn deliver(&self, request: &TestRequest, at: i64, left: Option<u64>) -> Response {
        let event = event(Front::FunctionUrl, Form::Text, request, at);
        let event: Event = serde_json::from_slice(&serde_json::to_vec(&event).unwrap()).unwrap();
        let deadline = left.map_or(0, |left| u64::try_from(self.now()).unwrap() + left);
        self.function.invoke(event, deadline).await.unwrap()
    }

    fn line(&self) -> Value {
        let lines = self.lines.lock().unwrap();
        assert_eq!(lines.len(), 1, "{lines:?}");
        lines[0].clone()
    }
}

fn labelbox() -> TestRequest {
    TestRequest::labelbox(SECRET, "LABEL_CREATED", "d", br#"{"id":"l1","label":"{}"}"#)
}

/// Moves the clock in small steps until `work` is done; returns when that was, too.
async fn advance<T>(clock: &FakeClock, work: impl Future<Output = T>) -> (T, Duration) {
    let begun = clock.monotonic();
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return (done, clock.monotonic().saturating_sub(begun)),
            () = tokio::task::yield_now() => clock.advance(Duration::from_millis(10)),
        }
    }
}

#[tokio::test]
async fn the_answer_is_out_before_the_sender_and_before_lambda_gives_up() {
    let studio = TestRequest::label_studio(SECRET, br#"{"action": "X"}"#);
    let bounds = [
        // The wait for its start, Lambda's own time, and when the answer is due.
        (studio.clone(), 0, None, 800),
        (studio.clone(), 300, None, 500),
        // The queue has half of the time at least.
        (studio.clone(), 700, None, 400),
        (studio, 0, Some(600), 350),
        (labelbox(), 0, Some(3000), 2750),
        (labelbox(), 0, Some(100), 50),
        (labelbox(), 0, None, 8000),
    ];
    for (request, waited, left, due) in bounds {
        let queue = Arc::new(MemoryQueue::new(LIMITS));
        queue.fail_with(&[Fault::Hang; 20]);
        let setting = setting(queue, LevelFilter::DEBUG);
        let at = setting.now() - waited;
        let delivery = setting.deliver(&request, at, left);
        let (response, took) = Box::pin(advance(&setting.clock, delivery)).await;
        assert_eq!(response.status, 503);
        assert_eq!(response.headers["retry-after"], "5");
        let due = Duration::from_millis(due);
        assert!(
            took <= due + Duration::from_millis(20) && took + Duration::from_millis(20) >= due,
            "{took:?}, not {due:?}"
        );
        let line = setting.line();
        assert_eq!(
            (&line["event"], &line["Failed"]),
            (&"delivery_failed".into(), &1.into())
        );
        assert!(
            line["reason"].as_str().unwrap().contains("queue_late"),
            "{line}"
        );
    }
}

struct Panics;

impl EventQueue for Panics {
    fn send<'a>(&'a self, _: &'a OutboundMessage) -> BoxFuture<'a, Result<Receipt, QueueError>> {
        Box::pin(async { panic!("a bug of the test") })
    }

    fn limits(&self) -> QueueLimits {
        LIMITS
    }

    fn check(&self) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

#[tokio::test]
async fn a_panic_is_one_500() {
    let setting = setting(Arc::new(Panics), LevelFilter::INFO);
    let response = setting.deliver(&labelbox(), setting.now(), None).await;
    assert_eq!(response.status, 500);
    assert_eq!(setting.line()["event"], "delivery_panicked");
    let forged = labelbox().without("x-hub-signature");
    let next = setting.deliver(&forged, setting.now(), None).await;
    assert_eq!(next.status, 401, "the instance lives");
}

#[tokio::test]
async fn events_of_others_are_told_apart() {
    let setting = setting(Arc::new(MemoryQueue::new(LIMITS)), LevelFilter::INFO);
    let invoke = |json: &'static str| {
        let event: Event = serde_json::from_str(json).unwrap();
        setting.function.invoke(event, 0)
    };
    assert_eq!(invoke(r#"{"key1":"value1"}"#).await, Err(NotARequest));
    for (json, whose) in [
        (
            r#"{"requestContext":{"connectionId":"x","routeKey":"$connect"}}"#,
            "a WebSocket API",
        ),
        (
            r#"{"version":"3.0","httpMethod":"POST","requestContext":{}}"#,
            "a payload format that is not known",
        ),
        (
            r#"{"version":"2.0","method":"POST","requestContext":{"serviceNetworkArn":"x"}}"#,
            "VPC Lattice",
        ),
    ] {
        let response = invoke(json).await.unwrap();
        assert_eq!(response.status, 503);
        assert!(response.body.contains(whose), "{}", response.body);
        let line = setting.lines.lock().unwrap().pop().unwrap();
        assert_eq!(
            (&line["event"], &line["Failed"]),
            (&"unsupported_event".into(), &1.into())
        );
    }
}

#[tokio::test]
async fn a_line_is_a_metric_too() {
    let queue = Arc::new(MemoryQueue::new(LIMITS));
    let setting = setting(queue, LevelFilter::INFO);
    let mut seen = Vec::new();
    for request in [
        labelbox(),
        labelbox(),
        labelbox().without("x-hub-signature"),
    ] {
        setting.deliver(&request, setting.now(), None).await;
        let line = setting.lines.lock().unwrap().pop().unwrap();
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Namespace"], "labelrelay");
        assert_eq!(
            directive["Dimensions"],
            serde_json::json!([["FunctionName"]])
        );
        assert_eq!(
            (&line["FunctionName"], &line["source"]),
            (&"relay".into(), &"labelbox".into())
        );
        for metric in directive["Metrics"].as_array().unwrap() {
            let name = metric["Name"].as_str().unwrap();
            assert!(line[name].is_number(), "{name} in {line}");
            seen.push(name.to_owned());
        }
        assert!(
            line["timestamp"].is_string() && line["level"].is_string(),
            "{line}"
        );
    }
    assert_eq!(
        seen,
        [
            "Accepted",
            "Latency",
            "Duplicate",
            "Latency",
            "Refused",
            "Latency"
        ]
    );
}

/// Red if a flood decides how much is logged, or if a refusal is not counted.
#[tokio::test]
async fn a_flood_of_refusals_is_told_a_few_times_and_counted_whole() {
    let setting = setting(Arc::new(MemoryQueue::new(LIMITS)), LevelFilter::INFO);
    let forged = labelbox().without("x-hub-signature");
    for _ in 0..40 {
        let answer = setting.deliver(&forged, setting.now(), None).await;
        assert_eq!(answer.status, 401);
    }
    let lines = std::mem::take(&mut *setting.lines.lock().unwrap());
    let (told, counted): (Vec<_>, Vec<_>) = lines
        .iter()
        .partition(|line| line["event"] == "delivery_refused");
    assert_eq!((told.len(), counted.len()), (5, 35));
    assert!(lines.iter().all(|line| line["Refused"] == 1), "{lines:?}");
    assert!(told.iter().all(|line| line["reason"].is_string()));
    let longest = counted.iter().map(|line| line.to_string().len()).max();
    assert!(longest < Some(250), "{counted:?}");
    // What is verified is told, however often.
    setting.deliver(&labelbox(), setting.now(), None).await;
    let line = setting.line();
    assert_eq!(
        (&line["Accepted"], &line["source"]),
        (&1.into(), &"labelbox".into())
    );
}

/// Red if a refusal is not counted: the alarm then takes it for one of AWS's own, and for an event that was lost.
#[tokio::test]
async fn each_path_that_is_refused_is_counted() {
    for path in ["/-/other", "/labelbox"] {
        let setting = setting(Arc::new(MemoryQueue::new(LIMITS)), LevelFilter::INFO);
        let asked = TestRequest::new(http::Method::GET, path, b"");
        let answer = setting.deliver(&asked, setting.now(), None).await;
        assert!(answer.status.is_client_error(), "{path}");
        assert_eq!(setting.line()["Refused"], 1, "{path}");
    }
}

#[test]
fn a_503_is_no_refusal() {
    let (telemetry, lines) = telemetry(LevelFilter::INFO);
    telemetry.request(&Report::refused(
        Outcome::Overloaded,
        "full".to_owned(),
        None,
    ));
    let lines = lines.lock().unwrap();
    assert_eq!(
        (&lines[0]["Failed"], &lines[0]["Refused"]),
        (&1.into(), &Value::Null)
    );
}

#[tokio::test]
async fn metrics_are_written_whatever_the_level() {
    let setting = setting(Arc::new(MemoryQueue::new(LIMITS)), LevelFilter::ERROR);
    setting.deliver(&labelbox(), setting.now(), None).await;
    let line = setting.line();
    assert_eq!(line["Accepted"], 1);
    assert!(line["id"].is_null() && line["type"].is_null(), "{line}");
}

#[tokio::test]
async fn the_second_function_empties_the_fallback() {
    let (telemetry, lines) = telemetry(LevelFilter::INFO);
    let fallback = Arc::new(MemoryFallback::default());
    for key in ["1", "2", "3"] {
        fallback.put(key, message(key, b"{}").body).await.unwrap();
    }
    let queue = Arc::new(MemoryQueue::new(LIMITS));
    let redrive = Redrive {
        redrive: labelrelay_startup::redrive::Redrive {
            fallback: fallback.clone(),
            queue: queue.clone(),
            blobs: None,
            traces: None,
            clock: Arc::new(FakeClock::at("2026-11-21T09:47:10Z")),
            max_envelope: 1 << 20,
        },
        telemetry,
    };
    queue.fail_with(&[Fault::Error(labelrelay_core::QueueErrorKind::Denied)]);
    let first = redrive.invoke(0).await.unwrap();
    assert_eq!((first.moved, first.left), (2, 1));
    let line = lines.lock().unwrap().pop().unwrap();
    assert_eq!(
        (&line["event"], &line["FallbackLeft"]),
        (&"fallback_not_empty".into(), &1.into())
    );
    let second = redrive.invoke(0).await.unwrap();
    assert_eq!((second.moved, second.left), (1, 0));
    let line = lines.lock().unwrap().pop().unwrap();
    assert_eq!(
        (&line["event"], &line["FallbackLeft"]),
        (&"redriven".into(), &0.into())
    );
    assert_eq!((queue.messages().len(), fallback.envelopes().len()), (3, 0));
}
