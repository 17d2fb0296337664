//! Queues and sources on a server, and a source as the queue's suite reads.

use labelrelay_core::config::Environment;
use labelrelay_core::{
    BoxFuture, CommandLineBackEnd as _, EventQueue as _, EventSource as _, FallbackStore, Location,
    Settled, SourceOptions,
};
use labelrelay_postgres::{Postgres, PostgresQueue, PostgresSource};
use labelrelay_startup::SystemClock;
use labelrelay_testkit::queue_suite::{Reader, Received, message};
use labelrelay_tests::servers::Postgres as Server;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Postgres as an environment with these variables makes it.
pub(crate) fn postgres(variables: &[(String, String)]) -> Postgres {
    let variables: Environment = variables.iter().cloned().collect();
    Postgres::load(&variables, Arc::new(SystemClock::new()))
}

pub(crate) fn queue(server: &Server, schema: &str) -> PostgresQueue {
    queue_at(server, &server.url(schema))
}

pub(crate) fn queue_at(server: &Server, url: &str) -> PostgresQueue {
    let postgres = postgres(&server.environment());
    postgres.queue(url, Path::new("/")).expect("a URL")
}

pub(crate) async fn source(
    server: &Server,
    schema: &str,
    options: &SourceOptions,
) -> PostgresSource {
    let postgres = postgres(&server.environment());
    let opened = postgres
        .event_source(&server.url(schema), Path::new("/"), options)
        .await;
    opened.expect("a source")
}

/// A server with tables in this schema, and a user who may use the schema and look at its version.
pub(crate) async fn with_weak_user(schema: &str) -> Server {
    let server = Server::start();
    let strong = queue(&server, schema);
    strong.send(&message("first", b"1")).await.expect("taken");
    let password = server.environment().remove(0).1;
    server.sql(&format!(
        "CREATE ROLE weak LOGIN PASSWORD '{password}'; \
         GRANT USAGE ON SCHEMA {schema} TO weak; \
         GRANT SELECT ON {schema}.schema_version TO weak"
    ));
    server
}

pub(crate) fn weak_url(server: &Server, schema: &str) -> String {
    server.url(schema).replace("postgres@", "weak@")
}

/// The place `name` for ledgers, in the database of the queue at `url`.
pub(crate) async fn ledger_at(server: &Server, url: &str, name: &str) -> Arc<dyn FallbackStore> {
    let place = format!("/postgres/ledger/{name}?");
    let url = url.replace("/postgres?", &place);
    let at = Location {
        url: &url,
        base_dir: Path::new("/"),
    };
    let opened = postgres(&server.environment()).ledger(at).await;
    opened.expect("a place for a ledger")
}

/// A source that reads for the suite of queues.
pub(crate) struct Consumer(pub(crate) PostgresSource);

impl Consumer {
    pub(crate) async fn of(server: &Server, schema: &str) -> Self {
        Self(source(server, schema, &SourceOptions::default()).await)
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
