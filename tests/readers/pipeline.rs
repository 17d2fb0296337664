//! The pipeline in this process, in front of a queue that keeps one message.

use crate::readers::generate::Delivery;
use futures_executor::block_on;
use labelrelay_core::config::{Config, SecretRef};
use labelrelay_core::{
    BoxFuture, EventQueue, Intake, OutboundMessage, Outcome, Parts, QueueError, QueueLimits,
    Receipt, Relay,
};
use labelrelay_testkit::clock::{CountingEntropy, FakeClock};
use labelrelay_testkit::in_memory::RecordingObserver;
use labelrelay_testkit::request::TestRequest;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

const SECRET: &str = "current0secret0of0forty0characters000000";

const CONFIG: &str = r#"
[[source]]
name = "labelbox"
provider = "labelbox"
secret = "env:SECRET"

[[source]]
name = "label-studio"
provider = "label-studio"
secret = "env:SECRET"
"#;

pub(crate) struct Pipeline {
    relay: Relay,
    clock: FakeClock,
    kept: Arc<Kept>,
}

struct Kept(QueueLimits, Mutex<Option<Vec<u8>>>);

impl EventQueue for Kept {
    fn send<'a>(
        &'a self,
        message: &'a OutboundMessage,
    ) -> BoxFuture<'a, Result<Receipt, QueueError>> {
        *self.1.lock().unwrap() = Some(message.body.to_vec());
        Box::pin(std::future::ready(Ok(Receipt::new(None))))
    }

    fn limits(&self) -> QueueLimits {
        self.0
    }

    fn check(&self) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

impl Pipeline {
    /// In front of a queue that is read line by line, or one whose messages are read one by one.
    pub(crate) fn new(line_by_line: bool) -> Self {
        let lookup = |name: &str| (name == "SECRET").then(|| SECRET.to_owned());
        let config = Config::from_toml(CONFIG, "test.toml", PathBuf::from("."), &lookup).unwrap();
        let mut limits = QueueLimits::bytes(1 << 30);
        limits.single_line = line_by_line;
        let kept = Arc::new(Kept(limits, Mutex::default()));
        let clock = FakeClock::at("2026-01-15T12:00:00Z");
        let parts = Parts::new(
            kept.clone(),
            Arc::new(clock.clone()),
            Arc::new(CountingEntropy::default()),
            Arc::new(RecordingObserver::default()),
        );
        let open = |reference: &SecretRef, end| {
            Ok(reference
                .open(end, &lookup, "test.toml", "secret")?
                .expect("no store is named"))
        };
        let relay = Relay::new(&config, parts, &open).unwrap();
        Self { relay, clock, kept }
    }

    /// The envelope that is queued for a delivery.
    pub(crate) fn envelope(&self, delivery: &Delivery) -> Vec<u8> {
        let body = &delivery.body;
        let mut request = match delivery.labelbox {
            Some(event) => TestRequest::labelbox(SECRET, event, "d-1", body),
            None => TestRequest::label_studio(SECRET, body),
        };
        if let Some(trace) = delivery.traceparent {
            request = request.header("traceparent", trace);
        }
        let answer = block_on(async {
            let received = self
                .relay
                .receive(request.head(&self.clock), request.stream(delivery.piece));
            match received.await {
                Intake::Deliver(received) => self.relay.complete(received).await,
                Intake::Answer(answer) => answer,
            }
        });
        assert_eq!(
            answer.outcome,
            Outcome::Accepted,
            "{:?}",
            String::from_utf8_lossy(body)
        );
        self.kept.1.lock().unwrap().take().expect("a message")
    }
}
