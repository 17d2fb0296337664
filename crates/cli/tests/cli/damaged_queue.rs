//! Bytes in the queue file are overwritten: each verb and `serve` name the file and the cure, and one damaged event
//! keeps nobody from the others.

use crate::support::{Place, Ran, Serving, configured};
use std::fs::OpenOptions;
use std::io::{Seek as _, SeekFrom, Write as _};

const PAGE: usize = 16 * 1024;

fn deliver(place: &Place, serving: &Serving, number: usize) -> Ran {
    // A page of the file each.
    let body = format!(
        "{{\"id\":\"event-{number}\",\"x\":\"{}\"}}",
        "x".repeat(12_000)
    );
    place.write("body", body);
    let url = serving.url("labelbox");
    place.run(&["send", "--file", "body", "--to", &url])
}

/// A queue of some events, which nobody has open.
fn filled() -> Place {
    let place = configured();
    let serving = place.serve(&[]);
    for number in 1..=6 {
        deliver(&place, &serving, number).good();
    }
    assert_eq!(serving.stop(), 0);
    place
}

fn overwrite(place: &Place, at: usize, bytes: &[u8]) {
    let mut file = OpenOptions::new()
        .write(true)
        .open(place.path("queue.db"))
        .unwrap();
    file.seek(SeekFrom::Start(at as u64)).unwrap();
    file.write_all(bytes).unwrap();
}

/// Position of the text, which the queue file holds once.
fn position(place: &Place, text: &str) -> usize {
    let bytes = std::fs::read(place.path("queue.db")).unwrap();
    let mut found = bytes
        .windows(text.len())
        .enumerate()
        .filter_map(|(at, window)| (window == text.as_bytes()).then_some(at));
    let at = found.next().unwrap();
    assert_eq!(found.next(), None);
    at
}

const NAMED: [&str; 4] = ["queue.db", "is damaged", "stop `serve`", "events replay"];

#[test]
fn a_damaged_page_is_named_by_every_verb_and_by_serve() {
    let place = filled();
    let page = position(&place, "\"event-3\"") / PAGE;
    overwrite(&place, page * PAGE, &[0xff; PAGE]);
    for verb in [
        &["events", "list"][..],
        &["events", "tail", "--json"],
        &["events", "show", "3"],
        &["status"],
    ] {
        place.run(verb).failed(1, &NAMED);
    }
    // A consumer gets all the others, and nothing is acknowledged for it.
    let received = place.run(&["queue", "receive", "--max", "10", "--json"]);
    received.failed(0, &NAMED);
    let told = "event 3 cannot be read, and is a dead letter now";
    assert!(received.stderr.contains(told), "{received:?}");
    let ids = received.json();
    let ids: Vec<_> = ids
        .iter()
        .map(|one| one["receipt"].as_str().unwrap())
        .collect();
    let numbers: Vec<_> = ids
        .iter()
        .map(|receipt| receipt.split('-').next().unwrap())
        .collect();
    assert_eq!(numbers, ["1", "2", "4", "5", "6"]);
    let counted = place.run(&["queue", "stats", "--json"]).json();
    assert_eq!(
        (&counted[0]["dead"], &counted[0]["acknowledged"]),
        (&1.into(), &0.into())
    );
    assert_eq!(counted[0]["dead_letters"], 1);
    // Once it is a dead letter, nobody is told again.
    let again = place.run(&["queue", "receive", "--max", "10", "--json"]);
    assert_eq!((again.good(), again.stderr.as_str()), ("", ""));
    let status = place.run(&["status", "--json"]);
    assert_eq!(status.code, 1, "{status:?}");
    assert_eq!(status.json()[0]["ok"], false);

    let export = place.run(&["events", "export", "--dir", "saved"]);
    export.failed(1, &NAMED);
    for (event, is_there) in [(1, true), (2, true), (3, false), (4, true), (6, true)] {
        let body = place.path("saved").join(format!("{event:06}.body"));
        assert_eq!(body.exists(), is_there, "{event}: {export:?}");
    }

    let replay = place.run(&["events", "replay", "--pending", "--dry-run"]);
    replay.failed(0, &NAMED);
    assert!(
        replay.stderr.contains("5 would be sent again"),
        "{replay:?}"
    );

    let serving = place.serve(&[]);
    place.logged(&["the queue file is damaged", "queue.db", "events replay"]);
    let sent = deliver(&place, &serving, 7);
    let shown = place.run(&["events", "show", "7", "--body"]);
    if sent.code == 0 {
        assert!(shown.good().contains("event-7"));
    } else {
        assert!(sent.stdout.starts_with("503"), "{sent:?}");
    }
    assert_eq!(serving.stop(), 0);
}

