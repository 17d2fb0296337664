//! How far a verb is, at a terminal.

use crate::support::{Place, configured};
use crate::terminal_device::Terminal;
use labelrelay_event::{Attributes, DataEncoding, Digest, EventType, encode};

/// What a person sees whose terminal is called so.
fn seen(place: &Place, words: &[&str], terminal: &str) -> String {
    let mut command = place.command(words);
    command.env("TERM", terminal);
    String::from_utf8(Terminal::open().run(command)).unwrap()
}

/// An event as it waits in a fallback.
fn waiting() -> Vec<u8> {
    let data: &[u8] = b"{}";
    let attributes = Attributes::new(
        "1",
        "/label-studio",
        &EventType::from_static("a.b"),
        &Digest::of(data),
        "2026-01-01T00:00:01Z",
    );
    encode(&attributes, DataEncoding::Json, data.len(), [data])
}

#[test]
fn a_verb_says_how_far_it_is_and_leaves_none_of_it_behind() {
    let place = configured();
    let fallback = place.path("fallback");
    let config = place.read("labelrelay.toml");
    let line = format!("fallback = \"file://{}\"\n", fallback.display());
    place.write("labelrelay.toml", line + &config);
    std::fs::create_dir(&fallback).unwrap();
    let fill = || place.write("fallback/20260101T000001Z-1.json", waiting());
    let export = ["events", "export", "--dir", "out"];
    let replay = ["events", "replay", "--since", "10h"];
    let retry = ["events", "retry"];
    for (words, doing, end) in [
        (
            &retry[..],
            "moving into the queue: ",
            "1 moved to the queue\nmade 0 ready again\n",
        ),
        (&export, "exporting: ", "exported 1 events to out\n"),
        (&replay, "sending again: ", "1 sent again\n"),
    ] {
        fill();
        let shown = seen(&place, words, "xterm");
        // The last thing that a terminal obeys takes the line away.
        let (before, after) = shown.rsplit_once('\u{1b}').unwrap();
        assert!(before.contains(doing), "{words:?}: {shown:?}");
        assert!(
            !after.contains(doing) && after.ends_with(end),
            "{words:?}: {shown:?}"
        );
    }
    // Neither programs nor terminals that cannot write over a line get any of it.
    for words in [&retry[..], &export, &replay] {
        fill();
        let shown = seen(&place, &[words, &["--json"]].concat(), "xterm");
        assert!(!shown.contains('\u{1b}'), "{words:?}: {shown:?}");
        fill();
        let shown = seen(&place, words, "dumb");
        assert!(!shown.contains('\u{1b}'), "{words:?}: {shown:?}");
    }
}
