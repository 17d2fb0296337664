//! `events replay`: the same events again, told from repeats.

use crate::queue::with_events;
use crate::support::{Place, Serving, patient, send_laid_out};
use serde_json::Value;

/// All messages of a queue, with their envelopes; consumes nothing but their first receive.
fn received(place: &Place, queue: &str) -> Vec<Value> {
    let words = [
        "queue", "receive", "--max", "100", "--json", "--queue", queue,
    ];
    place.run(&words).json()
}

/// An envelope without the mark of a replay.
fn unmarked(envelope: &Value) -> Value {
    let mut envelope = envelope.clone();
    envelope.as_object_mut().unwrap().remove("replayedtime");
    envelope
}

fn ids(messages: &[Value]) -> Vec<&str> {
    let ids = messages
        .iter()
        .map(|message| message.pointer("/envelope/id"));
    ids.map(|id| id.unwrap().as_str().unwrap()).collect()
}

#[test]
fn events_come_again_beside_a_running_serve_and_serve_goes_on() {
    let (place, serving) = with_events(&["task.created", "label.created", "action_alone.created"]);
    let first = received(&place, "sqlite:queue.db");
    assert_eq!(
        place.run(&["events", "replay", "--since", "1h"]).good(),
        "3 sent again\n"
    );
    let again = received(&place, "sqlite:queue.db");
    assert_eq!(
        ids(&again),
        ids(&first),
        "the same ids in the same order, within the window of repeats"
    );
    for (first, again) in first.iter().zip(&again) {
        assert!(first["envelope"]["replayedtime"].is_null());
        assert!(again["envelope"]["replayedtime"].is_string());
        assert_eq!(unmarked(&again["envelope"]), first["envelope"]);
    }
    // Its next number is taken by another process.
    deliver(&place, &serving, "task.deleted");
    let seqs = place.run(&["events", "list", "--json"]).json();
    assert_eq!(seqs.len(), 7);
    // Byte for byte, as the export writes it.
    place.run(&["events", "export", "--dir", "out"]).good();
    for number in 1..=3 {
        assert_eq!(
            std::fs::read(place.path(&format!("out/00000{number}.body"))).unwrap(),
            std::fs::read(place.path(&format!("out/00000{}.body", number + 3))).unwrap()
        );
    }
    // A replayed event is in the file twice, and goes once.
    assert_eq!(
        place.run(&["events", "replay", "--since", "1h"]).good(),
        "4 sent again\n"
    );
    assert_eq!(serving.stop(), 0);
    let serving = place.serve(&[]);
    deliver(&place, &serving, "annotation.created");
    assert_eq!(place.run(&["events", "list", "--json"]).json().len(), 12);
}

fn deliver(place: &Place, serving: &Serving, event: &str) {
    let url = serving.url("label-studio");
    place.run(&["send", "--event", event, "--to", &url]).good();
}

#[test]
fn filters_choose_and_a_dry_run_sends_nothing() {
    let (place, _serving) = with_events(&["task.created", "label.created", "task.deleted"]);
    let dry = |words: &[&str]| {
        let ran = place.run(&[&["events", "replay", "--dry-run", "--json"], words].concat());
        ran.good();
        let types = ran
            .json()
            .into_iter()
            .map(|row| row["type"].as_str().unwrap().to_owned());
        types.collect::<Vec<_>>()
    };
    let tasks = ["io.labelstud.task.created", "io.labelstud.task.deleted"];
    assert_eq!(dry(&["--since", "1h"]).len(), 3);
    assert_eq!(
        dry(&["--since", "1h", "--type", "io.labelstud.task.*"]),
        tasks
    );
    assert_eq!(dry(&["--since", "1h", "--source", "label-studio"]), tasks);
    assert_eq!(
        dry(&["--since", "1h", "--source", "labelbox"]),
        ["com.labelbox.label.created"]
    );
    assert_eq!(dry(&["--until", "2026-01-01T00:00:00Z"]), [""; 0]);
    assert_eq!(dry(&["--dead"]), [""; 0]);
    assert_eq!(dry(&["--claimed"]), [""; 0]);
    let id = place.run(&["events", "list", "--json"]).json()[1]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        dry(&["--since", "1h", "--id", &id]),
        ["com.labelbox.label.created"]
    );
    let people = place.run(&["events", "replay", "--since", "1h", "--dry-run"]);
    assert!(
        people.good().contains("io.labelstud.task.created"),
        "{people:?}"
    );
    assert!(
        people.stderr.contains("3 would be sent again"),
        "{people:?}"
    );
    assert_eq!(place.run(&["events", "list", "--json"]).json().len(), 3);
    let ran = place.run(&[
        "events",
        "replay",
        "--since",
        "1h",
        "--type",
        "io.labelstud.task.*",
        "--json",
    ]);
    assert_eq!(ran.json()[0], serde_json::json!({ "sent": 2, "failed": 0 }));
}

