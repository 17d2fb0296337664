//! What is said of a record that is not kept. Deliveries are taken all the same, so it is no fault.

use crate::support::{CONFIG, Place, patient, until};
use std::fs;

/// A place whose record is in this file.
fn recording_into(file: &str) -> Place {
    let place = patient();
    let section = format!("[serve.record]\nfile = \"{file}\"\n");
    place.write("labelrelay.toml", format!("{CONFIG}{section}"));
    place
}

/// The warnings of a run that finds no fault.
fn warnings(place: &Place) -> String {
    let ran = place.run(&["status"]);
    ran.good();
    ran.stderr
}

fn is_recording(place: &Place) -> Option<bool> {
    place.run(&["status", "--json"]).json()[0]["record"]["is_recording"].as_bool()
}

#[test]
fn one_that_the_next_serve_makes_counts_as_there() {
    let place = patient();
    let ran = place.run(&["status"]);
    assert!(
        ran.good().contains("queue.db.record: made by the next"),
        "{ran:?}"
    );
    assert!(!place.path("queue.db.record").exists());
}

#[test]
fn one_that_the_next_serve_cannot_make_is_a_warning() {
    let place = recording_into("nowhere/record");
    let warned = warnings(&place);
    for words in [
        "the record of deliveries cannot be used",
        "cannot be written into",
        "`serve.record.file`",
    ] {
        assert!(warned.contains(words), "{warned}");
    }
    let ran = place.run(&["status", "--json"]);
    let problem = ran.json()[0]["record"]["problem"].clone();
    assert!(problem.is_string(), "{ran:?}");
}

/// Nobody but the `serve` that runs can tell.
#[cfg(unix)]
#[test]
fn one_that_serve_does_not_keep_is_a_warning_until_it_does() {
    let place = recording_into("nowhere/record");
    let serving = place.serve(&[]);
    place.logged(&["deliveries are not recorded", "there is no page"]);
    until("serve says so", || is_recording(&place) == Some(false));
    let warned = warnings(&place);
    for words in [
        "`serve` takes deliveries, and records none",
        "`record_failed`",
        "cannot be written into",
        "`page_off`",
    ] {
        assert!(warned.contains(words), "{warned}");
    }
    place
        .run(&["status", "--page-url"])
        .failed(1, &["`serve` runs", "`page_off`"]);
    place
        .run(&["events", "list", "--recorded"])
        .failed(1, &["though `serve` runs", "`record_failed`"]);
    // Without a delivery, too.
    fs::create_dir(place.path("nowhere")).unwrap();
    until("it records", || is_recording(&place) == Some(true));
    place.logged(&["deliveries are recorded again"]);
    assert_eq!(serving.stop(), 0);
}

#[cfg(unix)]
#[test]
fn something_else_in_its_place_is_named() {
    let place = recording_into("taken");
    fs::create_dir(place.path("taken")).unwrap();
    let serving = place.serve(&[]);
    until("serve says so", || is_recording(&place) == Some(false));
    let warned = warnings(&place);
    assert!(warned.contains("is no regular file"), "{warned}");
    assert_eq!(serving.stop(), 0);
}

#[cfg(unix)]
#[test]
fn a_token_that_somebody_removed_is_named_and_the_next_start_makes_another() {
    let place = patient();
    let serving = place.serve(&[]);
    let ran = place.run(&["status"]);
    assert!(ran.good().contains("deliveries are recorded"), "{ran:?}");
    fs::remove_file(place.path("queue.db.record.token")).unwrap();
    place
        .run(&["status", "--page-url"])
        .failed(1, &["somebody removed it", "start `serve` again"]);
    assert!(warnings(&place).contains("queue.db.record.token"));
    assert_eq!(serving.stop(), 0);
    let serving = place.serve(&[]);
    place.run(&["status", "--page-url"]).good();
    assert_eq!(serving.stop(), 0);
}
