//! Postgres, with directories as stores; and two replicas of `serve` over one.

#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the methods alone are not general enough over lifetimes"
)]

mod label_studio;

use super::{Cloud, delivered, ids, wait};
use crate::support::{Place, Serving};
use labelrelay_core::QueueLimits;
use labelrelay_testkit::adapter_suite::{CONFIG, SECRET};
use labelrelay_tests::client::{Client, Response};
use labelrelay_tests::relay::eventually;
use labelrelay_tests::sender;
use labelrelay_tests::servers::Postgres;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Schema of the queue.
const SCHEMA: &str = "events";

fn over<T>(server: &Postgres, test: impl FnOnce(&Cloud<'_>) -> T) -> T {
    over_queue(server, server.url(SCHEMA), test)
}

fn over_queue<T>(server: &Postgres, queue: String, test: impl FnOnce(&Cloud<'_>) -> T) -> T {
    let stores = tempfile::tempdir().unwrap();
    let store = |name: &str| {
        let folder = stores.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        format!("file://{}", folder.display())
    };
    test(&Cloud {
        variables: server.environment(),
        queue,
        blob_store: store("claims"),
        fallback: store("fallback"),
        limits: QueueLimits::bytes(64 * 1024 * 1024),
        drain: &|| server.drain(SCHEMA),
        hang: &|| server.hang(),
        go_on: &|| server.go_on(),
    })
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn serve_sends_to_postgres() {
    let server = Postgres::start();
    // Cases that are alike have one id, and each is to be answered as if it were the first.
    let queue = server.url(SCHEMA) + "&repeat_window_s=0";
    over_queue(&server, queue, |cloud| wait(cloud.conforms()));
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn nothing_is_lost_while_postgres_hangs() {
    over(&Postgres::start(), |cloud| cloud.loses_nothing());
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn events_are_sent_again_to_postgres() {
    over(&Postgres::start(), |cloud| cloud.takes_replays());
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn consume_takes_events_from_postgres() {
    let server = Postgres::start();
    over(&server, |cloud| cloud.is_consumed(&cloud.queue, &[]));
    let reason = server.sql("SELECT reason FROM events.dead_letters");
    assert!(reason.contains("no use for this one"), "{reason}");
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn a_dataset_is_made_of_events_from_postgres() {
    over(&Postgres::start(), |cloud| {
        cloud.becomes_a_dataset(&cloud.queue, &[], true);
    });
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn a_database_that_is_not_there_ends_the_start() {
    let server = Postgres::start();
    over(&server, |cloud| {
        let missing = cloud.queue.replace("/postgres?", "/nowhere?");
        for verb in ["serve", "status"] {
            let place = cloud.place(super::LONG).with("LABELRELAY_QUEUE", &missing);
            place
                .run(&[verb])
                .failed(78, &["nowhere", "CREATE DATABASE"]);
        }
        let secret = cloud.queue.replace("postgres@", "postgres:hunter2@");
        let place = cloud.place(super::LONG).with("LABELRELAY_QUEUE", &secret);
        let ran = place.run(&["serve"]);
        ran.failed(78, &["password", "env:NAME"]);
        assert!(!ran.stderr.contains("hunter2"), "{ran:?}");
    });
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn a_server_that_hangs_is_503_and_a_line_that_names_it() {
    let server = Postgres::start();
    over(&server, |cloud| {
        let place = cloud.place("2000");
        let serving = place.serve(&[]);
        assert_eq!(delivered(&serving, &sender::label("before")).status, 200);
        server.hang();
        let begun = Instant::now();
        let answer = delivered(&serving, &sender::label("hung"));
        let took = begun.elapsed();
        assert_eq!(answer.status, 503, "{}", answer.text());
        // It does not wait for the server; with room for a machine that does much else.
        assert!(took < Duration::from_secs(30), "{took:?}");
        let address = server.address.to_string();
        place.logged(&[&address, "did not answer within", "look at the server"]);
        server.go_on();
        let again = || {
            let answer = delivered(&serving, &sender::label("hung"));
            (answer.status == 200).then_some(())
        };
        eventually("the queue takes it", again);
    });
    let queued: Vec<_> = ids(&server.drain(SCHEMA));
    assert_eq!(queued.len(), 2, "no id twice");
}

/// Two replicas, and where each listens.
struct Replicas {
    places: [Place; 2],
    addresses: [Mutex<SocketAddr>; 2],
    /// Events that were accepted.
    accepted: AtomicUsize,
    is_over: AtomicBool,
}

/// Ends the senders, however a test ends.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Replicas {
    /// Sends one event until a replica has it, as a platform behind a load balancer does, and then to the other one: which
    /// knows it.
    fn deliver(&self, tag: &str, first: usize) -> String {
        let body = sender::label(tag);
        let request = sender::labelbox(SECRET, "LABEL_CREATED", "d", &body);
        let ask = |replica: usize| -> Option<Response> {
            let address = *self.addresses[replica].lock().unwrap();
            let answer = Client::connect(address).and_then(|mut client| client.exchange(&request));
            answer.ok().filter(|answer| answer.status == 200)
        };
        let begun = Instant::now();
        let mut replica = first;
        let answer = loop {
            if let Some(answer) = ask(replica) {
                break answer;
            }
            let took = begun.elapsed();
            assert!(took < Duration::from_secs(120), "{tag} is not accepted");
            replica = 1 - replica;
        };
        let id = answer.member("id").unwrap();
        self.accepted.fetch_add(1, Ordering::Relaxed);
        // It may be stopping just now.
        if let Some(repeat) = ask(1 - replica) {
            assert_eq!(repeat.outcome(), "repeat", "{tag}");
            assert_eq!(repeat.member("id").unwrap(), id);
        }
        id
    }

    /// Delivers event after event; gives their ids.
    fn deliver_all(&self, sender: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for number in 0.. {
            if self.is_over.load(Ordering::Relaxed) {
                break;
            }
            ids.push(self.deliver(&format!("{sender}x{number}"), number % 2));
        }
        ids
    }

    /// Waits until more events were accepted.
    fn wait_for_more(&self) {
        let before = self.accepted.load(Ordering::Relaxed);
        eventually("events are accepted", || {
            let now = self.accepted.load(Ordering::Relaxed);
            (now >= before + 20).then_some(())
        });
    }

    fn start(&self, replica: usize) -> Serving {
        // One that was killed leaves its address behind.
        let _ = std::fs::remove_file(self.places[replica].path("ready"));
        let serving = self.places[replica].serve(&[]);
        *self.addresses[replica].lock().unwrap() = serving.address.parse().unwrap();
        serving
    }
}

/// Every event that one of two replicas accepted is in the queue once, though each of them is restarted in turn and the last
/// one is killed.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn a_rolling_restart_loses_nothing_and_replicas_know_each_others_repeats() {
    const SENDERS: usize = 3;
    let server = Postgres::start();
    let url = server.url(SCHEMA);
    let place = || {
        let place = Place::new();
        place.write("labelrelay.toml", CONFIG);
        let place = place.with("SECRET", SECRET).with("LABELRELAY_QUEUE", &url);
        let place = place.with("LABELRELAY_DEADLINE_MS", super::LONG);
        let variables = server.environment().into_iter();
        variables.fold(place, |place, (name, value)| place.with(&name, &value))
    };
    let nowhere = || Mutex::new(SocketAddr::from(([127, 0, 0, 1], 9)));
    let replicas = Replicas {
        places: [place(), place()],
        addresses: [nowhere(), nowhere()],
        accepted: AtomicUsize::new(0),
        is_over: AtomicBool::new(false),
    };
    let mut serving = [0, 1].map(|replica| Some(replicas.start(replica)));
    let accepted: Vec<String> = std::thread::scope(|scope| {
        let replicas = &replicas;
        let over = Over(&replicas.is_over);
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| scope.spawn(move || replicas.deliver_all(sender)))
            .collect();
        for (round, kills) in [(0, false), (1, false), (2, true)] {
            let replica = round % 2;
            replicas.wait_for_more();
            let stopped = serving[replica].take().unwrap();
            if kills {
                // Ends it without warning.
                drop(stopped);
            } else {
                assert_eq!(stopped.stop(), 0);
            }
            replicas.wait_for_more();
            serving[replica] = Some(replicas.start(replica));
        }
        replicas.wait_for_more();
        drop(over);
        let delivered = senders.into_iter().map(|sender| sender.join().unwrap());
        delivered.flatten().collect()
    });
    let queued = ids(&server.drain(SCHEMA));
    let distinct: BTreeSet<_> = queued.iter().collect();
    assert_eq!(distinct.len(), queued.len(), "no id is there twice");
    // One whose answer was lost is sent again, and is the same event.
    assert_eq!(distinct, accepted.iter().collect::<BTreeSet<_>>());
}
