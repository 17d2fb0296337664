//! Files that older programs wrote, opened by this one. `tests/fixtures/upgrades/README.md` says which commit made
//! what.

use crate::support::Place;
use labelrelay_event::Digest;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;

/// A place whose `.labelrelay` is a copy of that folder, and what its own program said of the queue.
fn of(folder: &str) -> (Place, Vec<Value>) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/upgrades");
    let place = Place::new();
    copy(&fixtures.join(folder), &place.path(".labelrelay"));
    let expected = fs::remove_file(place.path(".labelrelay/expected.json"))
        .and_then(|()| fs::read(fixtures.join(folder).join("expected.json")));
    (place, serde_json::from_slice(&expected.unwrap()).unwrap())
}

/// Copies files, for this user alone, as they were written.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    keep_private(to, 0o700);
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), &to).unwrap();
            keep_private(&to, 0o600);
        }
    }
}

#[cfg(unix)]
fn keep_private(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn keep_private(_path: &Path, _mode: u32) {}

/// The queue's events by id: number, type, state, digest of the body.
fn events(place: &Place) -> BTreeMap<String, (u64, String, String, String)> {
    let listed = place.run(&["events", "list", "--json", "--limit", "1000"]);
    listed.good();
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_str().unwrap();
    place.run(&["events", "export", "--dir", to]).good();
    let mut events = BTreeMap::new();
    for row in listed.json() {
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        let seq = row["seq"].as_u64().unwrap();
        let body = fs::read(folder.path().join(format!("{seq:06}.body"))).unwrap();
        let event = (seq, text("type"), text("state"), Digest::of(&body).to_hex());
        assert!(events.insert(text("id"), event).is_none(), "{row}");
    }
    events
}

/// Asserts that the queue holds what its own program said of it, and maybe more.
fn holds(found: &BTreeMap<String, (u64, String, String, String)>, expected: &[Value]) {
    for event in expected {
        let text = |name: &str| event[name].as_str().unwrap();
        let (seq, event_type, state, body) = &found[text("id")];
        assert_eq!(*seq, event["seq"].as_u64().unwrap(), "{event}");
        assert_eq!(
            (event_type.as_str(), body.as_str()),
            (text("type"), text("body"))
        );
        // Its visibility timeout may be over by now.
        if text("state") != "in_flight" {
            assert_eq!(state, text("state"), "{event}");
        }
    }
}

/// As much of a delivery as is asked for: an old envelope may hold numbers that no parser here reads.
#[derive(Deserialize)]
struct Received {
    receipt: String,
    envelope: Head,
}

#[derive(Deserialize)]
struct Head {
    id: String,
}

#[test]
fn a_queue_of_the_first_program_is_read_filled_and_consumed() {
    let (place, expected) = of("queue-efb64d5");
    assert!(expected.len() > 20, "{}", expected.len());
    let found = events(&place);
    assert_eq!(found.len(), expected.len());
    holds(&found, &expected);

    let serving = place.serve(&[]);
    for platform in ["labelbox", "label-studio"] {
        let to = format!("http://{}/{platform}", serving.address);
        place
            .run(&["send", "--to", &to, "--provider", platform])
            .good();
    }
    place.run(&["events", "retry", "--dead"]).good();
    let received = place.run(&["queue", "receive", "--max", "1000", "--json"]);
    received.good();
    let received: Vec<Received> = received
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let ids: Vec<&str> = received.iter().map(|one| &*one.envelope.id).collect();
    let mut receipts = vec!["queue", "ack"];
    receipts.extend(received.iter().map(|one| &*one.receipt));
    for event in &expected {
        let is_expected = ["ready", "dead"].contains(&event["state"].as_str().unwrap());
        let id = event["id"].as_str().unwrap();
        assert!(
            !is_expected || ids.contains(&id),
            "{event} was not received"
        );
    }
    place.run(&receipts).good();
    let after = events(&place);
    // An event that the old program saw acknowledged is kept for a day.
    let kept = expected.iter().filter(|it| it["state"] != "acknowledged");
    let ids = kept.map(|event| event["id"].as_str().unwrap());
    assert!(ids.clone().all(|id| after.contains_key(id)), "{after:?}");
    let most = expected.len() + 2;
    assert!((ids.count() + 2..=most).contains(&after.len()), "{after:?}");
    drop(serving);
}

#[test]
fn a_fallback_of_an_older_program_is_emptied_into_its_queue() {
    let (place, expected) = of("fallback-aceb139");
    let waiting = fs::read_dir(place.path(".labelrelay/fallback"))
        .unwrap()
        .count();
    assert!(waiting >= 3, "{waiting}");
    assert!(expected.is_empty(), "none of them was queued");
    place.run(&["events", "retry", "--fallback"]).good();
    let moved = events(&place);
    assert_eq!(moved.len(), 3, "{moved:?}");
    let left = fs::read_dir(place.path(".labelrelay/fallback")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        !left
            .iter()
            .any(|name| Path::new(name).extension().is_some_and(|end| end == "json")),
        "{left:?}"
    );
}

#[test]
fn events_that_an_older_program_fetched_are_not_fetched_again() {
    let (place, expected) = of("ledger-08f70a7");
    assert_eq!(expected.len(), 4, "three tasks and an annotation");
    holds(&events(&place), &expected);
    let server = label_studio(place.read(".labelrelay/tasks.json"));
    let place = place
        .with(
            "LABEL_STUDIO_API_KEY",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        )
        .with("LABEL_STUDIO_URL", &server);
    let pulled = place.run(&["pull", "label-studio", "--moved", "--json"]);
    pulled.good();
    let summary = &pulled.json()[0];
    assert_eq!(
        (&summary["sent"], &summary["deleted"]),
        (&0.into(), &0.into()),
        "{summary}"
    );
}

/// As much of a Label Studio as a pull asks for: one project, with these tasks.
fn label_studio(tasks: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut head = String::new();
            while stream.read_line(&mut head).unwrap() > "\r\n".len() {}
            let project = r#"{"id": 1, "task_number": 3, "total_annotations_number": 1}"#;
            let body = match head.split(' ').nth(1).unwrap() {
                path if path.starts_with("/api/tasks/?") => tasks.clone(),
                path if path.starts_with("/api/projects/?") => {
                    format!(r#"{{"count": 1, "results": [{project}]}}"#)
                }
                _ => project.to_owned(),
            };
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            let _gone = stream.get_mut().write_all(answer.as_bytes());
        }
    });
    format!("http://{address}")
}