#[test]
fn the_cure_brings_back_what_can_still_be_read() {
    let place = filled();
    let page = position(&place, "\"event-3\"") / PAGE;
    overwrite(&place, page * PAGE, &[0xff; PAGE]);
    std::fs::create_dir(place.path("moved")).unwrap();
    for entry in std::fs::read_dir(place.directory.path()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.starts_with("queue.db") {
            std::fs::rename(place.path(&name), place.path("moved").join(&name)).unwrap();
        }
    }
    let serving = place.serve(&[]);
    deliver(&place, &serving, 7).good();
    let cure = "events replay --pending --dead --queue sqlite:moved/queue.db --to sqlite:queue.db";
    let words: Vec<_> = cure.split(' ').collect();
    let replay = place.run(&words);
    replay.failed(1, &NAMED);
    assert!(replay.stdout.contains("5 sent again"), "{replay:?}");
    let received = place.run(&["queue", "receive", "--max", "10", "--json"]);
    assert_eq!(received.json().len(), 6, "{received:?}");
    assert_eq!(serving.stop(), 0);
}

#[test]
fn a_file_that_is_overwritten_while_serve_runs_is_named() {
    let place = filled();
    let serving = place.serve(&[]);
    overwrite(&place, 0, &[0; PAGE]);
    let list = place.run(&["events", "list"]);
    assert_ne!(list.code, 0, "{list:?}");
    assert!(list.stderr.contains("events replay"), "{list:?}");
    let sent = deliver(&place, &serving, 7);
    let stored = place.run(&["events", "show", "7", "--body"]);
    assert!(
        sent.stdout.starts_with("503") || stored.stdout.contains("event-7"),
        "{sent:?} {stored:?}"
    );
}

#[test]
fn a_changed_event_is_named_and_the_others_are_received() {
    let place = filled();
    overwrite(&place, position(&place, "event-3"), b"EVENT-3");
    let named = ["event 3 is damaged", "datasha256"];
    place.run(&["events", "show", "3"]).failed(1, &named);
    place
        .run(&["events", "show", "3", "--json"])
        .failed(1, &named);
    place
        .run(&["events", "show", "3", "--body"])
        .failed(1, &named);
    let raw = place.run(&["events", "show", "3", "--envelope"]);
    assert!(raw.good().contains("EVENT-3"));
    let status = place.run(&["status"]);
    status.failed(0, &named);
    let tail = place.run(&["events", "tail", "--json"]);
    tail.failed(0, &named);
    assert_eq!(tail.json().len(), 5);
    let replay = place.run(&["events", "replay", "--pending", "--dry-run"]);
    replay.failed(0, &named);
    assert!(
        replay.stderr.contains("5 would be sent again"),
        "{replay:?}"
    );
    let export = place.run(&["events", "export", "--dir", "saved"]);
    export.failed(1, &named);
    assert!(place.path("saved/000006.body").exists());
    assert!(!place.path("saved/000003.body").exists());

    let received = place.run(&["queue", "receive", "--max", "10", "--json"]);
    received.failed(0, &named);
    assert!(received.stderr.contains("dead letter"), "{received:?}");
    assert_eq!(received.json().len(), 5);
    let dead = place.run(&["events", "list", "--dead", "--json"]).json();
    assert_eq!((dead.len(), &dead[0]["seq"]), (1, &3.into()));
}
