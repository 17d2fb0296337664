//! What an observer hears that keeps a record: each request's head, and the start of a body that became no event.

use crate::test_bench::SECRET;
use futures_executor::block_on;
use http::Method;
use labelrelay_core::config::Config;
use labelrelay_core::queue::QueueLimits;
use labelrelay_core::relay::{Intake, Parts};
use labelrelay_core::{Exchange, Observer, QueueError, Relay, Report};
use labelrelay_testkit::clock::{CountingEntropy, FakeClock};
use labelrelay_testkit::in_memory::MemoryQueue;
use labelrelay_testkit::request::TestRequest;
use std::sync::{Arc, Mutex};

const SOURCES: &str = r#"
[[source]]
name = "labelbox"
provider = "labelbox"
secret = "env:SECRET"

[[source]]
name = "label-studio"
provider = "label-studio"
secret = "env:SECRET"
exclude = ["io.labelstud.task.*"]
"#;

const LABEL: &[u8] = br#"{"id":"l1","label":"{}"}"#;
const TASK: &[u8] = br#"{"action":"TASKS_CREATED","tasks":[{"id":1}],"project":{"id":3}}"#;

/// An exchange, as far as it is looked at here.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    outcome: &'static str,
    path: String,
    headers: usize,
    project: Option<String>,
    body_start: Option<Vec<u8>>,
}

#[derive(Default)]
struct Keeper {
    wanted: usize,
    seen: Mutex<Vec<Seen>>,
}

impl Observer for Keeper {
    fn request(&self, report: &Report) {
        panic!("told without its head: {report:?}");
    }

    fn exchange(&self, exchange: &Exchange<'_>) {
        self.seen.lock().unwrap().push(Seen {
            outcome: exchange.report.outcome.as_str(),
            path: exchange.head.path.clone(),
            headers: exchange.head.headers.len(),
            project: exchange.report.project.clone(),
            body_start: exchange.body_start.map(<[u8]>::to_vec),
        });
    }

    fn wanted_body_bytes(&self) -> usize {
        self.wanted
    }

    fn queue_attempt_failed(&self, _: &str, _: &str, _: &QueueError) {}
}

fn observed(wanted: usize, requests: &[TestRequest]) -> Vec<Seen> {
    let lookup = |name: &str| (name == "SECRET").then(|| SECRET.to_owned());
    let config = Config::from_toml(SOURCES, "test.toml", ".".into(), &lookup).unwrap();
    let clock = FakeClock::at("2026-01-15T12:00:00Z");
    let keeper = Arc::new(Keeper {
        wanted,
        ..Keeper::default()
    });
    let parts = Parts::new(
        Arc::new(MemoryQueue::new(QueueLimits::bytes(1 << 30))),
        Arc::new(clock.clone()),
        Arc::new(CountingEntropy::default()),
        keeper.clone(),
    );
    let open = |reference: &labelrelay_core::config::SecretRef, end| {
        Ok(reference
            .open(end, &lookup, "test.toml", "secret")?
            .expect("no store is named"))
    };
    let relay = Relay::new(&config, parts, &open).unwrap();
    for request in requests {
        let received = relay.receive(request.head(&clock), request.stream(10));
        if let Intake::Deliver(received) = block_on(received) {
            block_on(relay.complete(received));
        }
    }
    std::mem::take(&mut *keeper.seen.lock().unwrap())
}

fn requests() -> [TestRequest; 4] {
    let bearer = format!("Bearer {SECRET}");
    [
        TestRequest::labelbox(SECRET, "LABEL_CREATED", "d-1", LABEL),
        TestRequest::labelbox("somebody else's secret", "LABEL_CREATED", "d-2", LABEL),
        TestRequest::new(Method::POST, "/label-studio", TASK).header("authorization", &bearer),
        TestRequest::new(Method::GET, "/labelbox", b""),
    ]
}

#[test]
fn each_request_is_told_once_with_its_head() {
    let seen = observed(usize::MAX, &requests());
    let told: Vec<_> = seen
        .iter()
        .map(|seen| (seen.outcome, seen.path.as_str(), seen.body_start.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            ("accepted", "/labelbox", None),
            ("unauthorized", "/labelbox", Some(LABEL)),
            ("filtered", "/label-studio", Some(TASK)),
            ("wrong_method", "/labelbox", None),
        ]
    );
    assert!(seen[1].headers > 0);
    assert_eq!(seen[2].project.as_deref(), Some("3"));
}

#[test]
fn no_more_of_a_body_is_kept_than_is_wanted() {
    let starts = |wanted| {
        let seen = observed(wanted, &requests());
        seen.into_iter()
            .filter_map(|seen| seen.body_start)
            .collect::<Vec<_>>()
    };
    assert_eq!(starts(15), [LABEL[..15].to_vec(), TASK[..15].to_vec()]);
    assert!(starts(0).is_empty());
}
