//! The archive that `serve` writes: everything that it accepted is there once, and the queue keeps what is not.

use crate::support::{CONFIG, Place, Serving, get, patient, until};
use labelrelay_archive::{Archive, ArchivedEvent, Search};
use labelrelay_files::FileObjectStore;
use labelrelay_local::Filter;
use serde_json::Value;
use std::fs;
use std::sync::Arc;

/// A place whose `serve` archives into a directory, and keeps nothing that was acknowledged. Nothing comes into the queue but
/// what is delivered: a test asks for it once, and what is derived may come later.
pub(crate) fn archiving() -> Place {
    let place = patient();
    let queue =
        "[embedded_queue]\nrepeat_window_s = 0\nretain_acknowledged_s = 0\nderive = false\n";
    let archive = "[archive]\nurl = \"file:archive\"\nevery = \"1s\"\n";
    place.write("labelrelay.toml", format!("{CONFIG}{queue}{archive}"));
    place
}

/// Ids of all events in the archive, in order.
pub(crate) fn archived(place: &Place) -> Vec<String> {
    let mut ids = each_archived(place, |event| event.attributes.id);
    ids.sort();
    ids
}

/// What `read` tells of each event in the archive, as often as it is there.
pub(crate) fn each_archived<T>(
    place: &Place,
    read: impl Fn(ArchivedEvent<'_>) -> T + Copy,
) -> Vec<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(async {
        let store = FileObjectStore::open(place.path("archive")).unwrap();
        // Whoever writes it makes it a moment after its start.
        let Ok(archive) = Archive::open(Arc::new(store), "archive").await else {
            return Vec::new();
        };
        let search = Search::new(Filter::default());
        let mut all = Vec::new();
        for segment in archive.list(search.filter()).await.unwrap().segments {
            let lines = archive.read(&segment).await.unwrap().unwrap();
            assert_eq!(lines.damage(), None);
            let events = search.events(&lines);
            all.extend(events.map(|event| read(event.unwrap())));
        }
        all
    })
}

/// Ids of all events on the queue, in order.
pub(crate) fn queued(place: &Place) -> Vec<String> {
    let listed = place.run(&["events", "list", "--json"]).json();
    let ids = listed.iter().map(|event| event["id"].as_str().unwrap());
    let mut ids: Vec<_> = ids.map(str::to_owned).collect();
    ids.sort();
    ids
}

pub(crate) fn send(place: &Place, serving: &Serving) {
    for source in ["labelbox", "label-studio"] {
        let to = serving.url(source);
        let words = ["send", "--source", source, "--to", &to];
        place.run(&words).good();
    }
}

pub(crate) fn acknowledge_all(place: &Place) {
    for event in place
        .run(&["queue", "receive", "--max", "100", "--json"])
        .json()
    {
        let receipt = event["receipt"].as_str().unwrap();
        place.run(&["queue", "ack", receipt]).good();
    }
}

/// Address of the metrics.
pub(crate) fn admin(place: &Place) -> String {
    let log = place.logged(&["metrics http://", "/metrics"]);
    let (_, rest) = log.split_once("metrics http://").unwrap();
    rest.split_once("/metrics").unwrap().0.to_owned()
}

#[test]
fn what_serve_accepts_is_archived_once() {
    let place = archiving();
    let serving = place.serve(&[]);
    send(&place, &serving);
    let first = queued(&place);
    until("the events are in the archive", || {
        archived(&place) == first
    });
    let admin = admin(&place);
    until("the figures say so", || {
        let (_, metrics) = get(&admin, "/metrics");
        let events = format!("labelrelay_archive_events_total {}", first.len());
        metrics.contains(&events) && metrics.contains("labelrelay_archive_behind 0")
    });
    let (_, ready) = get(&admin, "/ready");
    assert!(ready.contains("archive_failing 0"), "{ready}");
    // The end of a process loses nothing, whatever it had begun.
    send(&place, &serving);
    drop(serving);
    fs::remove_file(place.path("ready")).unwrap();
    let all = queued(&place);
    let serving = place.serve(&[]);
    until("the others are in the archive", || archived(&place) == all);
    assert_eq!(serving.stop(), 0);
    assert_eq!(archived(&place), all);
}

