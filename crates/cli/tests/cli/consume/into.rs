//! `consume --into`.

use super::{figures, with_labels};
use crate::support::configured;
use serde_json::Value;
use std::collections::BTreeSet;

#[test]
fn each_event_goes_on_as_it_is_and_is_acknowledged_then() {
    let (place, _serving) = with_labels(["a", "b", "c"]);
    let ran = place.run(&["consume", "--into", "stdout:", "--until-idle", "0s"]);
    // A line that was late on a busy machine may be there twice.
    let mut subjects = BTreeSet::new();
    for line in ran.good().lines() {
        let envelope: Value = serde_json::from_str(line).unwrap();
        let id = envelope["id"].as_str().unwrap();
        let stored = place.run(&["events", "show", id, "--envelope"]);
        assert_eq!(line, stored.good().trim_end());
        subjects.insert(envelope["subject"].as_str().unwrap().to_owned());
    }
    let expected = ["label/cklaa", "label/cklab", "label/cklac"].map(str::to_owned);
    assert_eq!(subjects, BTreeSet::from(expected));
    assert_eq!(figures(&place), [0, 0, 3, 0]);
    assert!(ran.stderr.contains("done=3"), "{}", ran.stderr);
}

#[test]
fn a_queue_that_it_cannot_go_into_is_named_and_nothing_is_taken() {
    let place = configured();
    for (url, words) in [
        ("sqlite:queue.db", "name another queue"),
        ("sqlite:other.db", "name a queue of a cloud"),
        ("nowhere", "is not the URL of a queue"),
    ] {
        let ran = place.run(&["consume", "sqlite:queue.db", "--into", url]);
        ran.failed(2, &["--into", words]);
    }
    // What tells how a queue is reached makes no other queue of it.
    let ran = place.run(&[
        "consume",
        "nats://n/EVENTS/labels?consumer=mover",
        "--into",
        "nats://n/EVENTS/labels",
    ]);
    ran.failed(2, &["--into", "name another queue"]);
    let twice = [
        "--into",
        "sqs://eu-west-1/1/x",
        "--into",
        "sqs://eu-west-1/1/x",
    ];
    let ran = place.run(&[&["consume", "sqlite:queue.db"][..], &twice].concat());
    ran.failed(2, &["--into", "named twice"]);
    let both = place.run(&["consume", "--into", "stdout:", "--json"]);
    both.failed(2, &["--into", "--json"]);
}
