//! `queue ack` and `queue prune`.

use crate::queue::with_events;
use crate::support::{Ran, serving_with_an_event};
use std::io::Write as _;
use std::process::Stdio;

#[test]
fn a_receipt_that_is_given_twice_counts_once() {
    let (place, _serving) = with_events(&["task.created"]);
    let line = place.run(&["queue", "receive", "--json"]).stdout;
    let mut ack = place
        .command(&["queue", "ack", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = ack.stdin.take().unwrap();
    input.write_all(format!("{line}{line}").as_bytes()).unwrap();
    drop(input);
    let ran = Ran::from(ack.wait_with_output().unwrap());
    assert_eq!(ran.good(), "acknowledged 1 of 1\n");
}

#[test]
fn prune_says_what_stays_and_why() {
    let (place, _serving) = with_events(&["task.created", "label.created"]);
    let received = place
        .run(&["queue", "receive", "--max", "2", "--json"])
        .json();
    for message in &received {
        place
            .run(&["queue", "ack", message["receipt"].as_str().unwrap()])
            .good();
    }
    assert_eq!(
        place.run(&["queue", "prune"]).good(),
        "removed 0; 2 stay until the repeat window (5 min) has passed\n"
    );
    assert_eq!(
        place.run(&["queue", "prune", "--older-than", "7d"]).good(),
        "removed 0; 2 stay, acknowledged less than 7 d ago\n"
    );
    assert_eq!(
        place.run(&["queue", "prune", "--json"]).json()[0],
        serde_json::json!({"pruned": 0, "kept": 2})
    );
    assert!(
        place
            .run(&["queue", "prune", "--help"])
            .good()
            .contains("repeat window")
    );
}

#[test]
fn without_a_window_prune_removes_what_is_acknowledged() {
    let (place, _serving) = serving_with_an_event("repeat_window_s = 0");
    let received = place.run(&["queue", "receive", "--json"]).json();
    place
        .run(&["queue", "ack", received[0]["receipt"].as_str().unwrap()])
        .good();
    assert_eq!(place.run(&["queue", "prune"]).good(), "removed 1\n");
}
