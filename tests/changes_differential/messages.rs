//! Messages that readers were tried with before: the fixtures, what was drawn in a real Label Studio, and the samples of
//! Labelbox's documents.

use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Messages above this size say what smaller ones say, again and again.
const MAX_BYTES: usize = 40_000;

pub(crate) fn messages() -> Vec<Vec<u8>> {
    let changes = files("changes").into_iter();
    let changes = changes.filter(|path| !path.to_string_lossy().ends_with(".changes.json"));
    let mut messages: Vec<Vec<u8>> = changes.map(|path| read(&path)).collect();
    messages.extend(drawn());
    messages.extend(samples());
    messages.retain(|message| message.len() < MAX_BYTES);
    assert!(messages.len() > 200);
    messages
}

fn fixtures(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name)
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The JSON files of a folder, in the order of their names.
fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(fixtures(folder)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "json"));
    paths.sort();
    paths
}

fn drawn() -> impl Iterator<Item = Vec<u8>> {
    let entries = std::fs::read_dir(fixtures("label_studio/control_tags")).unwrap();
    let mut paths: Vec<_> = entries
        .map(|entry| entry.unwrap().path().join("body.json"))
        .collect();
    paths.retain(|path| path.exists());
    paths.sort();
    let annotation = "io.labelstud.annotation.created";
    paths
        .into_iter()
        .map(move |path| message(annotation, &read(&path)))
}

/// Each sample as the annotations of a label, in both versions.
fn samples() -> impl Iterator<Item = Vec<u8>> {
    files("labelbox/annotations").into_iter().flat_map(|path| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let sample: Value = serde_json::from_slice(&read(&path)).unwrap();
        let annotations = annotations(&name, sample);
        let flat = json!({ "id": "l1", "label": annotations.to_string() });
        let row = json!({
            "data_row": { "id": "r1" },
            "media_attributes": { "width": 640, "height": 480 },
            "projects": { "p1": { "labels": [{ "id": "l1", "annotations": annotations }] } },
        });
        [flat, row].map(|body| message("com.labelbox.label.created", body.to_string().as_bytes()))
    })
}

/// A sample is a label, its annotations, or one object or answer of them.
fn annotations(name: &str, sample: Value) -> Value {
    if name.starts_with("v1_") {
        return sample
            .as_array()
            .and_then(|rows| rows.last())
            .map(|row| row["Label"].clone())
            .unwrap();
    }
    let held = match sample.get("annotations") {
        Some(held) => held.clone(),
        None => sample,
    };
    if !name.starts_with("docs_") && !name.starts_with("notebook_") {
        return held;
    }
    let is_answer = held
        .as_object()
        .is_some_and(|held| held.keys().any(|key| key.contains("answer")));
    if is_answer {
        json!({ "classifications": [held] })
    } else {
        json!({ "objects": [held] })
    }
}

/// An envelope with this body, as it is.
fn message(event_type: &str, body: &[u8]) -> Vec<u8> {
    let body: &RawValue = serde_json::from_slice(body).unwrap();
    let head = json!({
        "specversion": "1.0",
        "id": "e1",
        "source": "/x",
        "type": event_type,
        "datasha256": "00",
        "receivedtime": "2026-11-20T08:00:00Z",
    });
    let head = head.to_string();
    format!("{},\"data\":{}}}", head.trim_end_matches('}'), body.get()).into_bytes()
}
