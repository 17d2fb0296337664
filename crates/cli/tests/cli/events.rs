//! `events`: one filter language, and what is tried again.

use crate::queue::with_events;
use crate::support::{CONFIG, Place, patient};
use serde_json::Value;

/// Numbers of the events that `events list` shows with these words.
fn listed(place: &Place, words: &[&str]) -> Vec<u64> {
    let ran = place.run(&[&["events", "list", "--json"], words].concat());
    ran.good();
    let seq = |row: Value| row["seq"].as_u64().unwrap();
    ran.json().into_iter().map(seq).collect()
}

fn envelope(place: &Place, number: &str) -> Value {
    place.run(&["events", "show", number, "--json"]).json()[0]["envelope"].clone()
}

#[test]
fn one_filter_language_finds_events() {
    let (place, _serving) = with_events(&["task.created", "label.created", "annotation.created"]);
    let [task, label] = ["1", "2"].map(|number| envelope(&place, number));
    let text = |envelope: &Value, name: &str| envelope[name].as_str().unwrap().to_owned();
    let id = text(&label, "id");
    let delivery = text(&label, "deliveryid");
    let project = text(&label, "project");
    let subject = text(&task, "subject");
    let (kind, _) = subject.split_once('/').unwrap();
    for (words, numbers) in [
        (&["--type", "com.labelbox"][..], &[2][..]),
        (&["--type", "io.labelstud"], &[1, 3]),
        (&["--type", "io.labelstud.task"], &[1]),
        (&["--type", "io.labelstud.tas"], &[]),
        (&["--type", "io.labelstud.tas*"], &[1]),
        (&["--type", "io.labelstud.task.created"], &[1]),
        (&["--source", "label-studio"], &[1, 3]),
        (&["--source", "label"], &[]),
        (&["--source", "label*"], &[1, 2, 3]),
        (&["--subject", &subject], &[1]),
        (&["--subject", kind], &[1]),
        (&["--id", &id], &[2]),
        (&["--id", &id[..8]], &[2]),
        (&["--delivery", &delivery], &[2]),
        (&["--delivery", &delivery[..6]], &[2]),
        (&["--project", &project], &[2]),
        (&["--project", &project[1..]], &[]),
        (&["--since", "1h"], &[1, 2, 3]),
        (
            &["--since", "1h", "--source", "labelbox", "--id", "nothing"],
            &[],
        ),
        (&["--until", "1h"], &[]),
        (&["--pending"], &[1, 2, 3]),
        (&["--dead"], &[]),
        (&["--dead", "--pending"], &[1, 2, 3]),
    ] {
        assert_eq!(listed(&place, words), numbers, "{words:?}");
    }
    // An unset variable of a script is not everything.
    for flag in [
        "--id",
        "--type",
        "--source",
        "--subject",
        "--project",
        "--delivery",
    ] {
        let ran = place.run(&["events", "replay", flag, ""]);
        ran.failed(2, &[flag]);
    }
    let tail = place.run(&["events", "tail", "--source", "labelbox", "--json"]);
    assert_eq!(tail.json().len(), 1);
    let export = ["events", "export", "--dir", "out", "--type", "com.labelbox"];
    assert_eq!(place.run(&export).good(), "exported 1 events to out\n");
    let replay = [
        "events",
        "replay",
        "--project",
        &project,
        "--dry-run",
        "--json",
    ];
    assert_eq!(place.run(&replay).json().len(), 1);
}

#[test]
fn an_event_is_shown_by_the_beginning_of_its_id() {
    let (place, _serving) = with_events(&["task.created", "label.created"]);
    let id = envelope(&place, "2")["id"].as_str().unwrap().to_owned();
    // A beginning that is a number would be one of the list.
    let beginning = (8..id.len())
        .map(|length| &id[..length])
        .find(|beginning| beginning.parse::<u64>().is_err())
        .unwrap();
    let shown = place.run(&["events", "show", beginning, "--json"]);
    assert_eq!(shown.json()[0]["seq"], 2);
    // Again: the newest one with the id.
    place.run(&["events", "replay", "--id", beginning]).good();
    let shown = place.run(&["events", "show", beginning, "--json"]);
    assert_eq!(shown.json()[0]["seq"], 3);
    place
        .run(&["events", "show", "no-such-id"])
        .failed(1, &["no event no-such-id"]);
}

#[test]
fn the_query_for_a_clouds_log_needs_neither_queue_nor_cloud() {
    let place = Place::new();
    for (cloud, condition, about) in [
        (
            "aws",
            "| filter id like /^9f86/ or delivery_id like /^9f86/\n",
            "Logs Insights",
        ),
        (
            "google",
            "(jsonPayload.id=~\"^9f86\" OR jsonPayload.delivery_id=~\"^9f86\")\n",
            "Logs Explorer",
        ),
        (
            "azure",
            "| where tostring(line.id) startswith_cs \"9f86\" or",
            "Log Analytics",
        ),
    ] {
        let ran = place.run(&["events", "show", "9f86", "--where", cloud]);
        assert!(ran.good().contains(condition), "{ran:?}");
        assert!(ran.stderr.contains(about), "{ran:?}");
    }
    let show = |words: &[&str]| place.run(&[&["events", "show"], words].concat());
    show(&["a\nb", "--where", "aws"]).failed(2, &["control character"]);
    show(&["9f86", "--where", "aws", "--json"]).failed(2, &["--where", "--json"]);
    show(&["9f86", "--where", "moon"]).failed(2, &["aws, google, azure"]);
}

