//! `serve`, `status`, `consume`, `dataset sync`, `events retry`, `events replay` and `pull` with the clouds' queues and stores, with NATS and with Postgres, against local servers.

mod archive;
mod aws;
mod azure;
#[cfg(target_os = "linux")]
mod behind_a_function;
#[cfg(target_os = "linux")]
mod day;
mod dead_letters;
mod google;
mod identities;
mod into;
#[cfg(feature = "nats")]
mod nats;
mod pipe;
#[cfg(feature = "postgres")]
mod postgres;
mod pull;
mod pull_token;
#[cfg(any(feature = "nats", feature = "postgres"))]
mod queue_server;
mod secret_manager;
#[cfg(target_os = "linux")]
mod traces;

use crate::dataset::Following;
use crate::support::{Place, Serving};
use labelrelay_core::QueueLimits;
use labelrelay_event::Envelope;
use labelrelay_testkit::adapter_suite::{CONFIG, SECRET, assert_queued, expected};
use labelrelay_tests::client::{Response, once};
use labelrelay_tests::relay::eventually;
use labelrelay_tests::sender;
use std::collections::HashSet;

/// Nothing here that is not about time is to be late.
const LONG: &str = "30000";

/// Half of it is the fallback's, whose stand-in may be slow on a busy machine.
const SOON: &str = "10000";

/// A cloud as these tests see it.
struct Cloud<'a> {
    variables: Vec<(String, String)>,
    queue: String,
    blob_store: String,
    /// Not on the server that the queue is on.
    fallback: String,
    limits: QueueLimits,
    /// Takes everything from the queue.
    drain: &'a dyn Fn() -> Vec<Vec<u8>>,
    /// Makes the queue's server take connections and never answer.
    hang: &'a dyn Fn(),
    go_on: &'a dyn Fn(),
}

