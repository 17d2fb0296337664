//! Events a second that a stream has durably: sent through the queue, beside the bare client with the same waiting,
//! in one run against one server. `cargo xtask bench nats` runs it.

#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

use async_nats::{Client, HeaderMap, Request};
use futures_util::future::join_all;
use labelrelay_core::EventQueue as _;
use labelrelay_core::config::Environment;
use labelrelay_nats::{Nats, NatsQueue};
use labelrelay_startup::SystemClock;
use labelrelay_testkit::queue_suite::message;
use labelrelay_tests::sender;
use labelrelay_tests::servers::Nats as Server;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Length of one measurement.
const WINDOW: Duration = Duration::from_secs(4);

/// Measurements of each way, in turns.
const ROUNDS: usize = 5;

/// Deliveries that wait for their answers at once.
const IN_FLIGHT: usize = 256;

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
    for stream in ["queue", "bare"] {
        server.add_streams(stream);
    }
    let nats = Nats::load(&Environment::default(), Arc::new(SystemClock::new()));
    let queue = nats.queue(&server.url("queue"), Path::new("/"));
    let queue = queue.expect("a queue");
    let client = async_nats::connect(server.address.to_string()).await;
    let client = client.expect("a connection");
    let numbers = Numbers::default();
    let body = sender::label("bench");
    let mut ratios = Vec::new();
    for round in 1..=ROUNDS {
        let ours = by_the_queue(&queue, &numbers, &body).await;
        let bare = by_the_client(&client, &numbers, &body).await;
        let ratio = ours * 100 / bare.max(1);
        println!("round {round}: queue {ours}/s, bare client {bare}/s: {ratio} %");
        ratios.push(ratio);
    }
    ratios.sort_unstable();
    let median = ratios.get(ROUNDS / 2).copied().unwrap_or_default();
    println!("median: {median} % of the bare client");
}

async fn by_the_queue(queue: &NatsQueue, numbers: &Numbers, body: &[u8]) -> u64 {
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

/// The same events with the same ids, each sent with a place for its answer, which is waited for.
async fn by_the_client(client: &Client, numbers: &Numbers, body: &[u8]) -> u64 {
    let until = Instant::now() + WINDOW;
    let senders = (0..IN_FLIGHT).map(|_| async {
        let mut sent: u64 = 0;
        while Instant::now() < until {
            let message = message(&numbers.id(), body);
            let mut headers = HeaderMap::new();
            headers.insert("Nats-Msg-Id", message.id());
            let request = Request::new().headers(headers).payload(message.body);
            let answer = client.send_request("labels.bare", request).await;
            let answer = answer.expect("an answer").payload;
            assert!(answer.starts_with(br#"{"stream":"bare""#), "{answer:?}");
            sent += 1;
        }
        sent
    });
    let sent: u64 = join_all(senders).await.into_iter().sum();
    sent / WINDOW.as_secs()
}
