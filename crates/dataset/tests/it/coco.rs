//! COCO: coordinates, run lengths, and what is no part of it.

use crate::media::png;
use crate::support::{Dataset, lines, rectangle, there};
use labelrelay_dataset::{Format, Options, Splits};
use serde_json::{Value, json};
use std::fs;

fn train_only() -> Options {
    let mut options = Options::of(Format::Coco);
    options.splits = Splits::percent(100, 0, 0).unwrap();
    options
}

fn written(dataset: &mut Dataset) -> (Value, Vec<Value>) {
    written_with(dataset, &train_only())
}

fn written_with(dataset: &mut Dataset, options: &Options) -> (Value, Vec<Value>) {
    let snapshot = dataset.write(options);
    let dir = dataset.dir.path().join(&snapshot.path);
    let text = fs::read_to_string(dir.join("coco/instances_train.json")).unwrap();
    let rejects = lines(&dir.join("rejects.jsonl"));
    assert_eq!(rejects.len() as u64, snapshot.counts.rejected);
    for part in ["val", "test"] {
        let text = fs::read_to_string(dir.join(format!("coco/instances_{part}.json"))).unwrap();
        let empty: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(empty["images"], json!([]));
    }
    let names = fs::read_dir(dir.join("coco")).unwrap().count();
    assert_eq!(names, 3, "nothing else is left there");
    (serde_json::from_str(&text).unwrap(), rejects)
}

#[test]
fn boxes_and_polygons_are_in_pixels() {
    let mut dataset = Dataset::new();
    let polygon = json!({
        "id": "p", "type": "polygonlabels", "original_width": 200, "original_height": 100,
        "value": {"points": [[0, 0], [50, 0], [50, 100]], "polygonlabels": ["road"]},
    });
    let result = json!([
        rectangle("upright", "car", [10.0, 20.0, 30.0, 40.0], 0.0),
        rectangle("turned", "car", [50.0, 50.0, 10.0, 10.0], 90.0),
        polygon,
    ]);
    dataset.fold(&[there(1, 7, 10, &result)]);
    let (coco, rejects) = written(&mut dataset);
    assert_eq!(rejects, [Value::Null; 0]);
    let image = &coco["images"][0];
    assert_eq!(
        (
            &image["id"],
            &image["file_name"],
            &image["width"],
            &image["height"]
        ),
        (
            &json!(1),
            &json!("s3://cars/7.jpg"),
            &json!(200),
            &json!(100)
        )
    );
    let names: Vec<_> = coco["categories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (&it["id"], &it["name"]))
        .collect();
    assert_eq!(
        names,
        [(&json!(1), &json!("car")), (&json!(2), &json!("road"))]
    );
    let annotations = coco["annotations"].as_array().unwrap();
    let number = |value: &Value| value.as_f64().unwrap();
    let near = |value: &Value, expected: &[f64]| {
        let found: Vec<f64> = value.as_array().unwrap().iter().map(number).collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
        }
    };
    near(&annotations[0]["bbox"], &[20.0, 20.0, 60.0, 40.0]);
    // Turned about its top left at (100, 50): 20 wide, 10 high.
    near(&annotations[1]["bbox"], &[90.0, 50.0, 10.0, 20.0]);
    near(
        &annotations[1]["segmentation"][0],
        &[100.0, 50.0, 100.0, 70.0, 90.0, 70.0, 90.0, 50.0],
    );
    near(
        &annotations[2]["segmentation"][0],
        &[0.0, 0.0, 100.0, 0.0, 100.0, 100.0],
    );
    assert!((number(&annotations[2]["area"]) - 5000.0).abs() < 1e-9);
    assert_eq!(annotations[2]["category_id"], 2);
    let ids: Vec<_> = annotations
        .iter()
        .map(|it| it["id"].as_u64().unwrap())
        .collect();
    assert_eq!(ids, [1, 2, 3]);
}