impl Cloud<'_> {
    /// A place whose `serve` sends to the cloud.
    fn place(&self, deadline_ms: &str) -> Place {
        let mut place = Place::new();
        for (name, value) in &self.variables {
            place = place.with(name, value);
        }
        place.write("labelrelay.toml", CONFIG);
        place
            .with("SECRET", SECRET)
            .with("LABELRELAY_QUEUE", &self.queue)
            .with("LABELRELAY_BLOB_STORE", &self.blob_store)
            .with("LABELRELAY_DEADLINE_MS", deadline_ms)
            .with("LABELRELAY_LOG", "trace")
    }

    /// The adapters' suite, through the program, onto the queue.
    async fn conforms(&self) {
        let cases = expected(self.limits).await;
        assert!(cases.len() > 150, "{} cases", cases.len());
        let place = self.place(LONG);
        place.run(&["status"]).good();
        let serving = place.serve(&["--log", "json"]);
        for case in &cases {
            let answer = once(address(&serving), &case.request.clone().close().raw());
            case.assert_answer(answer.status, &answer.body);
        }
        assert_eq!(serving.stop(), 0);
        assert_queued(&(self.drain)(), &cases);
        let log = place.read("serve.log");
        assert!(log.contains("\"listening\""), "{log}");
        self.assert_clean(&log);
    }

    /// The queue hangs: events wait in the fallback, `serve` starts all the same and moves them by itself, and
    /// what a killed one left is moved by `events retry`.
    fn loses_nothing(&self) {
        let place = self.place(SOON).with("LABELRELAY_FALLBACK", &self.fallback);
        let serving = place.serve(&[]);
        let mut accepted = HashSet::new();
        let mut deliver = |serving: &Serving, number: u32| {
            let answer = delivered(serving, format!(r#"{{"id":"outage-{number}"}}"#).as_bytes());
            let log = place.read("serve.log");
            assert_eq!(answer.status, 200, "{number}: {}\n{log}", answer.text());
            accepted.insert(answer.member("id").unwrap());
        };
        deliver(&serving, 0);
        (self.hang)();
        for number in 1..=10 {
            deliver(&serving, number);
        }
        assert_eq!(serving.stop(), 0);
        let serving = place.serve(&[]);
        // The log is written by a thread of its own.
        eventually("serve says that it starts without the queue", || {
            let log = place.read("serve.log");
            log.contains("events go to the fallback meanwhile")
                .then_some(())
        });
        deliver(&serving, 11);
        (self.go_on)();
        let mut moved = HashSet::new();
        eventually("serve has moved what waited", || {
            moved.extend(ids(&(self.drain)()));
            (moved.len() == 12).then_some(())
        });
        // A copy goes once the queue's answer has come, which is after the event can be taken from the queue.
        eventually("nothing waits any more", || {
            let ran = place.run(&["events", "retry"]);
            (ran.stdout == "0 moved to the queue\n").then_some(())
        });
        (self.hang)();
        deliver(&serving, 12);
        serving.signal("-KILL");
        (self.go_on)();
        let ran = place.run(&["events", "retry"]);
        // An attempt that was given up may have succeeded meanwhile; the fallback's copy is moved nevertheless.
        assert_eq!(ran.good(), "1 moved to the queue\n");
        moved.extend(ids(&(self.drain)()));
        assert_eq!(moved, accepted);
        self.assert_clean(&place.read("serve.log"));
    }

    /// Events of an embedded queue are sent again to the cloud's, large ones by a claim check.
    fn takes_replays(&self) {
        let own = self.place(LONG).with("LABELRELAY_QUEUE", "sqlite:own.db");
        let serving = own.serve(&[]);
        let large = format!(r#"{{"id":"large","label":"{}"}}"#, "x".repeat(11_000_000));
        for body in [br#"{"id":"small"}"#.as_slice(), large.as_bytes()] {
            assert_eq!(delivered(&serving, body).status, 200);
        }
        let words = [
            "events",
            "replay",
            "--since",
            "1h",
            "--to",
            self.queue.as_str(),
        ];
        assert_eq!(own.run(&words).good(), "2 sent again\n");
        let got = (self.drain)();
        assert_eq!(got.len(), 2);
        for envelope in got {
            let attributes = Envelope::decode(&envelope).unwrap().attributes;
            assert!(attributes.replayedtime.is_some());
        }
    }

    /// `consume` hands on what `serve` queued, and makes a dead letter of what has no use. Nothing is left.
    fn is_consumed(&self, url: &str, words: &[&str]) {
        let place = self.place(LONG);
        let serving = place.serve(&[]);
        for name in ["one", "poison", "two"] {
            assert_eq!(delivered(&serving, &sender::label(name)).status, 200);
        }
        let command = r#"case "$CE_SUBJECT" in
label/cklapoison) echo "no use for this one" >&2; exit 65 ;;
esac
echo "$CE_SUBJECT" >> done"#;
        let consume = ["consume", url, "--exec", command, "--until-idle", "5s"];
        let ran = place.run(&[&consume[..], words].concat());
        ran.good();
        let done = place.read("done");
        let mut done: Vec<_> = done.lines().collect();
        done.sort_unstable();
        assert_eq!(done, ["label/cklaone", "label/cklatwo"], "{}", ran.stderr);
        let told = ran
            .stderr
            .lines()
            .filter(|line| line.contains("dead letter now"));
        let told: Vec<_> = told.collect();
        assert!(
            told.len() == 1 && told[0].contains("no use for this one"),
            "{told:?}"
        );
        self.assert_clean(&ran.stderr);
        assert!((self.drain)().is_empty());
    }

    /// `dataset sync` takes in what `serve` queued, large bodies from the blob store, and a repeat changes nothing. What
    /// cannot be read is a dead letter. Nothing is left.
    ///
    /// Without `follows`, that is all: over the emulator of Pub/Sub, events that came after the first run did not arrive in the
    /// second one within a minute. A pull that was given up may hold them, for as long as the subscription says.
    fn becomes_a_dataset(&self, url: &str, words: &[&str], follows: bool) {
        let place = self.place(LONG);
        let serving = place.serve(&[]);
        let large = format!(
            r#"{{"project":{{"id":"p"}},"dataRow":{{"id":"ckdrlarge"}},"id":"cklalarge","createdAt":"2026-09-24T04:56:08Z","updatedAt":"2026-09-24T04:56:08Z","label":"{{\"objects\":[]}}","pad":"{}"}}"#,
            "x".repeat(11_000_000)
        );
        let bodies = [
            sender::label("one"),
            large.into_bytes(),
            br#"["no label"]"#.to_vec(),
        ];
        for body in &bodies {
            assert_eq!(delivered(&serving, body).status, 200);
        }
        let all = [
            "dataset", "sync", "cars", "--format", "jsonl", "--queue", url,
        ];
        let ran = place.run(&[&all[..], words].concat());
        let told = ran.good();
        assert!(told.starts_with("2 annotations, "), "{ran:?}");
        assert!(told.contains("; 1 event unreadable\n"), "{ran:?}");
        let dead = ran
            .stderr
            .lines()
            .filter(|it| it.contains("dead letter now"));
        let dead: Vec<_> = dead.collect();
        assert!(
            dead.len() == 1 && dead[0].contains("UnknownPayload"),
            "{dead:?}"
        );
        self.assert_clean(&ran.stderr);

        if !follows {
            return;
        }
        // The queue has it twice: nothing of it is new, but what comes beside it.
        for body in [&bodies[0], &bodies[0], &sender::label("two")] {
            assert_eq!(delivered(&serving, body).status, 200);
        }
        let following = Following::start(&place, &[&["--queue", url], words].concat());
        eventually("the snapshot has it", || {
            let latest = place.read("cars/latest.json");
            latest.contains(r#""annotations":3"#).then_some(())
        });
        self.assert_clean(&following.stop(&place));
        // One of the two may have come after the stop.
        let ran = place.run(&[&all[..], words].concat());
        assert!(ran.good().starts_with("3 annotations, "), "{ran:?}");
        assert!((self.drain)().is_empty());
    }

    /// A dataset is published to the store, and by one working directory alone. Another one takes it over, and goes on after
    /// the snapshot that it finds there.
    fn takes_datasets(&self) {
        let (path, query) = self
            .blob_store
            .split_once('?')
            .map_or((&*self.blob_store, String::new()), |(path, query)| {
                (path, format!("?{query}"))
            });
        let url = format!("{path}/cars{query}");
        let place = || self.place(LONG).with("LABELRELAY_QUEUE", "sqlite:own.db");
        let (one, other) = (place(), place());
        for (place, name) in [(&one, "one"), (&other, "two")] {
            let serving = place.serve(&[]);
            assert_eq!(delivered(&serving, &sender::label(name)).status, 200);
            assert_eq!(serving.stop(), 0);
        }
        let queue = ["--queue", "sqlite:own.db", "--format", "jsonl,parquet"];
        let sync = |more: &[&'static str]| [&["dataset", "sync", &url], &queue[..], more].concat();
        let ran = one.run(&sync(&[]));
        assert!(
            ran.good().contains("cars/snapshots/000001"),
            "{}",
            ran.stdout
        );
        one.run(&sync(&[])).good();
        let refused = other.run(&sync(&[]));
        refused.failed(1, &["another working directory", "--take-over"]);
        // Nothing was taken out of the queue.
        let ran = other.run(&sync(&["--take-over"]));
        let said = ran.good();
        assert!(
            said.contains("1 annotation,") && said.contains("cars/snapshots/000002"),
            "{said}"
        );
        one.run(&sync(&[]))
            .failed(1, &["another working directory"]);
        for ran in [&refused, &ran] {
            self.assert_clean(&format!("{}{}", ran.stdout, ran.stderr));
        }
    }

    /// A queue that is not there ends the start with its name; one that hangs, with what may help.
    fn says_what_is_wrong(&self, missing: &str, name: &str) {
        for verb in ["serve", "status"] {
            let ran = self
                .place(LONG)
                .with("LABELRELAY_QUEUE", missing)
                .run(&[verb]);
            ran.failed(78, &[name, "queue"]);
            self.assert_clean(&ran.stderr);
        }
        (self.hang)();
        self.place(LONG)
            .run(&["status"])
            .failed(1, &["start again"]);
        (self.go_on)();
    }

    /// Nothing secret stands in what the program says, signatures of URLs included.
    fn assert_clean(&self, text: &str) {
        let signature = self.queue.split_once("sig=").map(|(_, rest)| rest);
        for secret in std::iter::once(SECRET).chain(signature) {
            assert!(!text.contains(secret), "it says {secret}: {text}");
        }
    }
}

/// Runs a test to its end.
fn wait<T>(test: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(test)
}

fn address(serving: &Serving) -> std::net::SocketAddr {
    serving.address.parse().unwrap()
}

fn delivered(serving: &Serving, body: &[u8]) -> Response {
    let request = sender::labelbox(SECRET, "LABEL_CREATED", "d", body);
    once(address(serving), &request)
}

fn ids(envelopes: &[Vec<u8>]) -> Vec<String> {
    let ids = envelopes
        .iter()
        .map(|envelope| Envelope::decode(envelope).unwrap().attributes.id);
    ids.collect()
}
