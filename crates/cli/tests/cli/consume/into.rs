//! `consume --into`.

use super::{figures, with_labels};
use crate::support::configured;
use serde_json::Value;

#[test]
fn each_event_goes_on_as_it_is_and_is_acknowledged_then() {
    let (place, _serving) = with_labels(["a", "b", "c"]);
    let ran = place.run(&["consume", "--into", "stdout:", "--until-idle", "0s"]);
    let mut subjects = Vec::new();
    for line in ran.good().lines() {
        let envelope: Value = serde_json::from_str(line).unwrap();
        let id = envelope["id"].as_str().unwrap();
        let stored = place.run(&["events", "show", id, "--envelope"]);
        assert_eq!(line, stored.good().trim_end());
        subjects.push(envelope["subject"].as_str().unwrap().to_owned());
    }
    subjects.sort();
    assert_eq!(subjects, ["label/cklaa", "label/cklab", "label/cklac"]);
    assert_eq!(figures(&place), [0, 0, 3, 0]);
    assert!(ran.stderr.contains("done=3"), "{}", ran.stderr);
}

#[test]
fn each_of_several_queues_has_each_event() {
    let (place, _serving) = with_labels(["a", "b"]);
    let words = ["consume", "--into", "stdout:", "--into", "stdout:"];
    let ran = place.run(&[&words[..], &["--until-idle", "0s"]].concat());
    assert_eq!(ran.good().lines().count(), 4);
    assert_eq!(figures(&place), [0, 0, 2, 0]);
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
    let both = place.run(&["consume", "--into", "stdout:", "--json"]);
    both.failed(2, &["--into", "--json"]);
}