/// Red if something is left out in silence.
#[test]
fn things_that_coco_cannot_express_are_named_with_the_reason() {
    let mut dataset = Dataset::new();
    let region = |id: &str, kind: &str, value: Value| json!({"id": id, "type": kind, "original_width": 200, "original_height": 100, "value": value});
    let result = json!([
        region("ellipse", "ellipselabels", json!({"x": 50, "y": 50, "radiusX": 5, "radiusY": 5, "rotation": 0, "ellipselabels": ["car"]})),
        region("two points", "polygonlabels", json!({"points": [[0, 0], [1, 1]], "polygonlabels": ["car"]})),
        json!({"id": "flat", "type": "polygonlabels", "original_width": 1920, "original_height": 1080,
            // Twice its area is 0.00000000006 of a pixel, as it is summed up.
            "value": {"points": [[85.1, 65.05], [16.94, 65.05], [12.72, 65.05]], "polygonlabels": ["car"]}}),
        region("crosses itself", "polygonlabels", json!({"points": [[0, 0], [20, 20], [20, 0], [0, 20]], "polygonlabels": ["car"]})),
        region("unnamed", "rectangle", json!({"x": 1, "y": 1, "width": 1, "height": 1, "rotation": 0})),
        region("damaged", "brushlabels", json!({"format": "rle", "rle": [0, 0, 0, 9, 1], "brushlabels": ["car"]})),
        region("text", "labels", json!({"start": 0, "end": 3, "text": "abc", "labels": ["car"]})),
        {"id": "no size", "type": "rectanglelabels", "value": {"x": 1, "y": 1, "width": 1, "height": 1, "rotation": 0, "rectanglelabels": ["car"]}},
        rectangle("good", "car", [10.0, 20.0, 30.0, 40.0], 0.0),
    ]);
    dataset.fold(&[there(1, 7, 10, &result)]);
    let (coco, rejects) = written(&mut dataset);
    let named: Vec<_> = rejects
        .iter()
        .map(|it| it["region"].as_str().unwrap())
        .collect();
    let expected = [
        "ellipse",
        "two points",
        "flat",
        "unnamed",
        "damaged",
        "text",
    ];
    assert_eq!(named, expected);
    assert!(
        rejects
            .iter()
            .all(|it| it["annotation"] == "1" && it["task"] == "7")
    );
    assert!(
        rejects
            .iter()
            .all(|it| !it["reason"].as_str().unwrap().is_empty())
    );
    // Another region says the size of the image.
    assert_eq!(coco["annotations"].as_array().unwrap().len(), 3);
}

/// Red if an image is learned as one with nothing on it because nothing on it could be expressed, or if one on which there is
/// nothing goes.
#[test]
fn an_image_whose_regions_were_all_rejected_is_left_out() {
    let mut dataset = Dataset::new();
    let beyond = json!([{
        "id": "text", "type": "labels", "value": {"start": 0, "end": 3, "text": "abc", "labels": ["car"]},
        "original_width": 200, "original_height": 100,
    }, rectangle("flat", "car", [10.0, 20.0, 30.0, 0.0], 0.0)]);
    let good = json!([rectangle("good", "car", [10.0, 20.0, 30.0, 40.0], 0.0)]);
    dataset.fold(&[
        there(1, 7, 10, &beyond),
        there(2, 8, 10, &json!([])),
        there(3, 9, 10, &good),
    ]);
    let copies = tempfile::tempdir().unwrap();
    png(&copies.path().join("8.jpg"), 200, 100);
    let mut options = train_only();
    options.media = vec![
        format!("s3://cars={}", copies.path().display())
            .parse()
            .unwrap(),
    ];
    let (coco, rejects) = written_with(&mut dataset, &options);
    let images = coco["images"].as_array().unwrap();
    let tasks: Vec<_> = images.iter().map(|it| (&it["id"], &it["task"])).collect();
    assert_eq!(tasks, [(&json!(1), &json!("8")), (&json!(2), &json!("9"))]);
    let annotations = coco["annotations"].as_array().unwrap();
    let of: Vec<_> = annotations
        .iter()
        .map(|it| (&it["id"], &it["image_id"]))
        .collect();
    assert_eq!(of, [(&json!(1), &json!(2))]);
    let reasons: Vec<_> = rejects.iter().map(|it| &it["reason"]).collect();
    assert_eq!(reasons, ["COCO has no such region", "it has no area"]);
}

/// Red if one format turns a box of negative size round, and another does not.
#[test]
fn a_box_of_negative_size_goes_to_the_other_side() {
    let mut dataset = Dataset::new();
    let result = json!([rectangle("r", "car", [40.0, 60.0, -30.0, -40.0], 0.0)]);
    dataset.fold(&[there(1, 7, 10, &result)]);
    let (coco, rejects) = written(&mut dataset);
    assert_eq!(rejects, [Value::Null; 0]);
    assert_eq!(
        coco["annotations"][0]["bbox"],
        json!([20.0, 20.0, 60.0, 40.0])
    );
}
