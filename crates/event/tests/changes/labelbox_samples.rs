//! Samples that Labelbox's documents and SDK print, of every kind of annotation, become what they are. The Python package's
//! tests say the same of them.

use crate::control_tags::kind_of;
use crate::fixtures::folder;
use labelrelay_event::changes::{Annotation, Change, Record, Shape};
use labelrelay_event::{Attributes, Digest, Event, EventType};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Kinds of the regions in each sample that has some. The others are answers, and choices between messages.
const KINDS: [(&str, &str); 30] = [
    ("docs_image_bounding_box", "box"),
    ("docs_image_polygon", "polygon"),
    ("docs_image_polyline", "line"),
    ("docs_dicom_polyline", "line"),
    ("docs_text_entity", "span"),
    ("docs_text_entity_2023", "span"),
    ("docs_v1_text_entity", "span"),
    ("docs_conversational_text_entity", "other"),
    ("docs_v1_conversational_text_entity", "other"),
    ("docs_document_bounding_box", "other"),
    ("docs_v1_geospatial_point", "other"),
    ("docs_v1_geospatial_rectangle", "other"),
    ("docs_v1_tiled_box", "box"),
    ("docs_v1_video_bounding_box", "box"),
    ("docs_v1_video_point", "keypoint"),
    ("docs_v1_dicom_frame", "other"),
    ("notebook_composite_mask", "other"),
    ("sdk_audio", ""),
    ("sdk_conversation", "other"),
    ("sdk_dicom", "other"),
    ("sdk_document", "other other"),
    ("sdk_image", "polygon box line"),
    ("sdk_label_of_video", "track"),
    ("sdk_text", "span"),
    ("v1_highly_nested_image", "polygon mask keypoint"),
    (
        "v1_image",
        "box box box box mask polygon polygon keypoint line line",
    ),
    ("v1_pdf", "other other"),
    ("v1_text", "span span span span"),
    ("v1_tiled_image", "polygon keypoint line box"),
    ("v1_video", "other"),
];

/// A sample, as it stands in a label: the whole of a label's annotations, or one object or answer of them.
fn annotations(name: &str) -> Value {
    let path = folder().join(format!("labelbox/annotations/{name}.json"));
    let sample: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    if name.starts_with("v1_") {
        return sample.as_array().unwrap().last().unwrap()["Label"].clone();
    }
    let held = sample.get("annotations").cloned().unwrap_or(sample);
    if !name.starts_with("docs_") && !name.starts_with("notebook_") {
        return held;
    }
    let mut members = held.as_object().unwrap().keys();
    let is_answer = members.any(|member| member.contains("answer"));
    let list = if is_answer {
        "classifications"
    } else {
        "objects"
    };
    json!({ list: [held] })
}

/// The record of a label that holds the sample: a flat one of v1, or one in a row.
fn read(name: &str) -> Annotation<'static> {
    let annotations = annotations(name);
    let body = if name.starts_with("v1_") {
        json!({ "id": "l1", "label": annotations.to_string() })
    } else {
        json!({
            "data_row": { "id": "r1" },
            "projects": { "p1": { "labels": [{ "id": "l1", "annotations": annotations }] } },
        })
    };
    let body = body.to_string().into_bytes();
    let event_type = EventType::from_static("com.labelbox.label.created");
    let received = "2026-11-20T08:00:00Z";
    let attributes = Attributes::new("e1", "/lb", &event_type, &Digest::of(&body), received);
    let mut all = Event::of(attributes, body).changes().unwrap();
    let Some(Change::Changed(changed)) = all.pop() else {
        panic!("{name}: a label")
    };
    assert!(all.is_empty(), "{name}");
    match changed.record.map(|record| *record) {
        Some(Record::Annotation(annotation)) => annotation,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn a_sample_becomes_what_it_is() {
    let kinds = BTreeMap::from(KINDS);
    let mut samples = 0;
    for entry in std::fs::read_dir(folder().join("labelbox/annotations")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "json") {
            continue;
        }
        samples += 1;
        let name = path.file_stem().unwrap().to_str().unwrap();
        let annotation = read(name);
        let regions = annotation.regions.iter();
        let found: Vec<_> = regions.map(|region| kind_of(&region.shape)).collect();
        match kinds.get(name) {
            Some(expected) => assert_eq!(found.join(" "), *expected, "{name}"),
            None => assert!(found.iter().all(|kind| *kind == "other"), "{name}"),
        }
        for answer in &annotation.classifications {
            let is_answered = answer.name.is_some() && !answer.values.is_empty();
            assert!(is_answered, "{name}: no sample has a question alone");
        }
    }
    assert!(samples > kinds.len());
}

#[test]
fn it_is_where_it_was_drawn() {
    for (name, place) in [
        ("docs_text_entity", (10, 21, "um dolor si")),
        ("sdk_text", (112, 129, "research suggests")),
    ] {
        let annotation = read(name);
        let Shape::Span(span) = &annotation.regions[0].shape else {
            panic!("{name}: a span")
        };
        let (start, end) = (span.start.unwrap(), span.end.unwrap());
        assert_eq!((start, end, span.text.as_deref().unwrap()), place);
        assert_eq!(span.verified, None);
    }
    let annotation = read("docs_image_bounding_box");
    let Shape::Box(drawn) = &annotation.regions[0].shape else {
        panic!("a box")
    };
    let pixels = drawn.pixels.unwrap();
    let found = [pixels.x, pixels.y, pixels.width, pixels.height].map(|one| one.to_string());
    assert_eq!(found, ["2096", "1264", "144", "425"]);
    let annotation = read("sdk_label_of_video");
    let Shape::Track(track) = &annotation.regions[0].shape else {
        panic!("a track")
    };
    let numbers: Vec<_> = track.frames.iter().map(|frame| frame.number).collect();
    assert_eq!(numbers, [13, 18, 19].map(Some));
}
