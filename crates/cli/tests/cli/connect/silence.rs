//! `labelrelay status` compares what changed on Label Studio with what the queue got.

use super::stand_in::{StandIn, webhook};
use super::{SECRET, Scene, TOKEN, shows_no_secret};
use crate::support::{Place, Ran, configured, patient, until};
use jiff::{SignedDuration, Timestamp};
use labelrelay_core::OutboundMessage;
use labelrelay_core::time::rfc3339;
use labelrelay_event::{Attributes, DataEncoding, Digest, EventType, Origin, encode};
use labelrelay_local::QueueFile;
use labelrelay_testkit::clock::FakeClock;
use serde_json::{Value, json};
use std::sync::Arc;

/// A relay and a Label Studio, each project of which has a webhook that is as it should be.
fn scene(more: &str) -> Scene {
    let label_studio = StandIn::start();
    let place = patient()
        .with("LABEL_STUDIO_API_KEY", TOKEN)
        .with("LABEL_STUDIO_URL", &label_studio.url);
    let text = place.read("labelrelay.toml") + &more.replace("URL", &label_studio.url);
    place.write("labelrelay.toml", text);
    let serving = place.serve(&[]);
    let scene = Scene {
        place,
        serving,
        label_studio,
    };
    for (id, project) in [(11, 1), (12, 2)] {
        let made = webhook(id, project, &scene.url(), SECRET);
        scene.label_studio.state().webhooks.push(made);
    }
    scene
}

fn ago(minutes: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_mins(minutes)
}

/// An annotation of a project changed so long ago, and so did its task, by itself.
fn changed(scene: &Scene, project: u64, id: u64, minutes: i64) {
    let (time, old) = (rfc3339(ago(minutes)), rfc3339(ago(100_000)));
    let annotation = json!({"id": id, "created_at": old, "updated_at": time});
    let task = json!({
        "id": id, "created_at": old, "updated_at": time, "annotations": [annotation],
    });
    scene.label_studio.state().tasks.push((project, task));
}

/// The queue got an event of a project so long ago.
fn came(scene: &Scene, project: u64, minutes: i64, origin: Option<Origin>) {
    let event_type = EventType::from_static("io.labelstud.annotation.updated");
    let (time, data) = (rfc3339(ago(minutes)), b"{}");
    let id = format!("{project}-{minutes}");
    let digest = Digest::of(data);
    let clock = Arc::new(FakeClock::at(&time));
    let mut attributes = Attributes::new(id, "/label-studio", &event_type, &digest, time);
    attributes.project = Some(project.to_string());
    attributes.origin = origin;
    let envelope = encode(&attributes, DataEncoding::Json, data.len(), [&data[..]]);
    let queue = QueueFile::open(scene.place.path("queue.db"), clock);
    let message = OutboundMessage::new(attributes, envelope);
    queue.unwrap().append(&[message], 0).unwrap();
}

fn status(scene: &Scene) -> Ran {
    shows_no_secret(scene.place.run(&["status"]))
}

fn compared(scene: &Scene) -> Value {
    let ran = scene.place.run(&["status", "--json"]);
    ran.json()[0]["platforms"][0]["changes"].clone()
}

#[test]
fn changes_of_which_nothing_came_are_a_fault_with_its_cure() {
    let scene = scene("");
    came(&scene, 1, 120, None);
    for id in 1..=40 {
        changed(&scene, 1, id, 60);
    }
    let ran = status(&scene);
    ran.failed(
        1,
        &[
            "fault: label-studio: 40 changes since ",
            "0 deliveries (project 1 \"Cars\", the last at ",
            "`labelrelay connect label-studio --probe` says why",
            "`labelrelay pull label-studio` fetches what was missed",
        ],
    );
    assert!(ran.stdout.starts_with("not ok: labelrelay.toml"), "{ran:?}");
    assert!(ran.stdout.contains("  queue       sqlite:"), "{ran:?}");
    let told = scene.place.run(&["status", "--json"]);
    let said = &told.json()[0];
    assert_eq!((told.code, &said["ok"]), (1, &false.into()), "{told:?}");
    let words = said["error"].as_str().unwrap();
    assert!(words.contains("40 changes since"), "{words}");
    let changes = &said["platforms"][0]["changes"];
    assert_eq!(changes["missing"], 40, "{changes}");
    assert_eq!(changes["deliveries"], 1, "{changes}");

    // Without a webhook, that is why.
    scene.label_studio.state().webhooks.clear();
    status(&scene).failed(
        1,
        &["no webhook sends them: `labelrelay connect label-studio --repair` makes it"],
    );

    // A delivery after the last change may have brought it.
    came(&scene, 1, 30, None);
    let ran = status(&scene);
    let line = "  changes     no change is missing since ";
    assert!(ran.good().contains(line), "{ran:?}");
    assert!(
        ran.stdout
            .contains("deliveries: 2; projects compared: 1 of 2; tasks: 40, annotations: 0"),
        "{ran:?}"
    );
}

