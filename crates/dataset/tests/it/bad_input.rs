//! What no platform should say, or says seldom: each is a reject that is counted, and the rest stays.

use crate::support::{Dataset, annotation, event, lines, rectangle, table, there};
use labelrelay_dataset::{Format, Options, Snapshot, Splits, YoloTask};
use labelrelay_event::{Digest, ErrorKind, Event};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;

/// A snapshot of COCO and YOLO, whose tasks are all for training.
fn written(dataset: &mut Dataset) -> Snapshot {
    let mut options = Options::of(Format::Coco);
    options.formats.push(Format::Yolo(YoloTask::Detect));
    options.splits = Splits::percent(100, 0, 0).unwrap();
    dataset.write(&options)
}

/// Reasons of the rejects, by format and region.
fn reasons(dataset: &Dataset, snapshot: &Snapshot) -> BTreeMap<(String, String), String> {
    let rejects = lines(
        &dataset
            .dir
            .path()
            .join(&snapshot.path)
            .join("rejects.jsonl"),
    );
    assert_eq!(rejects.len() as u64, snapshot.counts.rejected);
    let text = |reject: &Value, name: &str| reject[name].as_str().unwrap().to_owned();
    let all = rejects.iter().map(|it| {
        let of = (text(it, "format"), text(it, "region"));
        (of, text(it, "reason"))
    });
    all.collect()
}

fn boxes(dataset: &Dataset, snapshot: &Snapshot) -> Vec<Value> {
    let path = dataset.dir.path().join(&snapshot.path);
    let text = fs::read_to_string(path.join("coco/instances_train.json")).unwrap();
    let coco: Value = serde_json::from_str(&text).unwrap();
    let found = coco["annotations"].as_array().unwrap().iter();
    found.map(|it| it["bbox"].clone()).collect()
}

