//! `consume`: each event is handed on alone, and settled by what became of it.

mod exec;
mod into;
mod json;
mod receiver;
mod to;

use crate::support::{Place, Ran, Serving, deriving_nothing};
use labelrelay_tests::client::Client;
use labelrelay_tests::sender;
use serde_json::Value;
use std::process::{Child, Command, Stdio};

/// The secret in [`deriving_nothing`].
const SECRET: &str = "a secret of Labelbox, 27 bytes";

/// A `serve` that took a label for each of these, in this order. The subject of each is `label/ckla` and its name.
fn with_labels<'a>(names: impl IntoIterator<Item = &'a str>) -> (Place, Serving) {
    with_bodies(names.into_iter().map(|name| (name, sender::label(name))))
}

/// The same with bodies of labels.
fn with_bodies<'a>(bodies: impl IntoIterator<Item = (&'a str, Vec<u8>)>) -> (Place, Serving) {
    let place = deriving_nothing();
    let serving = place.serve(&[]);
    let mut client = Client::connect(serving.address.parse().unwrap()).unwrap();
    for (name, body) in bodies {
        let request = sender::labelbox(SECRET, "LABEL_CREATED", name, &body);
        assert_eq!(client.exchange(&request).unwrap().status, 200);
    }
    (place, serving)
}

fn thousand_with_a_poisoned_one() -> (Place, Serving) {
    let names: Vec<_> = (0..1000)
        .map(|n| {
            if n == 500 {
                "poison".to_owned()
            } else {
                n.to_string()
            }
        })
        .collect();
    with_labels(names.iter().map(String::as_str))
}

fn stats(place: &Place) -> Value {
    place.run(&["queue", "stats", "--json"]).json()[0].clone()
}

/// Figures of the queue: ready, in flight, acknowledged, dead.
fn figures(place: &Place) -> [u64; 4] {
    let stats = stats(place);
    ["ready", "in_flight", "acknowledged", "dead"].map(|name| stats[name].as_u64().unwrap())
}

/// Asserts that 999 of a thousand are done with, and that one line says why one is not.
fn assert_one_is_dead(place: &Place, ran: &Ran, why: &str) {
    ran.good();
    assert_eq!(figures(place), [0, 0, 999, 1], "{}", ran.stderr);
    let told: Vec<_> = ran
        .stderr
        .lines()
        .filter(|line| line.contains("dead letter now"))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(why), "{told:?}");
    let dead = &place.run(&["events", "list", "--dead", "--json"]).json()[0];
    assert!(told[0].contains(dead["id"].as_str().unwrap()), "{told:?}");
}

/// A `consume` that runs; killed when dropped.
struct Consuming<'a> {
    child: Child,
    place: &'a Place,
}

impl<'a> Consuming<'a> {
    fn start(place: &'a Place, words: &[&str]) -> Self {
        let log = std::fs::File::create(place.path("consume.log")).unwrap();
        let child = place
            .command(&[&["consume"], words].concat())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { child, place }
    }

    fn log(&self) -> String {
        self.place.read("consume.log")
    }

    #[track_caller]
    fn says(&self, words: &str) {
        crate::support::until(words, || self.log().contains(words));
    }

    fn signal(&self, signal: &str) {
        let kill = format!("kill {signal} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(status.success());
    }

    /// The exit code, once it ended.
    #[track_caller]
    fn ended(&mut self) -> Option<i32> {
        let mut status = None;
        crate::support::until("consume ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap().code()
    }
}

impl Drop for Consuming<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn exactly_one_way_is_chosen() {
    let place = deriving_nothing();
    place
        .run(&["consume"])
        .failed(2, &["--json", "--exec", "--to"]);
    place
        .run(&["consume", "--json", "--exec", "true"])
        .failed(2, &["cannot be used with"]);
    place
        .run(&["consume", "--exec", " "])
        .failed(2, &["--exec names no command"]);
    place
        .run(&["consume", "--json", "--concurrency", "2"])
        .failed(2, &["--concurrency"]);
    place
        .run(&["consume", "--json", "--secret", "env:KEY"])
        .failed(2, &["--secret", "cannot be used with"]);
    for visibility in ["0s", "13h"] {
        place
            .run(&["consume", "--json", "--visibility", visibility])
            .failed(2, &["1s to 12h"]);
    }
}

#[test]
fn a_queue_that_nobody_can_consume_is_named() {
    let place = deriving_nothing();
    place
        .run(&["consume", "kafka://host/topic", "--json"])
        .failed(2, &["QUEUE", "kafka"]);
    place
        .run(&["consume", "stdout:", "--json"])
        .failed(78, &["stdout:", "nothing"]);
    let missing = place.run(&["consume", "--json"]);
    assert_ne!(missing.code, 0);
    assert!(missing.stderr.contains("queue.db"), "{missing:?}");
}
