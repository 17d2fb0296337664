//! Queues and sources on a server, and a source as the queue's suite reads.

use labelrelay_core::config::Environment;
use labelrelay_core::{BoxFuture, EventSource as _, Settled, SourceOptions};
use labelrelay_nats::{Nats, NatsQueue, NatsSource};
use labelrelay_startup::SystemClock;
use labelrelay_testkit::queue_suite::{Reader, Received};
use labelrelay_tests::servers::Nats as Server;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// NATS as an environment with the tests' password makes it.
pub(crate) fn nats() -> Nats {
    let variables = [("NATS_PASSWORD", Server::PASSWORD), ("WRONG", "wrong")];
    let variables: Environment = variables.into_iter().collect();
    Nats::load(&variables, Arc::new(SystemClock::new()))
}

pub(crate) fn queue(server: &Server, stream: &str) -> NatsQueue {
    queue_at(&server.url(stream))
}

pub(crate) fn queue_at(url: &str) -> NatsQueue {
    nats().queue(url, Path::new("/")).expect("a URL")
}

pub(crate) async fn source(server: &Server, stream: &str, options: &SourceOptions) -> NatsSource {
    let nats = nats();
    let url = server.url(stream);
    let opened = nats.event_source(&url, Path::new("/"), options).await;
    opened.expect("a source")
}

/// A source that reads for the suite of queues.
pub(crate) struct Consumer(pub(crate) NatsSource);

impl Consumer {
    pub(crate) async fn of(server: &Server, stream: &str) -> Self {
        Self(source(server, stream, &SourceOptions::default()).await)
    }
}

impl Reader for Consumer {
    fn receive(&self, max: usize, visibility: Duration) -> BoxFuture<'_, Vec<Received>> {
        Box::pin(async move {
            let events = self.0.receive(max, visibility, Duration::ZERO).await;
            let received = |event: labelrelay_core::ReceivedEvent| Received {
                body: event.envelope.to_vec(),
                receive_count: event.receive_count.expect("a count"),
                receipt: event.receipt,
            };
            events.expect("read").into_iter().map(received).collect()
        })
    }

    fn acknowledge<'a>(&'a self, receipt: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let settled = self.0.ack(&[receipt]).await.expect("answered");
            settled == [Settled::Done]
        })
    }
}