#[test]
fn a_project_that_is_silent_beside_one_that_is_not_is_found() {
    let scene = scene("");
    came(&scene, 2, 120, None);
    came(&scene, 1, 30, None);
    changed(&scene, 1, 1, 60);
    changed(&scene, 2, 2, 60);
    let ran = status(&scene);
    ran.failed(
        1,
        &[
            "fault: label-studio: 1 change since ",
            "(project 2 \"Boats\"",
        ],
    );
    assert!(!ran.stderr.contains("Cars"), "{ran:?}");
}

#[test]
fn changes_under_way_or_before_the_queue_are_not_missed() {
    let scene = scene("");
    came(&scene, 1, 120, None);
    changed(&scene, 1, 1, 0);
    changed(&scene, 1, 2, 121);
    changed(&scene, 2, 3, 100_000);
    status(&scene).good();
    assert_eq!(compared(&scene)["missing"], 0);
    changed(&scene, 1, 4, 119);
    status(&scene).failed(1, &["1 change since"]);
}

#[test]
fn pruned_events_are_not_taken_for_missing() {
    let scene = scene("");
    came(&scene, 1, 120, None);
    changed(&scene, 1, 1, 60);
    status(&scene).failed(1, &["1 change since"]);
    // This brought it, and is done with.
    came(&scene, 1, 59, None);
    let taken = scene
        .place
        .run(&["queue", "receive", "--max", "10", "--json"]);
    taken.good();
    let taken = taken.json();
    let receipts = taken.iter().map(|one| one["receipt"].as_str().unwrap());
    let words: Vec<_> = ["queue", "ack"].into_iter().chain(receipts).collect();
    assert_eq!(words.len(), 4, "{taken:?}");
    scene.place.run(&words).good();
    scene.place.run(&["queue", "prune"]).good();
    status(&scene).good();
    assert_eq!(compared(&scene)["missing"], 0);
}

#[test]
fn only_changes_after_a_pull_are_missing() {
    let scene = scene("");
    came(&scene, 2, 1000, None);
    changed(&scene, 1, 1, 500);
    status(&scene).failed(1, &["1 change since", "0 deliveries"]);
    came(&scene, 1, 400, Some(Origin::Reconcile));
    status(&scene).good();
    changed(&scene, 1, 2, 100);
    status(&scene).failed(1, &["1 change since", "0 deliveries"]);
}

/// A webhook that Label Studio silently drops, or one for some projects only: nothing is missing while a pull brings it.
#[test]
fn beside_a_webhook_a_pull_brings_events_as_well() {
    let pull = "[source.pull]\nevery = \"1h\"\nurl = \"URL\"\ntoken = \"env:LABEL_STUDIO_API_KEY\"\nprojects = [1]\n";
    let scene = scene(pull);
    scene.place.logged(&["looked through the platform"]);
    came(&scene, 1, 1000, None);
    changed(&scene, 1, 1, 500);
    came(&scene, 1, 400, Some(Origin::Reconcile));
    status(&scene).good();
    // Nobody pulls the other one, and no webhook tells of it.
    scene.label_studio.state().webhooks.clear();
    changed(&scene, 2, 2, 500);
    status(&scene).good();
}

#[test]
fn all_may_come_by_pulling_where_nothing_is_pushed() {
    let pull =
        "[source.pull]\nevery = \"1h\"\nurl = \"URL\"\ntoken = \"env:LABEL_STUDIO_API_KEY\"\n";
    let scene = scene(pull);
    scene.label_studio.state().webhooks.clear();
    // The next pull is an hour away.
    scene.place.logged(&["looked through the platform"]);
    came(&scene, 2, 1000, None);
    changed(&scene, 1, 1, 500);
    status(&scene).failed(
        1,
        &[
            "1 change since",
            "0 events",
            "`serve` pulls, and brings none",
        ],
    );
    came(&scene, 1, 400, Some(Origin::Reconcile));
    status(&scene).good();
    // The next pull brings it.
    changed(&scene, 1, 2, 100);
    status(&scene).good();
}

