//! Output that nobody takes, or that finds no room.

use crate::queue::with_events;
use crate::support::{Place, Ran};
use std::io::Read as _;
use std::process::Stdio;

/// Runs with a stdout that has no room at all.
#[cfg(target_os = "linux")]
fn without_room(place: &Place, words: &[&str]) -> Ran {
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    Ran::from(place.command(words).stdout(full).output().unwrap())
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_without_room_is_a_failure_of_every_verb() {
    // So small that it fits into stdout's buffer, where only a flush shows the failure.
    let (place, _serving) = with_events(&["action_alone.created", "label.created"]);
    for words in [
        &["events", "show", "1"][..],
        &["events", "show", "1", "--body"],
        &["events", "show", "1", "--envelope"],
        &["events", "show", "1", "--json"],
        &["events", "list"],
        &["events", "list", "--json"],
        &["events", "tail"],
        &["events", "tail", "--json"],
        &["queue", "stats"],
        &["queue", "stats", "--json"],
        &["queue", "prune"],
        &["events", "retry", "--dead"],
        &["queue", "receive"],
        &["queue", "receive", "--json"],
        &["events", "export", "--dir", "out"],
        &["send", "--list"],
        &["status"],
        &["status", "--json"],
        &["completions", "bash"],
    ] {
        let ran = without_room(&place, words);
        assert_eq!(ran.code, 1, "{words:?}: {ran:?}");
        assert!(ran.stderr.contains("No space left"), "{words:?}: {ran:?}");
    }
}

/// Messages whose receipts nobody has must not stay in flight.
#[cfg(target_os = "linux")]
#[test]
fn messages_that_could_not_be_printed_can_be_received_at_once() {
    let (place, _serving) = with_events(&["action_alone.created", "label.created"]);
    let receive = ["queue", "receive", "--max", "9", "--visibility", "1h"];
    for words in [&receive[..], &[&receive[..], &["--json"]].concat()] {
        assert_eq!(without_room(&place, words).code, 1, "{words:?}");
    }
    let ran = place.run(&[&receive[..], &["--json"]].concat());
    ran.good();
    assert_eq!(ran.json().len(), 2, "{ran:?}");
}

#[test]
fn a_reader_that_has_seen_enough_ends_it_quietly() {
    let (place, serving) = with_events(&["task.created"]);
    // More than a pipe holds, so that it is still writing when the reader goes.
    place.write("body", format!("{{\"a\":\"{}\"}}", "x".repeat(300_000)));
    let url = serving.url("labelbox");
    place.run(&["send", "--file", "body", "--to", &url]).good();
    for words in [
        &["events", "show", "2", "--body"][..],
        &["events", "show", "2"],
        &["events", "tail", "--json"],
        &["completions", "bash"],
    ] {
        let mut child = place
            .command(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = [0];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{words:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{words:?}");
    }
}
