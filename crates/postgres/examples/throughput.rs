//! Events a second that Postgres has durably: sent through the queue, beside a bare loop of the same inserts and beside
//! other ways to write, in one run against one server. `cargo xtask bench postgres` runs it.
//!
//! - One event a commit: as a handler does that takes a connection from a pool.
//! - svix-bridge's way: one client for all, behind a mutex that is held until the answer is there.
//! - pgmq's way: the table that pgmq makes for a queue, and its statement to send one message, on connections of a pool.

#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

use futures_util::future::join_all;
use labelrelay_core::config::Environment;
use labelrelay_core::{EventQueue as _, OutboundMessage, SourceOptions};
use labelrelay_postgres::{Postgres, PostgresQueue};
use labelrelay_startup::SystemClock;
use labelrelay_testkit::queue_suite::message;
use labelrelay_tests::sender;
use labelrelay_tests::servers::Postgres as Server;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio_postgres::{Client, Config, NoTls};

/// Length of one measurement.
const WINDOW: Duration = Duration::from_secs(4);

/// Measurements of each way, in turns.
const ROUNDS: usize = 5;

/// Deliveries that wait for their answers at once.
const IN_FLIGHT: usize = 256;

/// Connections of the bare loop: as many as the queue writes on.
const BARE_CONNECTIONS: usize = 2;

/// Connections that write one event a commit, as a handler does that takes one from a pool.
const COMMITTERS: usize = 16;

/// Into the same tables, without a look for repeats.
const INSERT: &str = "WITH given AS (
    SELECT nextval('events_number') AS number, id, type, envelope
    FROM unnest($1::text[], $2::text[], $3::bytea[]) AS sent (id, type, envelope)
), known AS (
    INSERT INTO ids (id, number, at) SELECT id, number, now() FROM given
)
INSERT INTO events (number, id, type, envelope) SELECT number, id, type, envelope FROM given";

/// A queue as pgmq makes one. It knows no repeats.
const PGMQ_TABLE: &str = "CREATE SCHEMA pgmq;
CREATE TABLE pgmq.q_events (
    msg_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    read_ct integer DEFAULT 0 NOT NULL,
    enqueued_at timestamptz DEFAULT now() NOT NULL,
    vt timestamptz NOT NULL,
    message jsonb,
    headers jsonb
);
CREATE INDEX q_events_vt_idx ON pgmq.q_events (vt ASC)";

/// Sends a message, as pgmq does.
const PGMQ_SEND: &str = "INSERT INTO q_events (vt, message, headers)
VALUES (clock_timestamp(), $1::text::jsonb, NULL) RETURNING msg_id";

/// Numbers of events, of which no two are the same.
#[derive(Default)]
struct Numbers(AtomicU64);

impl Numbers {
    fn id(&self) -> String {
        format!("{:064x}", self.0.fetch_add(1, Ordering::Relaxed))
    }
}

#[tokio::main]
async fn main() {
    let server = Server::start();
    let postgres = Postgres::load(
        &server.environment().into_iter().collect::<Environment>(),
        Arc::new(SystemClock::new()),
    );
    for schema in ["queue", "bare", "single", "bridge"] {
        let url = server.url(schema);
        let options = SourceOptions::default();
        let opened = postgres.event_source(&url, Path::new("/"), &options);
        opened.await.expect("tables");
    }
    let queue = postgres
        .queue(&server.url("queue"), Path::new("/"))
        .expect("a queue");
    let bare = clients(&server, "bare", BARE_CONNECTIONS).await;
    let single = clients(&server, "single", COMMITTERS).await;
    let bridge = clients(&server, "bridge", 1).await;
    let bridge = Mutex::new(bridge.into_iter().next().expect("a connection"));
    server.sql(PGMQ_TABLE);
    let pgmq = clients(&server, "pgmq", COMMITTERS).await;
    let numbers = Numbers::default();
    let body = sender::label("bench");
    let mut ratios = Vec::new();
    for round in 1..=ROUNDS {
        let ours = by_the_queue(&queue, &numbers, &body).await;
        let plain = by_inserts(&bare, IN_FLIGHT / BARE_CONNECTIONS, &numbers, &body).await;
        let each = by_inserts(&single, 1, &numbers, &body).await;
        let bridged = by_svix_bridge(&bridge, &numbers, &body).await;
        let messages = by_pgmq(&pgmq, &numbers, &body).await;
        let ratio = ours * 100 / plain.max(1);
        println!(
            "round {round}: queue {ours}/s, bare loop {plain}/s, one event a commit {each}/s, svix-bridge's way {bridged}/s, pgmq's way {messages}/s: {ratio} % of the bare loop"
        );
        ratios.push(ratio);
    }
    ratios.sort_unstable();
    let median = ratios.get(ROUNDS / 2).copied().unwrap_or_default();
    println!("median: {median} % of the bare loop");
}