#[test]
fn a_source_that_leaves_events_out_is_not_compared() {
    let scene = scene("exclude = [\"io.labelstud.annotation.*\"]\n");
    came(&scene, 1, 120, None);
    changed(&scene, 1, 1, 60);
    status(&scene).good();
    assert_eq!(compared(&scene), Value::Null);
}

#[test]
fn many_projects_are_asked_for_in_few_requests() {
    let scene = scene("");
    came(&scene, 3, 120, None);
    {
        let mut state = scene.label_studio.state();
        state.projects = (1..=1000).map(|id| (id, format!("P{id}"))).collect();
    }
    for project in 1..=1000 {
        changed(&scene, project, project, 100_000);
    }
    changed(&scene, 3, 2000, 60);
    scene.label_studio.state().requests = 0;
    // The one of which something came lately is among those that are asked.
    status(&scene).failed(1, &["(project 3 \"P3\""]);
    let requests = scene.label_studio.state().requests;
    assert!(requests <= 30, "{requests}");
    let changes = compared(&scene);
    assert_eq!(
        (&changes["asked"], &changes["projects"]),
        (&20.into(), &1000.into())
    );
}

#[test]
fn without_a_token_it_says_how_it_could_ask() {
    let place = configured();
    let ran = place.run(&["status"]);
    let line =
        "  platform    label-studio: not asked; set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY";
    assert!(ran.good().contains(line), "{ran:?}");
    let told = &place.run(&["status", "--json"]).json()[0];
    assert_eq!(told["not_asked"][0]["source"], "label-studio");
}

#[test]
fn a_clock_that_is_off_is_told_of_and_misses_nothing() {
    let scene = scene("");
    came(&scene, 1, 60, None);
    let date = |ahead: i64| {
        let time = Timestamp::now() + SignedDuration::from_mins(ahead);
        let date = time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        scene.label_studio.state().date = Some(date);
    };
    date(2);
    assert!(!status(&scene).stderr.contains("clock"));
    date(60);
    // By its own clock, long before what came.
    changed(&scene, 1, 1, 90);
    status(&scene).failed(
        0,
        &[
            "the clock of this machine is 1 h ",
            "behind that of Label Studio",
            "NTP",
        ],
    );
    date(-60);
    status(&scene).failed(1, &["ahead of that of Label Studio", "1 change since"]);
}

/// Tasks move without a webhook: a bulk action moves them all, and hides which of them somebody changed.
#[test]
fn tasks_that_moved_by_themselves_hide_no_change() {
    let scene = scene("");
    came(&scene, 1, 120, None);
    let moved = |id: u64| {
        let (time, old) = (rfc3339(ago(30)), rfc3339(ago(100_000)));
        json!({"id": id, "created_at": old, "updated_at": time, "annotations": []})
    };
    let tasks = (1..=50).map(|id| (1, moved(id)));
    scene.label_studio.state().tasks.extend(tasks);
    // All of them were looked at.
    status(&scene).good();
    assert_eq!(compared(&scene)["unclear_projects"], Value::Null);
    // Behind them, where nobody looks.
    changed(&scene, 1, 51, 60);
    let ran = status(&scene);
    let line = "  changes     no change was found to be missing since ";
    assert!(ran.good().contains(line), "{ran:?}");
    assert!(
        ran.stdout.contains(
            "; projects of which it is not known: 1; deliveries: 1; projects compared: 0 of 2"
        ),
        "{ran:?}"
    );
    assert_eq!(compared(&scene)["unclear_projects"], json!([1]));
}

/// A place whose queue nobody can look into.
fn elsewhere(label_studio: &StandIn, more: &str) -> Place {
    let place = patient()
        .with("LABEL_STUDIO_API_KEY", TOKEN)
        .with("LABEL_STUDIO_URL", &label_studio.url)
        .with("LABELRELAY_PUBLIC_URL", "https://relay.example.org");
    let text = place.read("labelrelay.toml");
    let text = text.replace("sqlite:queue.db", "stdout:") + &more.replace("URL", &label_studio.url);
    place.write("labelrelay.toml", text);
    let url = "https://relay.example.org/label-studio";
    for (id, project) in [(11, 1), (12, 2)] {
        let made = webhook(id, project, url, SECRET);
        label_studio.state().webhooks.push(made);
    }
    place
}

