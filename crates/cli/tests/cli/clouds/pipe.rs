//! `queue pipe` over the queues of others, by itself and under the Python package.

use super::{Cloud, LONG, delivered};
use crate::queue_pipe::Pipe;
use crate::support::Place;
use labelrelay_tests::sender;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

impl Cloud<'_> {
    /// A program receives and settles. Answers have the numbers of their requests. What it did not settle is there again once
    /// it ends, and what it rejected is a dead letter. Returns how that one was received.
    pub(super) fn is_piped(&self, url: &str, words: &[&str]) {
        let place = self.place(LONG);
        let serving = place.serve(&[]);
        for name in ["acked", "kept", "poison", "left"] {
            assert_eq!(delivered(&serving, &sender::label(name)).status, 200);
        }
        assert_eq!(serving.stop(), 0);
        let words = [&["--queue", url], words].concat();
        let mut pipe = Pipe::start_with(&place, &words);
        let about = pipe.ask(&json!({"op": "queue", "id": 1}));
        assert_eq!(
            (&about["id"], about["limits_receives"].is_boolean()),
            (&json!(1), true),
            "{about}"
        );
        let counted = pipe.ask(&json!({"op": "stats", "id": 2}));
        assert!(
            counted["error"].as_str().unwrap().contains("embedded"),
            "{counted}"
        );
        let nonsense = pipe.ask(&json!({"op": "take"}));
        assert!(
            nonsense["error"].as_str().unwrap().contains("`take`"),
            "{nonsense}"
        );

        let mut receipts = received(&mut pipe, &["acked", "kept", "poison", "left"]);
        let mut settle = |pipe: &mut Pipe, op: &str, name: &str, more: Value| {
            let mut request = json!({"op": op, "id": 7, "receipts": [receipts[name]]});
            request
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            let answer = pipe.ask(&request);
            assert_eq!(answer["id"], 7, "{answer}");
            if let Some(receipt) = answer["receipts"][0].as_str() {
                receipts.insert(name.to_owned(), receipt.to_owned());
            }
            answer["outcomes"][0]
                .as_str()
                .unwrap_or_else(|| panic!("{answer}"))
                .to_owned()
        };
        assert_eq!(
            settle(
                &mut pipe,
                "extend",
                "kept",
                json!({"visibility_ms": 60_000})
            ),
            "extended"
        );
        assert_eq!(settle(&mut pipe, "ack", "acked", json!({})), "acknowledged");
        let reason = "no \"use\" for this one";
        assert_eq!(
            settle(&mut pipe, "reject", "poison", json!({"reason": reason})),
            "rejected"
        );
        assert_eq!(
            settle(&mut pipe, "reject", "poison", json!({"reason": reason})),
            "stale",
            "once"
        );
        assert_eq!(
            settle(
                &mut pipe,
                "extend",
                "kept",
                json!({"visibility_ms": 60_000})
            ),
            "extended"
        );
        assert_eq!(
            settle(&mut pipe, "retry", "kept", json!({"delay_ms": 0})),
            "returned"
        );
        let again = received(&mut pipe, &["kept"]);
        assert_eq!(again.len(), 1);
        assert_eq!(pipe.end(), 0);

        // Given back at the end, and received at once; a signal ends it once they are settled.
        let mut pipe = Pipe::start_with(&place, &words);
        let left = received(&mut pipe, &["kept", "left"]);
        pipe.signal();
        let is_stopping = |pipe: &mut Pipe| {
            pipe.ask(&json!({"op": "receive", "wait_ms": 500}))["stopping"] == true
        };
        while !is_stopping(&mut pipe) {}
        let receipts: Vec<_> = left.into_values().collect();
        let answer = pipe.ask(&json!({"op": "ack", "receipts": receipts}));
        assert_eq!(answer["outcomes"], json!(["acknowledged", "acknowledged"]));
        assert_eq!(pipe.end(), 0);
        assert!((self.drain)().is_empty());
    }

    /// The Python package consumes through the program, which is killed once where `killed` says so: each event once, and the
    /// one of no use is a dead letter.
    pub(super) fn is_consumed_by_python(&self, url: &str, dead_letter: &str, killed: bool) {
        let place = self.place(LONG);
        let serving = place.serve(&[]);
        let names: Vec<_> = (0..40).map(|number| format!("python{number}")).collect();
        for name in names.iter().map(String::as_str).chain(["unused"]) {
            assert_eq!(delivered(&serving, &sender::label(name)).status, 200);
        }
        assert_eq!(serving.stop(), 0);
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let program = place.command(&[]);
        let ran = Command::new("python3")
            .arg(root.join("python/tests/piped_suite.py"))
            .args([url, program.get_program().to_str().unwrap(), dead_letter])
            .args(killed.then_some("killed"))
            .current_dir(place.path("."))
            .env_clear()
            .env("PYTHONPATH", root.join("python"))
            .envs(
                program
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&ran.stdout);
        let mut handled: Vec<_> = told.lines().collect();
        handled.sort_unstable();
        let mut expected: Vec<_> = names.iter().map(|name| format!("ckla{name}")).collect();
        expected.sort_unstable();
        let stderr = String::from_utf8_lossy(&ran.stderr);
        assert!(
            ran.status.success() && handled == expected,
            "{handled:?}\n{stderr}"
        );
        let dead: Vec<_> = stderr
            .lines()
            .filter(|line| line.contains("to the dead letters"))
            .collect();
        assert!(
            dead.len() == 1 && dead[0].contains("no use for this one"),
            "{stderr}"
        );
        self.assert_clean(&stderr);
        assert!((self.drain)().is_empty());
    }
}

/// Receipts of the labels with these names, once all of them came.
fn received(pipe: &mut Pipe, names: &[&str]) -> HashMap<String, String> {
    let mut receipts = HashMap::new();
    for _ in 0..100 {
        let request =
            json!({"op": "receive", "id": 3, "max": 10, "visibility_ms": 60_000, "wait_ms": 1_000});
        for (head, envelope) in pipe.receive(&request) {
            let envelope: Value = serde_json::from_str(&envelope).unwrap();
            let subject = envelope["subject"].as_str().unwrap();
            let name = subject.strip_prefix("label/ckla").unwrap();
            assert!(names.contains(&name), "{name}");
            receipts.insert(
                name.to_owned(),
                head["receipt"].as_str().unwrap().to_owned(),
            );
        }
        if receipts.len() == names.len() {
            return receipts;
        }
    }
    panic!("only {receipts:?} of {names:?} came");
}

/// What is no queue of others, or has no place for dead letters, is told at once.
#[test]
fn a_queue_that_cannot_be_piped_is_refused() {
    let place = Place::new();
    let words = ["queue", "pipe", "--queue", "stdout:"];
    place.run(&words).failed(2, &["stdout:", "keeps nothing"]);
    let words = [
        "queue",
        "pipe",
        "--queue",
        "sqlite:queue.db",
        "--dead-letter",
        "dead",
    ];
    place
        .run(&words)
        .failed(2, &["--dead-letter", "leave it out"]);
}
