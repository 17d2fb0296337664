//! What `labelrelay status` says of the archive.

use crate::archive::{admin, archiving, send};
use crate::support::{get, until};
use labelrelay_core::OutboundMessage;
use labelrelay_event::{Attributes, DataEncoding, Digest, EventType, encode};
use labelrelay_local::QueueFile;
use labelrelay_testkit::clock::FakeClock;
use serde_json::Value;
use std::fs;
use std::sync::Arc;

#[test]
fn status_says_how_far_the_archive_is_and_what_is_wrong_with_it() {
    let place = archiving();
    let said = |words: &str| {
        let ran = place.run(&["status"]);
        assert!(ran.good().contains(words), "{words}: {ran:?}");
    };
    said("archive: made by the next `serve`");
    assert!(!place.path("archive").exists());
    let serving = place.serve(&[]);
    send(&place, &serving);
    let found = || place.run(&["status", "--json"]).json()[0]["archive"].clone();
    until("nothing waits", || found()["waiting_events"] == 0);
    assert_eq!(found()["gaps"], 0);
    assert_eq!(found()["oldest_waits_seconds"], Value::Null);
    said("archive: has all events of the queue");
    assert_eq!(serving.stop(), 0);

    let gap = r#"{"writer":"00000000000000ab","first":1,"last":2,"events":2,"reason":"pruned"}"#;
    let note = "archive/gaps/00000000000000ab-00000000000000000001-00000000000000000002.json";
    fs::create_dir(place.path("archive/gaps")).unwrap();
    place.write(note, gap);
    said("events that it will never have: 1; `labelrelay events list --from file:");
    // Another one: nothing of this queue is there.
    let name = "archive/labelrelay-archive.json";
    let version = place.read(name);
    place.write(name, r#"{"layout":1,"id":"00000000000000ff"}"#);
    assert_eq!(found()["waiting_events"], 2);
    said("archive: about 2 events wait to be written");

    place.write(name, r#"{"layout":99}"#);
    let words = ["fault: ", "layout 99", "Deliveries go on", "7 d longer"];
    place.run(&["status"]).failed(1, &words);
    assert_eq!(place.run(&["status", "--json"]).json()[0]["ok"], false);
    place.write(name, version);
    said("events that it will never have: 1");
}

#[test]
fn status_warns_of_an_archive_that_is_behind() {
    let place = archiving();
    let config = place.read("labelrelay.toml");
    place.write("labelrelay.toml", config.replace("\"1s\"", "\"1h\""));
    let serving = place.serve(&[]);
    let admin = admin(&place);
    until("the first round is over", || {
        get(&admin, "/metrics")
            .1
            .contains("labelrelay_archive_behind 0")
    });
    assert!(!place.run(&["status"]).stderr.contains("is behind"));
    // It came long ago, and the next round is far.
    let long_ago = "2026-01-01T00:00:00Z";
    let event_type = EventType::from_static("io.labelstud.annotation.created");
    let digest = Digest::of(b"{}");
    let attributes = Attributes::new("1", "/label-studio", &event_type, &digest, long_ago);
    let envelope = encode(&attributes, DataEncoding::Json, 2, [&b"{}"[..]]);
    let clock = Arc::new(FakeClock::at(long_ago));
    let queue = QueueFile::open(place.path("queue.db"), clock).unwrap();
    let message = OutboundMessage::new(attributes, envelope);
    queue.append(&[message], 0).unwrap();
    drop(queue);
    let ran = place.run(&["status"]);
    assert!(ran.good().contains("about 1 event waits"), "{ran:?}");
    ran.failed(0, &["the archive is behind", "archive_fails"]);
    assert_eq!(serving.stop(), 0);
    // Nobody writes it, and that is told already.
    assert!(!place.run(&["status"]).stderr.contains("is behind"));
}
