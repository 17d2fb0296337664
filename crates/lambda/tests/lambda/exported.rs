//! What the program tells a collector, and when: once the answer is out, and before the next event is asked for.

use crate::event_builder::{Form, Front, event};
use crate::runtime_api::{Collector, Happenings, RuntimeApi};
use crate::setup::{Variables, answer, variables, with};
use labelrelay_testkit::adapter_suite::SECRET;
use labelrelay_testkit::request::TestRequest;
use labelrelay_tests::relay::eventually;
use labelrelay_tests::servers::{Behaviour, CollectedSpan, Misbehaving, Rotel};
use labelrelay_tests::traced::{self, PARENT, TRACE};
use std::fs::File;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Nothing here is to be late: what is slow is the machine.
const PATIENT: (&str, &str) = ("OTEL_EXPORTER_OTLP_TIMEOUT", "60000");

/// The program, in front of a queue that takes everything, behind the runtime API.
struct Running {
    api: RuntimeApi,
    happenings: Happenings,
    queue: Misbehaving,
    child: Child,
    folder: TempDir,
}

impl Running {
    fn start(endpoint: &str, happenings: Happenings, more: &[(&str, &str)]) -> Self {
        let api = RuntimeApi::start(&happenings);
        let queue = Misbehaving::start(Behaviour::Well);
        let url = format!("{}/123456789012/events", queue.endpoint());
        let mut variables: Variables = variables(&queue.endpoint(), &url);
        for (name, value) in [
            ("LABELRELAY_DEADLINE_MS", "30000"),
            ("AWS_LAMBDA_RUNTIME_API", &*api.address.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", "relay"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ]
        .iter()
        .chain(more)
        {
            variables = with(variables, name, value);
        }
        let folder = tempfile::tempdir().unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_labelrelay-lambda"))
            .env_clear()
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(log)
            .spawn()
            .unwrap();
        Self {
            api,
            happenings,
            queue,
            child,
            folder,
        }
    }

    /// A delivery whose sender has a span.
    fn deliver(&self, number: usize) {
        let body = format!(r#"{{"id":"l{number}","label":"{{}}"}}"#);
        let request = TestRequest::labelbox(SECRET, "LABEL_CREATED", "d", body.as_bytes());
        let request = request.header("traceparent", &format!("00-{TRACE}-{PARENT}-01"));
        let now = jiff::Timestamp::now().as_millisecond();
        self.api
            .invoke(&event(Front::FunctionUrl, Form::Text, &request, now));
    }

    /// Waits until the program has asked so often for an event: it is through with those before.
    fn asks(&self, times: usize) {
        eventually(&format!("it asks {times} times"), || {
            (self.happenings.of("next").len() >= times).then_some(())
        });
    }

    fn log(&self) -> String {
        let log = std::fs::read(self.folder.path().join("log")).unwrap();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Every answer was a success.
    fn assert_accepted(&self, number: usize) {
        let answers = self.happenings.of("response");
        assert_eq!(answers.len(), number);
        for one in answers {
            let response: serde_json::Value = serde_json::from_slice(&one.body).unwrap();
            assert_eq!(answer(&response).0, 200, "{response}\n{}", self.log());
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A process that ended already is no error.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = (0..hex.len()).step_by(2);
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    pairs.map(byte).collect()
}

#[test]
fn spans_and_counts_leave_behind_the_answer_and_before_the_next_event() {
    let happenings = Happenings::default();
    let endpoint = Collector::Takes.start(&happenings);
    let running = Running::start(&endpoint, happenings, &[PATIENT]);
    running.deliver(1);
    running.asks(2);
    running.deliver(2);
    running.asks(3);
    let one = ["response", "traces", "metrics", "next"];
    let expected = [&["next"][..], &one, &one].concat();
    assert_eq!(running.happenings.names(), expected, "{}", running.log());
    running.assert_accepted(2);
    for traces in running.happenings.of("traces") {
        for text in ["POST /labelbox", "send events", "aws_sqs", "faas.name"] {
            assert!(traces.has(text), "{text}");
        }
        assert!(traces.has(bytes(TRACE)) && traces.has(bytes(PARENT)));
    }
    for metrics in running.happenings.of("metrics") {
        assert!(metrics.has("labelrelay_requests_total") && metrics.has("accepted"));
    }
    // The envelope names the sender's span, as `serve` writes it.
    let parent = format!("00-{TRACE}-{PARENT}-01");
    let seen = running.queue.seen();
    let sent = seen
        .iter()
        .filter(|seen| seen.action.ends_with("SendMessage"));
    let with_parent = sent.filter(|seen| String::from_utf8_lossy(&seen.body).contains(&parent));
    assert_eq!(with_parent.count(), 2);
}

#[test]
fn a_collector_that_hangs_keeps_no_answer_and_is_left_alone_then() {
    let happenings = Happenings::default();
    let endpoint = Collector::Hangs.start(&happenings);
    let running = Running::start(&endpoint, happenings, &[]);
    for number in 1..=2 {
        running.deliver(number);
        running.asks(number + 1);
    }
    let mut names = running.happenings.names();
    names.retain(|name| name != "traces");
    assert_eq!(names, ["next", "response", "next", "response", "next"]);
    running.assert_accepted(2);
    let log = running.log();
    assert!(log.contains("telemetry_failed"), "{log}");
}

#[test]
fn a_value_that_is_not_understood_sends_nothing_and_ends_nothing() {
    let happenings = Happenings::default();
    let endpoint = Collector::Takes.start(&happenings);
    let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let running = Running::start(&endpoint, happenings, &[grpc]);
    running.deliver(1);
    running.asks(2);
    assert_eq!(running.happenings.names(), ["next", "response", "next"]);
    running.assert_accepted(1);
    let log = running.log();
    assert!(
        log.contains("telemetry_off") && log.contains("OTEL_EXPORTER_OTLP_PROTOCOL"),
        "{log}"
    );
}

#[test]
#[ignore = "needs a collector: cargo xtask test"]
fn a_real_collector_has_the_spans_and_the_counts() {
    let collector = Rotel::start();
    let running = Running::start(&collector.endpoint(), Happenings::default(), &[PATIENT]);
    running.deliver(1);
    running.asks(2);
    let spans = eventually("the collector has both spans", || {
        let spans = collector.spans();
        let is_whole = |span: &CollectedSpan| !span.kind.is_empty();
        (spans.len() == 2 && spans.iter().all(is_whole)).then_some(spans)
    });
    let named = |name| spans.iter().find(|span| span.name == name).unwrap();
    let (server, producer) = (named("POST /labelbox"), named("send events"));
    traced::hang_together(server, producer);
    let metric = "labelrelay_requests_total";
    eventually(metric, || collector.log().contains(metric).then_some(()));
}
