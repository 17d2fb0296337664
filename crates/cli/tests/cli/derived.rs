//! Events that `serve` derives from Label Studio's events, by bodies that a real one sent.

use crate::support::{Place, Serving, patient, until};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

/// The body of a recorded request.
fn recorded(name: &str) -> String {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/label_studio/1.23.2");
    let mut files = std::fs::read_dir(folder).unwrap();
    let file = files.find_map(|file| {
        let path = file.unwrap().path();
        let found = path.file_name()?.to_str()?.starts_with(name);
        found.then_some(path)
    });
    let request = String::from_utf8(std::fs::read(file.unwrap()).unwrap()).unwrap();
    request.split_once("\r\n\r\n").unwrap().1.to_owned()
}

fn deliver(serving: &Serving, body: &str) -> Value {
    let mut stream = TcpStream::connect(&serving.address).unwrap();
    let secret = "a-secret-of-label-studio";
    write!(
        stream,
        "POST /label-studio HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer {secret}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

fn envelopes(place: &Place) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let words = ["events", "export", "--dir"];
    place
        .run(&[&words[..], &[folder.path().to_str().unwrap()]].concat())
        .good();
    let files = std::fs::read_dir(folder.path()).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "json")
    });
    files.sort_by_key(|file| (file.as_os_str().len(), file.clone()));
    let read = |file: &PathBuf| serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    files.iter().map(read).collect()
}

/// Type and subject of what was derived, in order.
fn derived(place: &Place) -> Vec<(String, String)> {
    let mut envelopes = envelopes(place);
    envelopes.retain(|envelope| envelope["origin"] == "derived");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    envelopes
        .iter()
        .map(|envelope| {
            let name = text(&envelope["type"]);
            let short = name.strip_prefix("io.labelstud.").unwrap().to_owned();
            (short, text(&envelope["subject"]))
        })
        .collect()
}

fn last_task(place: &Place) -> Value {
    let mut envelopes = envelopes(place);
    envelopes.retain(|envelope| envelope["origin"] != "derived");
    envelopes.pop().unwrap()["task"].clone()
}

fn pairs<const N: usize>(expected: [(&str, &str); N]) -> Vec<(String, String)> {
    let own = |(name, subject): (&str, &str)| (name.to_owned(), subject.to_owned());
    expected.into_iter().map(own).collect()
}

#[test]
fn recorded_events_bring_along_what_label_studio_leaves_out() {
    let place = patient();
    let serving = place.serve(&[]);
    // Two annotations of task 1, and one of task 16.
    for name in ["031_", "037_", "041_"] {
        deliver(&serving, &recorded(name));
    }
    let completed = [("task.completed", "task/1"), ("task.completed", "task/16")];
    assert_eq!(derived(&place), pairs(completed));
    let again = deliver(&serving, &recorded("031_"));
    assert_eq!(again["outcome"], "repeat");
    assert_eq!(derived(&place).len(), 2);

    // The first of task 1 goes. It has others.
    let delete = recorded("100_");
    deliver(&serving, &delete);
    assert_eq!(last_task(&place), "1");
    // The one of task 16 goes, and another one comes.
    deliver(&serving, &delete.replacen("\"id\": 2}", "\"id\": 8}", 1));
    assert_eq!(last_task(&place), "16");
    let reopened = recorded("041_")
        .replacen("\"id\": 8,", "\"id\": 20,", 1)
        .replace("T09:47:11.", "T09:48:11.");
    deliver(&serving, &reopened);
    assert_eq!(derived(&place)[2..], pairs([completed[1]]));

    // Ten go at once, of which two were told.
    deliver(&serving, &recorded("104_"));
    assert_eq!(last_task(&place), Value::Null);
    let told = derived(&place)[3..].to_vec();
    let ids = [3, 4, 5, 6, 7, 13, 14, 16, 1, 15];
    let expected = ids.map(|id| ("annotation.deleted".to_owned(), format!("annotation/{id}")));
    assert_eq!(told, expected);

    // One more comes, and goes with its task.
    deliver(&serving, &recorded("097_"));
    deliver(&serving, &recorded("106_"));
    let last = pairs([("annotation.deleted", "annotation/17")]);
    assert_eq!(derived(&place)[13..], last);
    let envelope = envelopes(&place).pop().unwrap();
    assert_eq!(envelope["data"], json!({"id": 17, "task": 1, "project": 1}));
    assert_eq!(envelope["task"], "1");
    assert_eq!(envelope["partitionkey"], "label-studio/task/1");
    serving.stop();
}

#[test]
fn a_kill_while_it_derives_loses_and_repeats_none() {
    const MANY: usize = 3000;
    let place = patient();
    let serving = place.serve(&[]);
    let ids: Vec<_> = (1..=MANY).map(|id| json!({"id": id})).collect();
    let body = json!({"action": "ANNOTATIONS_DELETED", "annotations": ids, "project": {"id": 1}});
    deliver(&serving, &body.to_string());
    // Killed.
    drop(serving);
    std::fs::remove_file(place.path("ready")).unwrap();
    let told = || derived(&place).len();
    let serving = place.serve(&[]);
    until("all are told", || told() == MANY);
    let each: BTreeSet<_> = derived(&place).into_iter().collect();
    assert_eq!(each.len(), MANY);
    // Nothing comes after that.
    deliver(&serving, &body.to_string());
    assert_eq!(told(), MANY);
    serving.stop();
}

#[test]
fn whoever_does_not_want_it_gets_none_and_filters_hold() {
    let place = patient();
    let config = place.read("labelrelay.toml");
    let nothing = format!("{config}[embedded_queue]\nderive = false\n");
    place.write("labelrelay.toml", nothing);
    let serving = place.serve(&[]);
    deliver(&serving, &recorded("031_"));
    deliver(&serving, &recorded("100_"));
    assert_eq!(derived(&place), []);
    assert_eq!(last_task(&place), Value::Null);
    serving.stop();
    let excluded = format!("{config}exclude = [\"io.labelstud.task.completed\"]\n");
    place.write("labelrelay.toml", excluded);
    let serving = place.serve(&[]);
    deliver(&serving, &recorded("041_"));
    assert_eq!(derived(&place), []);
    deliver(
        &serving,
        &recorded("100_").replacen("\"id\": 2}", "\"id\": 8}", 1),
    );
    assert_eq!(last_task(&place), "16");
    serving.stop();
}
