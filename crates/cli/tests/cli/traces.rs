//! A queue that nobody can look into, deliveries that leave traces, and a pull that sends what was missed.

use crate::pull_memory::{ANNOTATIONS, Platform, TOKEN};
use crate::support::{Place, Ran, Serving, patient};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};

pub(crate) const TASKS: u64 = 10;

/// Of those that the platform shows.
const WHEN: &str = "2026-11-01T00:00:00.000001Z";

fn deliver(serving: &Serving, body: &Value) {
    let body = body.to_string();
    let mut stream = std::net::TcpStream::connect(&serving.address).unwrap();
    write!(
        stream,
        "POST /label-studio HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a-secret-of-label-studio\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// A place whose queue is a pipe, and a platform with ten tasks of nine annotations each.
fn place(traces: &str) -> Place {
    let platform = Platform::of(TASKS * (1 + ANNOTATIONS));
    let place = patient()
        .with("LABEL_STUDIO_API_KEY", TOKEN)
        .with("LABEL_STUDIO_URL", &platform.url)
        .with("LABELRELAY_TRACES", traces)
        // A trace has an eighth of it. A disk may be busy for longer than the second that it has at least.
        .with("LABELRELAY_DEADLINE_MS", "60000");
    let config = place.read("labelrelay.toml");
    place.write(
        "labelrelay.toml",
        config.replace("sqlite:queue.db", "stdout:"),
    );
    place
}

/// Delivers the import and all annotations but for every fifth, whose ids these are.
pub(crate) fn deliver_most(place: &Place) -> BTreeSet<u64> {
    let serving = place.serve(&[]);
    let tasks: Vec<_> = (1..=TASKS)
        .map(|id| json!({"id": id, "project": 1, "created_at": WHEN, "updated_at": WHEN, "data": {}}))
        .collect();
    let import = json!({"action": "TASKS_CREATED", "project": {"id": 1}, "tasks": tasks});
    deliver(&serving, &import);
    let mut withheld = BTreeSet::new();
    for task in 1..=TASKS {
        for number in 1..=ANNOTATIONS {
            let id = task * 10 + number;
            if (task + number).is_multiple_of(5) {
                withheld.insert(id);
                continue;
            }
            let annotation = json!({"id": id, "task": task, "project": 1, "created_at": WHEN, "updated_at": WHEN, "result": []});
            deliver(
                &serving,
                &json!({"action": "ANNOTATION_CREATED", "annotation": annotation, "task": {"id": task}, "project": {"id": 1}}),
            );
        }
    }
    assert_eq!(serving.stop(), 0);
    withheld
}

fn pull(place: &Place) -> Ran {
    let ran = place.run(&["pull", "label-studio", "--json", "--ledger", "file:kept"]);
    ran.good();
    ran
}

/// Subjects of what was sent, each once.
fn sent(ran: &Ran) -> BTreeSet<String> {
    let events = ran.json();
    let subjects: BTreeSet<_> = events
        .iter()
        .map(|event| event["subject"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(subjects.len(), events.len(), "no thing twice");
    subjects
}

fn traces(place: &Place) -> usize {
    let entries = std::fs::read_dir(place.path("traces")).unwrap();
    let files = entries.map(|entry| entry.unwrap().path());
    files
        .filter(|file| {
            file.extension()
                .is_some_and(|extension| extension == "json")
        })
        .count()
}

#[test]
fn a_pull_sends_what_left_no_trace_and_nothing_else() {
    let place = place("file:traces");
    let withheld = deliver_most(&place);
    assert_eq!(withheld.len(), 18);
    assert_eq!(traces(&place), 1 + 72);
    let tried = place.run(&["pull", "label-studio", "--dry-run", "--ledger", "file:kept"]);
    assert!(
        tried.good().contains("18 events would be sent"),
        "{tried:?}"
    );
    assert_eq!(traces(&place), 1 + 72, "a dry run leaves them");
    let missed: BTreeSet<_> = withheld
        .iter()
        .map(|id| format!("annotation/{id}"))
        .collect();
    assert_eq!(sent(&pull(&place)), missed);
    assert_eq!(traces(&place), 0);
    assert!(sent(&pull(&place)).is_empty());
}

/// Red if a lost trace loses an event, or if a repeat has an id of its own.
#[test]
fn what_lost_its_trace_is_sent_again_with_the_same_id() {
    let place = place("file:traces");
    deliver_most(&place);
    std::fs::remove_dir_all(place.path("traces")).unwrap();
    let ran = pull(&place);
    assert_eq!(sent(&ran).len(), 100);
    let ids = |lines: &str| -> BTreeSet<String> {
        lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|event| event["type"] == "io.labelstud.annotation.created")
            .map(|event| event["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let (delivered, pulled) = (ids(&place.read("serve.out")), ids(&ran.stdout));
    assert_eq!((delivered.len(), pulled.len()), (72, 90));
    assert!(delivered.is_subset(&pulled));
}

#[test]
fn a_place_for_traces_that_is_none_ends_the_start() {
    let place = place("traces");
    for words in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["pull", "label-studio", "--ledger", "file:kept"],
    ] {
        place.run(words).failed(78, &["LABELRELAY_TRACES"]);
    }
}

/// A pull into the embedded queue looks into it.
#[test]
fn traces_that_nobody_reads_are_warned_of() {
    let traces = patient().with("LABELRELAY_TRACES", "file:traces");
    for (place, warns) in [(traces, true), (patient(), false)] {
        assert_eq!(place.serve(&[]).stop(), 0);
        assert_eq!(place.read("serve.log").contains("reads no traces"), warns);
    }
}