/// Connections whose statements are about the tables of a schema.
async fn clients(server: &Server, schema: &str, count: usize) -> Vec<Client> {
    let password = server.environment().remove(0).1;
    let mut config = Config::new();
    config
        .host("127.0.0.1")
        .port(server.address.port())
        .user("postgres")
        .dbname("postgres")
        .password(password);
    let mut clients = Vec::new();
    for _ in 0..count {
        let (client, connection) = config.connect(NoTls).await.expect("a connection");
        tokio::spawn(connection);
        let search_path = format!("SET search_path TO {schema}");
        let set_up = client.batch_execute(&search_path);
        set_up.await.expect("a schema");
        clients.push(client);
    }
    clients
}

async fn by_the_queue(queue: &PostgresQueue, numbers: &Numbers, body: &[u8]) -> u64 {
    let until = Instant::now() + WINDOW;
    let senders = (0..IN_FLIGHT).map(|_| async {
        let mut sent: u64 = 0;
        while Instant::now() < until {
            let receipt = queue.send(&message(&numbers.id(), body)).await;
            assert!(!receipt.expect("taken").repeat, "each is new");
            sent += 1;
        }
        sent
    });
    let sent: u64 = join_all(senders).await.into_iter().sum();
    sent / WINDOW.as_secs()
}

/// Groups of `size` events, each in one statement.
async fn by_inserts(clients: &[Client], size: usize, numbers: &Numbers, body: &[u8]) -> u64 {
    let until = Instant::now() + WINDOW;
    let writers = clients.iter().map(|client| async move {
        let statement = client.prepare(INSERT).await.expect("a statement");
        let mut sent: u64 = 0;
        while Instant::now() < until {
            let group: Vec<_> = (0..size).map(|_| message(&numbers.id(), body)).collect();
            let ids: Vec<&str> = group.iter().map(OutboundMessage::id).collect();
            let types: Vec<&str> = group.iter().map(OutboundMessage::event_type).collect();
            let envelopes: Vec<&[u8]> = group.iter().map(|message| &*message.body).collect();
            let inserted = client
                .execute(&statement, &[&ids, &types, &envelopes])
                .await;
            sent += inserted.expect("taken");
        }
        sent
    });
    let sent: u64 = join_all(writers).await.into_iter().sum();
    sent / WINDOW.as_secs()
}

/// As many senders as the queue has, which wait for one client.
async fn by_svix_bridge(client: &Mutex<Client>, numbers: &Numbers, body: &[u8]) -> u64 {
    let statement = client.lock().await.prepare(INSERT).await;
    let statement = &statement.expect("a statement");
    let until = Instant::now() + WINDOW;
    let senders = (0..IN_FLIGHT).map(|_| async move {
        let mut sent: u64 = 0;
        while Instant::now() < until {
            let message = message(&numbers.id(), body);
            let (ids, types) = (vec![message.id()], vec![message.event_type()]);
            let envelopes: Vec<&[u8]> = vec![&*message.body];
            let client = client.lock().await;
            let inserted = client.execute(statement, &[&ids, &types, &envelopes]).await;
            sent += inserted.expect("taken");
        }
        sent
    });
    let sent: u64 = join_all(senders).await.into_iter().sum();
    sent / WINDOW.as_secs()
}

/// One message a statement.
async fn by_pgmq(clients: &[Client], numbers: &Numbers, body: &[u8]) -> u64 {
    let until = Instant::now() + WINDOW;
    let writers = clients.iter().map(|client| async move {
        let statement = client.prepare(PGMQ_SEND).await.expect("a statement");
        let mut sent: u64 = 0;
        while Instant::now() < until {
            let message = message(&numbers.id(), body);
            let envelope = std::str::from_utf8(&message.body).expect("JSON");
            let row = client.query_one(&statement, &[&envelope]).await;
            row.expect("taken");
            sent += 1;
        }
        sent
    });
    let sent: u64 = join_all(writers).await.into_iter().sum();
    sent / WINDOW.as_secs()
}
