//! JSON or not, file by file; and no damage to a fixture does more than make it something else.

use crate::fixtures::{head, inspect, list, read};
use labelrelay_core::json::{Scanner, check};
use labelrelay_core::provider::Provider;
use serde_json::value::RawValue;

#[test]
fn files_are_what_their_directory_says() {
    for (directory, expected) in [("json/valid", true), ("json/invalid", false)] {
        for name in list(directory, "json") {
            let body = read(&format!("{directory}/{name}"));
            assert_eq!(check(&body).is_json, expected, "{name}");
            assert_eq!(
                serde_json::from_slice::<&RawValue>(&body).is_ok(),
                expected,
                "{name}, by serde_json"
            );
            for split in 0..=body.len() {
                let (head, tail) = body.split_at(split);
                let mut scanner = Scanner::new(());
                scanner.update(head);
                scanner.update(tail);
                assert_eq!(
                    scanner.finish().0.is_json,
                    expected,
                    "{name}, split at {split}"
                );
            }
        }
    }
}

/// A small generator is enough: what matters is that the same damage is done on every machine.
fn next(state: &mut u64) -> usize {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap()
}

#[test]
fn damaged_bodies_are_decided_as_serde_json_does() {
    let mut state = 7;
    for (provider, directory) in [
        (Provider::Labelbox, "labelbox"),
        (Provider::LabelStudio, "label_studio/documents"),
        (Provider::LabelStudio, "edge"),
    ] {
        for name in list(directory, "json") {
            let body = read(&format!("{directory}/{name}"));
            if body.is_empty() || body.len() > 20_000 {
                continue;
            }
            for _ in 0..40 {
                let mut damaged = body.clone();
                for _ in 0..=next(&mut state) % 3 {
                    let at = next(&mut state) % damaged.len();
                    let bytes = b"{}[]:,\"\\ 0a\x00\xff\n";
                    match next(&mut state) % 3 {
                        0 => damaged[at] = bytes[next(&mut state) % bytes.len()],
                        1 => damaged.truncate(at.max(1)),
                        _ => damaged.insert(at, bytes[next(&mut state) % bytes.len()]),
                    }
                }
                let inspection = inspect(
                    provider,
                    &head(&[("x-labelbox-event", "LABEL_UPDATED")]),
                    &damaged,
                );
                let expected = serde_json::from_slice::<&RawValue>(&damaged).is_ok();
                assert_eq!(
                    inspection.check.is_json,
                    expected,
                    "{name}: {}",
                    String::from_utf8_lossy(&damaged)
                );
                if !expected {
                    assert!(
                        inspection.description.event_type.is_unrecognized(),
                        "{name}"
                    );
                }
            }
        }
    }
}