/// Red if a coordinate that is no number, or none that can be drawn, is written or ends the snapshot; if an area is written
/// that JSON has no number for; or if COCO loses a box that reaches beyond its image.
#[test]
fn coordinates_that_are_none_are_rejected_and_counted() {
    let mut said = rectangle("said", "car", [1.0, 1.0, 5.0, 5.0], 0.0);
    said["value"]["x"] = json!("NaN");
    let mut missing = rectangle("missing", "car", [1.0, 1.0, 5.0, 5.0], 0.0);
    missing["value"]["width"] = Value::Null;
    let result = json!([
        rectangle("good", "car", [10.0, 10.0, 20.0, 20.0], 0.0),
        // In pixels, it is more than a double holds.
        rectangle("endless", "car", [1.7e308, 10.0, 20.0, 20.0], 0.0),
        // Its sides are numbers, and their product is none.
        rectangle("vast", "car", [0.0, 0.0, 1e200, 1e200], 0.0),
        said,
        missing,
        rectangle("beyond", "car", [90.0, 10.0, 20.0, 20.0], 0.0),
    ]);
    let mut dataset = Dataset::new();
    dataset.fold(&[there(1, 7, 10, &result)]);
    let snapshot = written(&mut dataset);
    let reasons = reasons(&dataset, &snapshot);
    let rejected = |format: &str| {
        let of_format = reasons.keys().filter(|(name, _)| name == format);
        of_format
            .map(|(_, region)| region.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(rejected("coco"), ["endless", "missing", "said", "vast"]);
    assert_eq!(
        rejected("yolo"),
        ["beyond", "endless", "missing", "said", "vast"]
    );
    assert!(
        reasons.values().all(|reason| !reason.is_empty()),
        "{reasons:?}"
    );
    let expected = [
        json!([20.0, 10.0, 40.0, 20.0]),
        json!([180.0, 10.0, 40.0, 20.0]),
    ];
    assert_eq!(boxes(&dataset, &snapshot), expected);
}

/// Red if an event with a bare NaN, which Python writes and which is no JSON, is lost without being counted; if it takes
/// another one of its batch with it; or if it changes anything.
#[test]
fn a_bare_nan_makes_an_event_that_is_counted_as_unreadable() {
    let result = |x: f64| json!([rectangle("r", "car", [x, 10.0, 20.0, 20.0], 0.0)]);
    let (first, last) = (
        there(1, 7, 10, &result(10.0)),
        there(3, 9, 12, &result(30.0)),
    );
    let (first, last) = (
        Event::parse(first.as_bytes()).unwrap(),
        Event::parse(last.as_bytes()).unwrap(),
    );
    let body = annotation(1, 7, 11, &result(1.5)).to_string();
    let body = body.replace("\"x\":1.5", "\"x\":NaN");
    assert!(body.contains("NaN"), "{body}");
    let mut attributes = first.attributes().clone();
    attributes.id = "with NaN".to_owned();
    attributes.datasha256 = Digest::of(body.as_bytes()).to_hex();
    let odd = Event::of(attributes, body.as_bytes());

    let mut dataset = Dataset::new();
    let verdicts = dataset.store.fold([first, odd, last].map(Ok)).unwrap();
    assert!(verdicts[0].is_ok() && verdicts[2].is_ok(), "{verdicts:?}");
    let cause = verdicts[1].as_ref().unwrap_err().cause();
    assert_eq!(
        (cause.kind(), cause.event_id()),
        (ErrorKind::NotJson, Some("with NaN"))
    );
    // As `sync` does; a second time when the event comes again before it is a dead letter.
    for _ in 0..2 {
        let noted = [("with NaN", cause.reason())];
        dataset.store.note_unreadable(&noted).unwrap();
    }
    let snapshot = written(&mut dataset);
    let counts = snapshot.counts;
    assert_eq!(
        (counts.unreadable, counts.annotations, counts.rejected),
        (1, 2, 0)
    );
    let expected = [
        json!([20.0, 10.0, 40.0, 20.0]),
        json!([60.0, 10.0, 40.0, 20.0]),
    ];
    assert_eq!(boxes(&dataset, &snapshot), expected);
}

/// The run lengths of a brush that marks everything on an image of so many pixels.
fn brush(pixels: u32) -> Vec<u8> {
    let words = pixels * 4;
    let lengths = "1111".repeat(4);
    let mut bits = format!(
        "{words:032b}{:05b}{lengths}1{:02b}{:016b}{:08b}",
        7,
        0,
        words - 1,
        255
    );
    while !bits.len().is_multiple_of(8) {
        bits.push('0');
    }
    let bytes = bits.as_bytes().chunks(8);
    bytes
        .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
        .collect()
}

/// Red if run lengths of another image are written as if they were of this one.
#[test]
fn a_mask_of_another_size_is_rejected() {
    let mask = |id: &str, pixels: u32| {
        json!({
            "id": id, "type": "brushlabels", "original_width": 20, "original_height": 10, "image_rotation": 0,
            "value": {"format": "rle", "rle": brush(pixels), "brushlabels": ["car"]},
        })
    };
    let mut dataset = Dataset::new();
    let result = json!([mask("fits", 200), mask("smaller", 100), mask("larger", 400)]);
    dataset.fold(&[there(1, 7, 10, &result)]);
    let snapshot = written(&mut dataset);
    assert_eq!(boxes(&dataset, &snapshot), [json!([0.0, 0.0, 20.0, 10.0])]);
    let reasons = reasons(&dataset, &snapshot);
    for region in ["smaller", "larger"] {
        let reason = &reasons[&("coco".to_owned(), region.to_owned())];
        assert!(reason.contains("do not fit its image"), "{reason}");
    }
    assert!(!reasons.contains_key(&("coco".to_owned(), "fits".to_owned())));
}

/// Red if a label that gets another tool shifts a class, retires, or takes with it what was drawn before.
#[test]
fn a_class_of_another_type_keeps_its_number() {
    let with = |id: u32, second: u32, tool: &str, drawn: &Value| {
        let mut made = annotation(id, id, second, &json!([drawn]));
        made["project"]["label_config"] = json!(format!(
            "<View><Image name=\"image\" value=\"$image\"/><{tool} name=\"box\" toName=\"image\"><Label value=\"car\"/></{tool}></View>"
        ));
        event(crate::support::CREATED, second, &made)
    };
    let polygon = json!({
        "id": "p", "type": "polygonlabels", "from_name": "box", "to_name": "image",
        "original_width": 200, "original_height": 100,
        "value": {"points": [[0, 0], [50, 0], [50, 100]], "polygonlabels": ["car"]},
    });
    let mut dataset = Dataset::new();
    let first = rectangle("r", "car", [10.0, 10.0, 20.0, 20.0], 0.0);
    dataset.fold(&[with(1, 10, "RectangleLabels", &first)]);
    written(&mut dataset);
    dataset.fold(&[with(2, 20, "PolygonLabels", &polygon)]);
    let snapshot = written(&mut dataset);
    assert_eq!(boxes(&dataset, &snapshot).len(), 2);
    let path = dataset.dir.path().join(&snapshot.path);
    let yaml = fs::read_to_string(path.join("yolo/data.yaml")).unwrap();
    assert!(yaml.ends_with("names:\n  0: \"car\"\n"), "{yaml}");
    let tables = dataset.write(&Options::of(Format::Parquet));
    let classes = dataset.dir.path().join(tables.path);
    let classes = table(&classes.join("parquet/classes/all.parquet"));
    assert_eq!(classes.len(), 1);
    assert!(!classes[0].contains_key("retired"), "{classes:?}");
}
