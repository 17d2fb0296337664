//! `events export`: which events it writes.

use crate::queue::with_events;
use crate::support::serving_with_an_event;
use std::path::Path;

/// Numbers of the events in a directory of an export.
fn numbers(directory: &Path) -> Vec<String> {
    let mut numbers: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.strip_suffix(".body").map(str::to_owned)
        })
        .collect();
    numbers.sort();
    numbers
}

#[test]
fn everything_in_the_file_unless_only_what_is_pending_is_asked_for() {
    let (place, _serving) = with_events(&["task.created", "label.created", "task.deleted"]);
    let received = place.run(&["queue", "receive", "--json"]).json();
    let receipt = received[0]["receipt"].as_str().unwrap();
    place.run(&["queue", "ack", receipt]).good();
    // In flight.
    place.run(&["queue", "receive", "--json"]).good();

    let export = |words: &[&str]| place.run(&[&["events", "export"], words].concat());
    assert_eq!(
        export(&["--dir", "all"]).good(),
        "exported 3 events to all\n"
    );
    assert_eq!(
        numbers(&place.path("all")),
        ["000001", "000002", "000003"],
        "the acknowledged one too"
    );
    export(&["--dir", "pending", "--pending"]).good();
    assert_eq!(numbers(&place.path("pending")), ["000002", "000003"]);
}

#[test]
fn dead_letters_are_written_too() {
    let (place, _serving) = serving_with_an_event("max_receives = 1");
    place
        .run(&["queue", "receive", "--visibility", "0s"])
        .good();
    // The next receive finds the event dead.
    assert_eq!(place.run(&["queue", "receive", "--json"]).good(), "");
    assert_eq!(
        place
            .run(&["events", "list", "--dead", "--json"])
            .json()
            .len(),
        1
    );
    place.run(&["events", "export", "--dir", "out"]).good();
    assert_eq!(numbers(&place.path("out")), ["000001"]);
    place
        .run(&["events", "export", "--dir", "pending", "--pending"])
        .good();
    assert!(numbers(&place.path("pending")).is_empty());
}
