//! The messages of the fixtures: every region of theirs is drawn, listed or named.

use crate::test_bench::{Data, json, page, summary};
use labelrelay_event::Event;
use labelrelay_event::changes::{Change, Record};
use labelrelay_page::{Delivery, Previous};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn messages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/changes");
    let files = std::fs::read_dir(folder).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let is_message = |path: &PathBuf| {
        let is_json = path.extension().is_some_and(|end| end == "json");
        is_json && !path.to_str().unwrap().ends_with(".changes.json")
    };
    let found: Vec<_> = files.filter(is_message).collect();
    assert!(found.len() > 100);
    found
}

fn shown(message: &[u8], previous: Option<Previous>) -> Value {
    let page = page(Data {
        delivery: Some(Delivery {
            summary: summary(1),
            message: Some(message.to_vec()),
            previous,
            ..Delivery::default()
        }),
        ..Data::default()
    });
    json(&page, "/api/deliveries/r1")
}

fn count(drawing: &Value) -> usize {
    let length = |value: &Value| value.as_array().unwrap().len();
    let pictures = drawing["pictures"].as_array().unwrap().iter();
    let axes = drawing["axes"].as_array().unwrap().iter();
    pictures.map(|one| length(&one["shapes"])).sum::<usize>()
        + axes.map(|one| length(&one["spans"])).sum::<usize>()
        + length(&drawing["spans"])
        + length(&drawing["named"])
}

#[test]
fn no_region_is_lost_without_a_word() {
    let mut regions = 0;
    for path in messages() {
        let message = std::fs::read(&path).unwrap();
        let shown = shown(&message, None);
        let changes = Event::parse(&message).and_then(|event| event.changes());
        let Ok(changes) = changes else {
            let why = &shown["drawing_words"];
            assert!(why.is_string(), "{}: {why}", path.display());
            continue;
        };
        for (number, change) in changes.iter().enumerate().take(20) {
            let drawing = &shown["drawings"][number];
            assert_eq!(drawing["left_out"], serde_json::json!([]));
            let Change::Changed(now) = change else {
                assert_eq!(drawing["gone"], true, "{}", path.display());
                continue;
            };
            if let Some(Record::Annotation(annotation)) = now.record.as_deref() {
                assert_eq!(
                    count(drawing),
                    annotation.regions.len(),
                    "{}",
                    path.display()
                );
                let answers = drawing["answers"].as_array().unwrap().len();
                assert_eq!(answers, annotation.classifications.len());
                regions += annotation.regions.len();
            }
        }
    }
    assert!(regions > 50, "{regions}");
}

#[test]
fn what_did_not_change_is_as_before() {
    for path in messages() {
        let message = std::fs::read(&path).unwrap();
        let previous = Previous {
            name: "r0".to_owned(),
            message: message.clone(),
            body: None,
        };
        let shown = shown(&message, Some(previous));
        for drawing in shown["drawings"].as_array().unwrap() {
            for picture in drawing["pictures"].as_array().unwrap() {
                for shape in picture["shapes"].as_array().unwrap() {
                    assert_eq!(shape["state"], "same", "{}: {shape}", path.display());
                }
            }
        }
    }
}