/// An annotation and its task, with times so long ago.
fn add(label_studio: &StandIn, project: u64, id: u64, minutes: i64) -> Value {
    let (time, old) = (rfc3339(ago(minutes)), rfc3339(ago(100_000)));
    let annotation =
        json!({"id": id, "task": id, "project": project, "created_at": old, "updated_at": time});
    let task = json!({
        "id": id, "created_at": old, "updated_at": time, "annotations": [annotation],
    });
    label_studio.state().tasks.push((project, task));
    annotation
}

fn set_date(label_studio: &StandIn, minutes: i64) {
    let date = ago(minutes)
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string();
    label_studio.state().date = Some(date);
}

fn changes(place: &Place) -> Value {
    let ran = shows_no_secret(place.run(&["status", "--json"]));
    ran.json()[0]["platforms"][0]["changes"].clone()
}

#[test]
fn beside_another_queue_the_ledger_of_serve_tells_what_came() {
    let label_studio = StandIn::start();
    let pull =
        "[source.pull]\nevery = \"1h\"\nurl = \"URL\"\ntoken = \"env:LABEL_STUDIO_API_KEY\"\n";
    let place = elsewhere(&label_studio, pull);
    add(&label_studio, 1, 1, 700);
    let ran = place.run(&["status"]);
    let told = "the ledger of `serve` is not there (";
    assert!(ran.good().contains(told), "{ran:?}");
    set_date(&label_studio, 600);
    let serving = place.serve(&[]);
    place.logged(&["looked through the platform"]);
    set_date(&label_studio, 0);
    let seen = changes(&place);
    assert_eq!(
        (&seen["missing"], &seen["asked"]),
        (&0.into(), &1.into()),
        "{seen}"
    );
    assert_eq!(seen["deliveries"], Value::Null, "nobody counts them");

    let annotation = add(&label_studio, 1, 2, 300);
    let ran = shows_no_secret(place.run(&["status"]));
    ran.failed(
        1,
        &[
            "fault: label-studio: 1 change since ",
            "0 events (project 1 \"Cars\"",
            "`serve` pulls, and brings none of them",
        ],
    );
    // A delivery brings it, and `serve` notes that.
    let body = json!({
        "action": "ANNOTATION_UPDATED", "annotation": annotation,
        "project": {"id": 1}, "task": {"id": 2},
    });
    place.write("body.json", body.to_string());
    let url = serving.url("label-studio");
    place
        .run(&[
            "send",
            "--provider",
            "label-studio",
            "--file",
            "body.json",
            "--to",
            &url,
        ])
        .good();
    until("it is noted", || changes(&place)["missing"] == 0);
    place.run(&["status"]).good();
    // Looking has written nothing, and kept nobody from the ledger.
    add(&label_studio, 2, 3, 290);
    until("the other project is told of", || {
        changes(&place)["missing"] == 1
    });
    assert_eq!(serving.stop(), 0);
}

#[test]
fn beside_another_queue_the_ledger_of_a_pull_tells_what_it_has_not_seen() {
    let label_studio = StandIn::start();
    let place = elsewhere(&label_studio, "").with("LABELRELAY_BLOB_STORE", "file:blobs");
    for id in 1..=3 {
        add(&label_studio, 1, id, 700);
    }
    let told = changes(&place);
    assert_eq!(
        (&told["missing"], &told["uncertain"]),
        (&Value::Null, &3.into()),
        "{told}"
    );
    set_date(&label_studio, 600);
    let pulled = place.run(&["pull", "label-studio"]);
    pulled.good();
    set_date(&label_studio, 0);
    let ran = place.run(&["status"]);
    assert!(
        ran.good().contains("  changes     no change since "),
        "{ran:?}"
    );
    add(&label_studio, 1, 4, 300);
    let ran = place.run(&["status"]);
    let line = "  changes     1 change since ";
    assert!(ran.good().contains(line), "{ran:?}");
    assert!(
        ran.stdout.contains(
            "whether events of them came is not known: `labelrelay pull` has not seen them yet"
        ),
        "{ran:?}"
    );
}

#[test]
fn beside_another_queue_without_a_ledger_it_says_that_nobody_knows() {
    let label_studio = StandIn::start();
    let place = elsewhere(&label_studio, "");
    for id in 1..=40 {
        add(&label_studio, 1, id, 60);
    }
    let ran = place.run(&["status"]);
    let line = "  changes     40 changes since ";
    assert!(ran.good().contains(line), "{ran:?}");
    assert!(
        ran.stdout
            .contains("whether events of them came is not known: nobody can look into this queue"),
        "{ran:?}"
    );
    assert!(!ran.stdout.contains("deliveries:"), "{ran:?}");
}