#[test]
fn dead_letters_go_to_another_queue_and_stay_where_they_are() {
    let place = patient();
    let config = place.read("labelrelay.toml");
    place.write(
        "labelrelay.toml",
        format!("{config}[embedded_queue]\nmax_receives = 1\n"),
    );
    let serving = place.serve(&[]);
    deliver(&place, &serving, "task.created");
    place
        .run(&["queue", "receive", "--visibility", "0s", "--json"])
        .good();
    deliver(&place, &serving, "task.deleted");
    let ran = place.run(&["events", "replay", "--dead", "--to", "sqlite:other.db"]);
    assert_eq!(ran.good(), "1 sent again\n");
    let other = received(&place, "sqlite:other.db");
    assert_eq!(other[0]["envelope"]["type"], "io.labelstud.task.created");
    assert!(other[0]["envelope"]["replayedtime"].is_string());
    assert_eq!(
        place
            .run(&["events", "list", "--dead", "--json"])
            .json()
            .len(),
        1
    );
    // A pipe gets one envelope a line, whatever line breaks a body has.
    send_laid_out(&place, &serving);
    let ran = place.run(&[
        "events", "replay", "--since", "1h", "--to", "stdout:", "--json",
    ]);
    let lines = ran.json();
    assert_eq!(lines.len(), 4, "{ran:?}");
    assert!(lines[2]["data_base64"].is_string());
    assert_eq!(lines[3], serde_json::json!({ "sent": 3, "failed": 0 }));
}

#[test]
fn a_claim_checked_event_goes_again_unless_its_data_is_gone() {
    let place = patient();
    let config = place.read("labelrelay.toml");
    let claims = place.path("claims");
    place.write(
        "labelrelay.toml",
        format!("blob_store = \"file://{}\"\n{config}", claims.display()),
    );
    let serving = place.serve(&[]);
    deliver(&place, &serving, "task.created");
    assert_eq!(serving.stop(), 0);
    // Form in which the file keeps an event whose body was too large for it.
    let stored = place
        .run(&["queue", "receive", "--json", "--visibility", "0s"])
        .json();
    let mut envelope = stored[0]["envelope"].clone();
    let data = place.write("claims/large", "[1]");
    let members = envelope.as_object_mut().unwrap();
    members.remove("data");
    members.insert(
        "dataref".into(),
        format!("file://{}", data.display()).into(),
    );
    members.insert("id".into(), "claimed".into());
    append(&place.path("queue.db"), &envelope);

    assert_eq!(
        place.run(&["events", "replay", "--claimed"]).good(),
        "1 sent again\n"
    );
    let again = place.run(&["events", "list", "--json", "--newest"]).json();
    assert_eq!(again[0]["id"], "claimed");
    std::fs::remove_file(data).unwrap();
    let ran = place.run(&["events", "replay", "--claimed"]);
    ran.failed(1, &["claimed: its data is gone", "1 were not sent"]);
    assert_eq!(ran.stdout, "0 sent again\n");
}

/// Puts an envelope into a queue file.
fn append(file: &std::path::Path, envelope: &Value) {
    use labelrelay_core::OutboundMessage;
    let bytes = serde_json::to_vec(envelope).unwrap();
    let attributes = labelrelay_event::Envelope::decode(&bytes)
        .unwrap()
        .attributes;
    let clock = std::sync::Arc::new(labelrelay_startup::SystemClock::new());
    let queue = labelrelay_local::QueueFile::open(file, clock).unwrap();
    queue
        .append(&[OutboundMessage::new(attributes, bytes)], 0)
        .unwrap();
}

#[test]
fn wrong_words_and_queues_that_keep_nothing_are_said() {
    let (place, _serving) = with_events(&["task.created"]);
    place
        .run(&["events", "replay"])
        .failed(2, &["--dead", "--since", "--claimed"]);
    place
        .run(&["events", "replay", "--since", "yesterday"])
        .failed(2, &["`--since`", "2h"]);
    place
        .run(&["events", "replay", "--since", "1h", "--until", "2h"])
        .failed(2, &["`--since` is not before `--until`"]);
    place
        .run(&["events", "replay", "--since", "1h", "--to", "kafka://x"])
        .failed(2, &["--to", "sqlite:FILE"]);
    place
        .run(&[
            "events",
            "replay",
            "--since",
            "1h",
            "--queue",
            "pubsub://p/topic",
        ])
        .failed(2, &["Google Cloud", "--queue sqlite:FILE"]);
    place
        .run(&[
            "events",
            "replay",
            "--since",
            "1h",
            "--queue",
            "sqlite:gone.db",
        ])
        .failed(1, &["gone.db"]);
}
