//! NATS.

use super::delivered;
use super::queue_server::{self, PASSWORD, QueueServer};
use labelrelay_tests::sender;
use labelrelay_tests::servers::Nats;
use serde_json::json;
use std::net::SocketAddr;

/// Stream of the queue.
const STREAM: &str = "events";

impl QueueServer for Nats {
    const MAX_MESSAGE_BYTES: u64 = 1024 * 1024;

    fn queue(&self) -> String {
        self.url(STREAM)
    }

    fn variables(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    fn listens_at(&self) -> SocketAddr {
        self.address
    }

    fn take_all(&self) -> Vec<Vec<u8>> {
        let taken = self.drain(STREAM).into_iter();
        taken.map(|(_, envelope)| envelope).collect()
    }

    fn reasons(&self) -> Vec<String> {
        let buried = self.drain("events-dead-letters").into_iter();
        buried.map(|(headers, _)| headers).collect()
    }

    fn freeze(&self) {
        self.hang();
    }

    fn thaw(&self) {
        self.go_on();
    }
}

fn start() -> Nats {
    let server = Nats::start();
    server.add_streams(STREAM);
    server
}

#[test]
#[ignore = "needs nats-server: cargo xtask test"]
fn serve_sends_to_nats() {
    queue_server::conforms(&start());
}

#[test]
#[ignore = "needs nats-server: cargo xtask test"]
fn nothing_is_lost_while_nats_hangs() {
    queue_server::loses_nothing(&start());
}

#[test]
#[ignore = "needs nats-server: cargo xtask test"]
fn events_are_sent_again_to_nats() {
    queue_server::takes_replays(&start());
}

#[test]
#[ignore = "needs nats-server: cargo xtask test"]
fn consume_takes_events_from_nats() {
    queue_server::is_consumed(&start());
}

#[test]
#[ignore = "needs nats-server: cargo xtask test"]
fn programs_take_events_from_nats() {
    queue_server::is_piped(&start());
}

#[test]
#[ignore = "needs nats-server: cargo xtask test"]
fn a_dataset_is_made_of_events_from_nats() {
    queue_server::becomes_a_dataset(&start());
}

/// Nothing of the stream is taken.
#[test]
#[ignore = "needs nats-server: cargo xtask test"]
fn events_in_nats_are_looked_at() {
    let server = start();
    queue_server::over(&server, |cloud| {
        let place = cloud.place(super::LONG);
        let json = |words: &[&str]| place.run(&[words, &["--json"][..]].concat()).json();
        assert!(json(&["events", "list"]).is_empty());
        let serving = place.serve(&[]);
        for name in ["one", "two", "three"] {
            assert_eq!(delivered(&serving, &sender::label(name)).status, 200);
        }
        assert_eq!(serving.stop(), 0);
        queue_server::three_are_looked_at(&place, ["ready", "ready", "ready"]);
        let words = ["queue is in NATS", "labelrelay events list"];
        place.run(&["queue", "receive"]).failed(2, &words);
        // Dead letters are in a stream that is looked at in the same way.
        let buried = cloud.queue.replace(
            "/events/labels.",
            "/events-dead-letters/dead-letters.labels.",
        );
        assert_ne!(buried, cloud.queue);
        assert!(json(&["events", "list", "--queue", &buried]).is_empty());
        assert_eq!(server.messages(STREAM), 3);
    });
}

#[test]
#[ignore = "needs nats-server: cargo xtask test"]
fn a_stream_that_is_not_there_or_would_lose_events_ends_the_start() {
    let server = start();
    server.add_stream("full", "labels.full", &json!({"discard": "old"}));
    let (queue, unsafe_one) = (server.queue(), server.url("full"));
    let missing = queue.replace("/events/", "/nowhere/");
    let secret = queue.replace("nats://", &format!("nats://relay:{PASSWORD}@"));
    queue_server::wrong_urls_end_the_start(
        &server,
        &[
            (&*missing, ["no stream nowhere", "nats stream add nowhere"]),
            (&*unsafe_one, ["oldest events", "--discard=new"]),
        ],
        (&*secret, ["a user or a token", "env:NAME"]),
    );
}

#[test]
#[ignore = "needs nats-server: cargo xtask test"]
fn a_server_of_nats_that_hangs_is_503_and_a_line_that_names_it() {
    queue_server::a_hang_is_503(&start(), &["look at the server"]);
}
