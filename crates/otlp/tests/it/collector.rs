//! A collector in memory, and the program that sends to it.

use bytes::Bytes;
use labelrelay_core::config::{Config, Environment, SecretRef};
use labelrelay_core::relay::{Intake, Parts};
use labelrelay_core::{Answer, QueueLimits, Relay};
use labelrelay_otlp::{Destination, Exporter, Exporting, Post, Settings, Target, Tracer};
use labelrelay_testkit::clock::{CountingEntropy, FakeClock};
use labelrelay_testkit::in_memory::MemoryQueue;
use labelrelay_testkit::request::TestRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) const SECRET: &str = "current-secret-0123456789";

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

pub(crate) const LATE: Duration = Duration::from_secs(1);

/// What a collector does with a message.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Does {
    Answer(u16),
    /// It answers 200, after [`LATE`].
    Late,
    Hang,
    Refuse,
}

#[derive(Clone, Default)]
pub(crate) struct Collector {
    /// What it does with the next messages; it answers 200 to those after them.
    pub(crate) next: Arc<Mutex<VecDeque<Does>>>,
    taken: Arc<Mutex<Vec<(String, Bytes)>>>,
    asked: Arc<Mutex<usize>>,
}

impl Post for Collector {
    async fn post(&mut self, target: &Target, message: Bytes) -> Result<u16, String> {
        *self.asked.lock().unwrap() += 1;
        let next = self.next.lock().unwrap().pop_front();
        let next = next.unwrap_or(Does::Answer(200));
        if matches!(next, Does::Late) {
            tokio::time::sleep(LATE).await;
        }
        match next {
            Does::Hang => std::future::pending().await,
            Does::Refuse => Err("connection refused".to_owned()),
            Does::Late | Does::Answer(200) => {
                let path = target.url.path().to_owned();
                self.taken.lock().unwrap().push((path, message));
                Ok(200)
            }
            Does::Answer(status) => Ok(status),
        }
    }
}

impl Collector {
    pub(crate) fn does(&self, next: &[Does]) {
        self.next.lock().unwrap().extend(next);
    }

    pub(crate) fn asked(&self) -> usize {
        *self.asked.lock().unwrap()
    }

    pub(crate) fn messages(&self, path: &str) -> Vec<Bytes> {
        let taken = self.taken.lock().unwrap();
        let of_path = taken.iter().filter(|(to, _)| to == path);
        of_path.map(|(_, message)| message.clone()).collect()
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        let mut spans = Vec::new();
        for message in self.messages("/v1/traces") {
            let message = ExportTraceServiceRequest::decode(message).unwrap();
            for resource in message.resource_spans {
                for scope in resource.scope_spans {
                    spans.extend(scope.spans);
                }
            }
        }
        spans
    }
}

/// The text of an attribute; a number as its digits.
pub(crate) fn attribute(span: &Span, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|one| one.key == key)?;
    match found.value.clone()?.value? {
        Value::StringValue(text) => Some(text),
        Value::IntValue(number) => Some(number.to_string()),
        other => panic!("{key}: {other:?}"),
    }
}

pub(crate) struct Program {
    relay: Relay,
    pub(crate) queue: Arc<MemoryQueue>,
    pub(crate) clock: FakeClock,
    pub(crate) tracer: Tracer,
    pub(crate) collector: Collector,
    settings: Settings,
}

impl Program {
    pub(crate) fn new(variables: &[(&str, &str)]) -> Self {
        let variables = variables.iter().copied();
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        let environment: Environment = variables.chain([endpoint, ("SECRET", SECRET)]).collect();
        let settings = Settings::read(&environment).unwrap().unwrap();
        let config = Config::from_toml(SOURCES, "test.toml", ".".into(), &environment).unwrap();
        let clock = FakeClock::at("2026-01-15T12:00:00Z");
        let tracer = Tracer::new(
            settings.sampler,
            Destination::of_url("sqlite:queue.db"),
            Arc::new(clock.clone()),
            Arc::new(CountingEntropy::default()),
        );
        let queue = Arc::new(MemoryQueue::new(QueueLimits::bytes(1 << 30)));
        let parts = Parts::new(
            queue.clone(),
            Arc::new(clock.clone()),
            Arc::new(CountingEntropy::default()),
            Arc::new(tracer.clone()),
        );
        let open = |reference: &SecretRef, end| {
            Ok(reference
                .open(end, &environment, "test.toml", "secret")?
                .expect("no store is named"))
        };
        Self {
            relay: Relay::new(&config, parts, &open).unwrap(),
            queue,
            clock,
            tracer,
            collector: Collector::default(),
            settings,
        }
    }

    pub(crate) fn export(&self) -> Exporting {
        let exposition = || "# HELP a_b B.\n# TYPE a_b gauge\na_b 1\n# EOF\n".to_owned();
        self.exporter(exposition).begin()
    }

    pub(crate) fn exporter(
        &self,
        exposition: impl Fn() -> String + Send + 'static,
    ) -> Exporter<Collector> {
        Exporter::new(
            self.settings.clone(),
            self.tracer.clone(),
            exposition,
            Arc::new(self.clock.clone()),
            self.collector.clone(),
        )
    }

    pub(crate) async fn deliver(&self, request: &TestRequest) -> Answer {
        let head = request.head(&self.clock);
        match self.relay.receive(head, request.stream(1000)).await {
            Intake::Deliver(received) => self.relay.complete(received).await,
            Intake::Answer(answer) => answer,
        }
    }
}

/// Lets so much time pass.
pub(crate) async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// A label of this number.
pub(crate) fn label(number: usize) -> TestRequest {
    let body = format!(
        r#"{{"id":"l{number}","label":"{{}}","deleted":false,"createdAt":"2020-09-24T04:56:08Z","updatedAt":"2020-09-24T04:56:08Z","dataRow":{{"id":"r{number}"}},"project":{{"id":"p1"}}}}"#
    );
    TestRequest::labelbox(SECRET, "LABEL_CREATED", "d", body.as_bytes())
}
