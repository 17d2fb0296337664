//! Each fixture becomes what its file says, however its message is given.

use crate::exact::exact;
use crate::plain::{outcome, outcome_of};
use labelrelay_event::{Envelope, ErrorKind, Event};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const EXPECTED: &str = ".changes.json";

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

pub(crate) fn read(name: &str) -> Vec<u8> {
    let path = folder().join("changes").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Names of all fixtures: each envelope has its changes, and the other way round.
fn names() -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder().join("changes")).unwrap();
    let files = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let (expected, envelopes): (BTreeSet<_>, BTreeSet<_>) = files
        .filter(|name| Path::new(name).extension().is_some_and(|end| end == "json"))
        .partition(|name| name.ends_with(EXPECTED));
    let stem = |end: &str, names: BTreeSet<String>| -> BTreeSet<String> {
        names
            .iter()
            .map(|name| name.strip_suffix(end).unwrap().to_owned())
            .collect()
    };
    let names = stem(EXPECTED, expected);
    assert_eq!(names, stem(".json", envelopes));
    assert!(names.len() > 100);
    names
}

#[test]
fn an_event_becomes_these_changes() {
    for name in names() {
        let message = read(&format!("{name}.json"));
        let mut found = outcome(&message);
        if let Ok(event) = Event::parse(&message)
            && event.is_claimed()
        {
            let body = read(&format!("{name}.body"));
            found["fetched"] = outcome_of(&event.with_body(body).unwrap());
        }
        let found = exact(&found.to_string());
        let expected = exact(std::str::from_utf8(&read(&format!("{name}{EXPECTED}"))).unwrap());
        assert!(
            found == expected,
            "{name}\n{found:#}\nand not\n{expected:#}"
        );
    }
}

#[test]
fn the_body_and_the_attributes_apart_say_the_same() {
    for name in names() {
        let message = read(&format!("{name}.json"));
        let Ok(event) = Event::parse(&message) else {
            continue;
        };
        let Ok(raw) = event.raw() else { continue };
        let owned = Event::of(event.attributes().clone(), raw.to_vec());
        assert_eq!(outcome_of(&owned), outcome_of(&event), "{name}");
        if name == "attributes_with_half_a_pair" {
            continue; // what passes events on has no form for it
        }
        let envelope = Envelope::decode(&message).unwrap();
        let passed_on = Event::try_from(envelope).unwrap();
        assert_eq!(outcome_of(&passed_on), outcome_of(&event), "{name}");
        assert_eq!(passed_on.raw().unwrap(), raw);
    }
}

#[test]
fn raw_is_what_the_sender_sent() {
    for name in names() {
        let message = read(&format!("{name}.json"));
        let Ok(event) = Event::parse(&message) else {
            continue;
        };
        let verified = event.verify().map_err(|error| error.kind());
        let expected = match name.as_str() {
            "digest_mismatch" => Err(ErrorKind::DigestMismatch),
            "ls_claimed" => Err(ErrorKind::BodyClaimed),
            _ => Ok(()),
        };
        if name != "data_not_last" {
            assert_eq!(verified, expected, "{name}");
        }
    }
}

#[test]
fn attributes_that_are_not_known_are_kept() {
    let message = read("extension.json");
    let event = Event::parse(&message).unwrap();
    assert!(!event.extensions().is_empty());
    let all: Value = serde_json::from_slice(&message).unwrap();
    for (name, value) in event.extensions() {
        assert_eq!(all[name], json!(value));
    }
}
