//! `consume --json`.

use super::{figures, with_labels};
use crate::support::Ran;
use serde_json::Value;
use std::process::Stdio;

#[test]
fn each_envelope_is_a_line_and_acknowledged_then() {
    let (place, _serving) = with_labels(["a", "b", "c"]);
    let ran = place.run(&["consume", "--json", "--until-idle", "0s"]);
    let lines: Vec<_> = ran.good().lines().collect();
    assert_eq!(lines.len(), 3);
    let mut subjects = Vec::new();
    for line in lines {
        // Events that were received together are printed in any order.
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
    // Nothing is left, and the end comes by itself.
    let ran = place.run(&["consume", "--json", "--until-idle", "0s"]);
    assert_eq!(ran.good(), "");
}

#[test]
fn a_queue_can_be_named() {
    let (place, _serving) = with_labels(["a"]);
    let url = format!("sqlite:{}", place.path("queue.db").display());
    let elsewhere = crate::support::Place::new();
    let ran = elsewhere.run(&["consume", &url, "--json", "--until-idle", "0s"]);
    assert_eq!(ran.good().lines().count(), 1);
}

#[test]
fn events_that_a_reader_did_not_get_are_ready_again() {
    let names: Vec<_> = (0..100).map(|n| n.to_string()).collect();
    let (place, _serving) = with_labels(names.iter().map(String::as_str));
    // Nobody reads from the beginning on: lines that found room in the pipe would count as read.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = place
        .command(&["consume", "--json", "--visibility", "1h"])
        .stdout(writer)
        .stderr(Stdio::null())
        .status();
    assert_eq!(status.unwrap().code(), Some(0));
    assert_eq!(figures(&place), [100, 0, 0, 0]);
}

#[cfg(target_os = "linux")]
#[test]
fn an_event_that_found_no_room_is_ready_again() {
    let (place, _serving) = with_labels(["a", "b"]);
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut command = place.command(&["consume", "--json", "--visibility", "1h"]);
    let ran = Ran::from(command.stdout(full).output().unwrap());
    ran.failed(1, &["No space left"]);
    assert_eq!(figures(&place), [2, 0, 0, 0]);
}