/// Pruned long ago, found all the same.
#[test]
fn the_verbs_that_look_for_events_look_into_an_archive() {
    let place = archiving();
    let serving = place.serve(&[]);
    send(&place, &serving);
    let all = queued(&place);
    until("the events are in the archive", || archived(&place) == all);
    let body = |id: &String| {
        place
            .run(&["events", "show", id, "--body"])
            .good()
            .to_owned()
    };
    let bodies: Vec<String> = all.iter().map(body).collect();
    acknowledge_all(&place);
    until("they are pruned", || {
        place.run(&["queue", "prune"]).good();
        queued(&place).is_empty()
    });
    assert_eq!(serving.stop(), 0);

    let from = ["--from", "file:archive"];
    let run = |words: &[&str]| place.run(&[words, &from].concat());
    let listed = run(&["events", "list", "--json"]).json();
    let mut ids: Vec<_> = listed
        .iter()
        .map(|event| event["id"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, all);
    let labelbox = run(&["events", "list", "--json", "--source", "labelbox"]).json();
    assert_eq!(labelbox.len(), 1);
    let none = run(&["events", "list", "--json", "--until", "1d"]);
    assert_eq!(none.good(), "");
    for (id, body) in all.iter().zip(&bodies) {
        assert_eq!(run(&["events", "show", id, "--body"]).good(), body);
        let begun = &id[..id.len() - 1];
        assert!(run(&["events", "show", begun]).good().contains(id.as_str()));
    }
    run(&["events", "show", "nobody"]).failed(1, &["the archive has no event nobody"]);
    run(&["events", "export", "--dir", "out"]).good();
    assert_eq!(
        fs::read_dir(place.path("out")).unwrap().count(),
        2 * all.len()
    );

    let dry = run(&["events", "replay", "--since", "1h", "--dry-run", "--json"]);
    assert_eq!(dry.json().len(), all.len());
    let again = [
        "events",
        "replay",
        "--since",
        "1h",
        "--to",
        "sqlite:again.db",
    ];
    assert!(
        run(&again)
            .good()
            .contains(&format!("{} sent again", all.len()))
    );
    let queue = ["events", "list", "--json", "--queue", "sqlite:again.db"];
    let sent = place.run(&queue).json();
    let mut ids: Vec<_> = sent
        .iter()
        .map(|event| event["id"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, all);

    // What was cut off, and what is somebody else's, is named, and the rest is found.
    place.write("archive/source=labelbox/notes.txt", "mine");
    let listed = run(&["events", "list", "--json"]);
    assert_eq!(listed.json().len(), all.len());
    listed.failed(0, &["notes.txt"]);
    run(&["events", "export", "--dir", "out"]).failed(0, &["notes.txt"]);
    let folder = "archive/source=labelbox/date=2026-01-02";
    fs::create_dir(place.path(folder)).unwrap();
    let numbers = "00000000000000000001-00000000000000000002";
    let name = format!("{folder}/0000000000000001-{numbers}.ndjson.gz");
    place.write(&name, "cut off");
    let listed = run(&["events", "list", "--json"]);
    assert_eq!(listed.json().len(), all.len());
    listed.failed(1, &["date=2026-01-02", "cannot be unpacked"]);
    place
        .run(&["events", "list", "--from", "file:nowhere"])
        .failed(1, &["there is no archive", "nowhere"]);
    assert!(!place.path("nowhere").exists());
    place.write("archive/labelrelay-archive.json", "{\"layout\":2}");
    run(&["events", "list"]).failed(1, &["layout 2", "layout 1"]);
}

#[test]
fn small_files_are_put_together() {
    let place = archiving();
    let serving = place.serve(&[]);
    for _ in 0..2 {
        send(&place, &serving);
        until("the events are in the archive", || {
            archived(&place) == queued(&place)
        });
    }
    assert_eq!(serving.stop(), 0);
    let all = archived(&place);
    let none = place.run(&[
        "archive",
        "compact",
        "file:archive",
        "--before",
        "2026-01-01",
    ]);
    assert!(none.good().contains("0 files removed"), "{none:?}");
    let words = [
        "archive",
        "compact",
        "file:archive",
        "--before",
        "9999-01-01",
        "--json",
    ];
    let done = place.run(&words).json();
    // Of one source and day, unless midnight was in between.
    assert!(done[0]["written"].as_u64() <= Some(2), "{done:?}");
    assert_eq!(done[0]["unreadable"], 0);
    assert_eq!(archived(&place), all);
    place
        .run(&["archive", "compact", "file:nowhere"])
        .failed(1, &["there is no archive"]);
}

/// A dataset that comes from an archive is the one that came from the queue.
#[test]
fn a_dataset_is_made_anew_from_an_archive() {
    let place = archiving();
    let serving = place.serve(&[]);
    send(&place, &serving);
    let all = queued(&place);
    until("the events are in the archive", || archived(&place) == all);
    assert_eq!(serving.stop(), 0);
    let counts = |words: &[&str]| {
        let ran = place.run(&[&["dataset"], words].concat());
        let first = ran.good().lines().next().unwrap().to_owned();
        // Its file of rejects stands below each.
        first.split(" (").next().unwrap().to_owned()
    };
    let synced = counts(&["sync", "synced"]);
    let rebuilt = counts(&["rebuild", "rebuilt", "--from", "file:archive"]);
    assert_eq!(rebuilt, synced);
    assert!(!rebuilt.starts_with("0 annotations"), "{rebuilt}");
    let latest = fs::read_to_string(place.path("rebuilt/latest.json")).unwrap();
    let latest: Value = serde_json::from_str(&latest).unwrap();
    let inputs = latest["inputs"].as_array().unwrap();
    assert!(!inputs.is_empty(), "{latest}");
    for input in inputs {
        let from = input["queue"].as_str().unwrap();
        assert!(from.ends_with("archive"), "{latest}");
    }
    let both = [
        "dataset",
        "rebuild",
        "rebuilt",
        "--from",
        "file:archive",
        "--key",
        "env:KEY",
    ];
    place.run(&both).failed(2, &["--from", "--key"]);
    // What is known already changes nothing.
    let again = counts(&["rebuild", "rebuilt", "--from", "file:archive"]);
    assert_eq!(again, rebuilt);
}

#[test]
fn an_author_is_taken_out_of_an_archive() {
    let place = archiving();
    let serving = place.serve(&[]);
    let url = serving.url("label-studio");
    for id in 1..=4 {
        let by = if id < 3 {
            "Ann@Example.org"
        } else {
            "joan@example.org"
        };
        let body = serde_json::json!({
            "action": "ANNOTATION_CREATED",
            "annotation": {"id": id, "task": id, "updated_at": "2026-11-21T09:47:10.371842Z", "result": []},
            "by": by,
            "project": {"id": 1},
            "task": {"id": id, "data": {}},
        });
        // With line breaks, its line has it in base64.
        let laid_out = serde_json::to_string_pretty(&body).unwrap();
        let text = if id % 2 == 0 {
            laid_out
        } else {
            body.to_string()
        };
        place.write("body.json", text);
        let words = ["send", "--source", "label-studio", "--file", "body.json"];
        place.run(&[&words[..], &["--to", &url]].concat()).good();
    }
    let all = queued(&place);
    until("the events are in the archive", || archived(&place) == all);
    assert_eq!(serving.stop(), 0);
    let forget = ["events", "forget", "--author", "ann@example.org"];
    let from = ["--from", "file:archive"];
    let ran = place.run(&[&forget[..], &from].concat());
    assert_eq!(ran.good(), "taken out of 2 events\n");
    assert_eq!(archived(&place), all);
    let mut bodies = String::new();
    for id in &all {
        let shown = place.run(&[&["events", "show", id, "--body"][..], &from].concat());
        bodies += shown.good();
    }
    assert!(
        !bodies.to_ascii_lowercase().contains("ann@example.org"),
        "{bodies}"
    );
    assert_eq!(bodies.matches("[forgotten]").count(), 2, "{bodies}");
    assert_eq!(bodies.matches("joan@example.org").count(), 2, "{bodies}");
    let again = place.run(&[&forget[..], &from].concat());
    assert_eq!(again.good(), "taken out of 0 events\n");
}
