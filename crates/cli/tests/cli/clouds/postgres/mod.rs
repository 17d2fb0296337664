//! Postgres; and two replicas of `serve` over one.

#[cfg(target_os = "linux")] // a disk of a size of its own
mod full_disk;
mod label_studio;
mod laboratory;
mod obstacles;
mod record;
mod standby;

use super::queue_server::{self, PASSWORD, QueueServer};
use super::{delivered, ids};
use crate::support::{Place, Serving};
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

impl QueueServer for Postgres {
    const MAX_MESSAGE_BYTES: u64 = 64 * 1024 * 1024;

    fn queue(&self) -> String {
        self.url(SCHEMA)
    }

    fn variables(&self) -> Vec<(String, String)> {
        self.environment()
    }

    fn listens_at(&self) -> SocketAddr {
        self.address
    }

    fn take_all(&self) -> Vec<Vec<u8>> {
        self.drain(SCHEMA)
    }

    fn reasons(&self) -> Vec<String> {
        // As JSON, each is one line.
        let reasons = self.sql("SELECT to_json(reason) FROM events.dead_letters");
        reasons.lines().map(str::to_owned).collect()
    }

    fn freeze(&self) {
        self.hang();
    }

    fn thaw(&self) {
        self.go_on();
    }
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn serve_sends_to_postgres() {
    queue_server::conforms(&Postgres::start());
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn nothing_is_lost_while_postgres_hangs() {
    queue_server::loses_nothing(&Postgres::start());
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn events_are_sent_again_to_postgres() {
    queue_server::takes_replays(&Postgres::start());
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn consume_takes_events_from_postgres() {
    queue_server::is_consumed(&Postgres::start());
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn programs_take_events_from_postgres() {
    queue_server::is_piped(&Postgres::start());
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn a_dataset_is_made_of_events_from_postgres() {
    queue_server::becomes_a_dataset(&Postgres::start());
}

/// What waits, what is hidden, and what is a dead letter: nothing of it is taken.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn events_in_postgres_are_looked_at() {
    let server = Postgres::start();
    queue_server::over(&server, |cloud| {
        let place = cloud.place(super::LONG);
        let json = |words: &[&str]| place.run(&[words, &["--json"][..]].concat()).json();
        assert!(json(&["events", "list"]).is_empty());
        let tables = server.sql("SELECT to_regnamespace('events') IS NULL");
        assert_eq!(tables, "t", "a look makes none");
        let serving = place.serve(&[]);
        for name in ["one", "two", "three"] {
            assert_eq!(delivered(&serving, &sender::label(name)).status, 200);
        }
        server.sql(
            "UPDATE events.events SET visible_at = now() + interval '1 hour', receives = 1 \
             WHERE number = (SELECT min(number) FROM events.events)",
        );
        server.sql(
            "WITH gone AS (DELETE FROM events.events \
                 WHERE number = (SELECT max(number) FROM events.events) RETURNING *) \
             INSERT INTO events.dead_letters (number, id, type, envelope, queued_at, receives, reason) \
             SELECT number, id, type, envelope, queued_at, receives, 'of no use' FROM gone",
        );
        queue_server::three_are_looked_at(&place, ["in_flight", "ready", "dead"]);
        assert_eq!(json(&["events", "list", "--dead"]).len(), 1);
        assert_eq!(json(&["events", "list", "--pending"]).len(), 2);
        assert_eq!(server.sql("SELECT count(*) FROM events.events"), "2");
    });
}

/// Red if paths in a queue's URL begin where the verb is called.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn a_password_beside_the_configuration_is_found_from_elsewhere() {
    let server = Postgres::start();
    let place = Place::new();
    std::fs::create_dir(place.path("sub")).unwrap();
    for (_, password) in server.environment() {
        place.write("sub/password", password);
    }
    let url = server.url(SCHEMA) + "&password=file:password";
    place.write(
        "sub/labelrelay.toml",
        format!("queue = \"{url}\"\n{CONFIG}"),
    );
    let listed = place.run(&["events", "list", "--config", "sub/labelrelay.toml"]);
    listed.good();
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn a_database_that_is_not_there_ends_the_start() {
    let server = Postgres::start();
    let queue = server.queue();
    let missing = queue.replace("/postgres?", "/nowhere?");
    let secret = queue.replace("postgres@", &format!("postgres:{PASSWORD}@"));
    queue_server::wrong_urls_end_the_start(
        &server,
        &[(&*missing, ["nowhere", "CREATE DATABASE"])],
        (&*secret, ["password", "env:NAME"]),
    );
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn a_server_that_hangs_is_503_and_a_line_that_names_it() {
    queue_server::a_hang_is_503(
        &Postgres::start(),
        &["did not answer within", "look at the server"],
    );
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