#[test]
fn following_passes_over_what_is_filtered_out() {
    let (place, serving) = with_events(&["task.created"]);
    let output = place.path("tail.out");
    let mut follow = place
        .command(&[
            "events", "tail", "--lines", "0", "--follow", "--source", "labelbox",
        ])
        .stdout(std::fs::File::create(&output).unwrap())
        .spawn()
        .unwrap();
    while std::fs::read_to_string(&output).unwrap().is_empty() {
        for (event, source) in [
            ("task.created", "label-studio"),
            ("label.created", "labelbox"),
        ] {
            let url = serving.url(source);
            place.run(&["send", "--event", event, "--to", &url]).good();
        }
    }
    follow.kill().unwrap();
    follow.wait().unwrap();
    let shown = std::fs::read_to_string(&output).unwrap();
    assert!(
        shown.lines().all(|line| line.contains("com.labelbox.")),
        "{shown}"
    );
    place
        .run(&["events", "tail", "--follow", "--dead"])
        .failed(2, &["--follow", "--dead"]);
}

/// Two dead letters in the queue, and one event in the fallback of the same configuration.
fn stuck() -> Place {
    let place = patient();
    place.write(
        "labelrelay.toml",
        format!("fallback = \"file:fallback\"\n{CONFIG}[embedded_queue]\nmax_receives = 1\n"),
    );
    let serving = place.serve(&[]);
    for (event, source) in [
        ("task.created", "label-studio"),
        ("label.created", "labelbox"),
    ] {
        let url = serving.url(source);
        place.run(&["send", "--event", event, "--to", &url]).good();
    }
    place
        .run(&["queue", "receive", "--max", "2", "--visibility", "0s"])
        .good();
    assert_eq!(listed(&place, &["--dead"]), [1, 2]);
    assert_eq!(serving.stop(), 0);
    // An object of the expected form, byte for byte, but of another event.
    let id = envelope(&place, "1")["id"].as_str().unwrap().to_owned();
    let waiting = place.run(&["events", "show", "1", "--envelope"]);
    let waiting = waiting.good().replacen(&id, "waits", 1);
    place.write("fallback/20260101T000001Z-1.json", waiting);
    place
}

#[test]
fn everything_that_is_stuck_is_tried_again() {
    let place = stuck();
    let ran = place.run(&["events", "retry"]);
    assert_eq!(ran.good(), "1 moved to the queue\nmade 2 ready again\n");
    assert_eq!(listed(&place, &["--pending"]), [1, 2, 3]);
    let again = place.run(&["events", "retry", "--json"]);
    assert_eq!(
        again.json()[0],
        serde_json::json!({"moved": 0, "requeued": 0})
    );
}

#[test]
fn dead_letters_are_chosen_and_the_fallback_stays() {
    for (words, stays) in [
        (&["2"][..], 1),
        (&["--type", "com.labelbox"], 1),
        (&["--source", "labelbox"], 1),
        (&["1"], 2),
        (&["--dead", "--subject", "task"], 2),
    ] {
        let place = stuck();
        let ran = place.run(&[&["events", "retry"], words].concat());
        assert_eq!(ran.good(), "made 1 ready again\n", "{words:?}");
        assert_eq!(listed(&place, &["--dead"]), [stays], "{words:?}");
        assert_eq!(
            std::fs::read_dir(place.path("fallback")).unwrap().count(),
            1
        );
    }
    let place = stuck();
    let id = envelope(&place, "1")["id"].as_str().unwrap().to_owned();
    let ran = place.run(&["events", "retry", "--fallback"]);
    assert_eq!(ran.good(), "1 moved to the queue\n");
    assert_eq!(listed(&place, &["--dead"]), [1, 2]);
    let ran = place.run(&["events", "retry", &id]);
    assert_eq!(ran.good(), "made 1 ready again\n");
    place
        .run(&["events", "retry", "2", "77"])
        .failed(1, &["not all of these"]);
    assert_eq!(listed(&place, &["--dead"]), [0; 0]);
    place
        .run(&["events", "retry", "--fallback", "2"])
        .failed(2, &["--fallback"]);
}

#[test]
fn beside_a_running_serve_the_fallback_is_left_to_it() {
    let place = stuck();
    let serving = place.serve(&[]);
    let ran = place.run(&["events", "retry"]);
    assert_eq!(ran.good(), "made 2 ready again\n");
    assert!(
        ran.stderr.contains("moves its fallback by itself"),
        "{ran:?}"
    );
    place
        .run(&["events", "retry", "--fallback"])
        .failed(1, &["by itself"]);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn without_a_fallback_only_who_asks_for_it_is_told() {
    let (place, _serving) = with_events(&["task.created"]);
    assert_eq!(
        place.run(&["events", "retry"]).good(),
        "made 0 ready again\n"
    );
    place
        .run(&["events", "retry", "--fallback"])
        .failed(78, &["`fallback`: none is configured"]);
}

#[test]
fn help_lists_the_filters_alone_under_their_heading() {
    let place = Place::new();
    for verb in ["list", "tail", "retry", "replay", "export"] {
        let help = place.run(&["events", verb, "--help"]);
        let filters = help.good().split("Filters:\n").nth(1).unwrap();
        let filters = filters.split("\n\n").next().unwrap();
        for flag in ["--json", "--limit", "--dir", "--to "] {
            assert!(!filters.contains(flag), "{verb}: {filters}");
        }
    }
}
