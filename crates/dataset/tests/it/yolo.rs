//! YOLO: lines of numbers between 0 and 1.

use crate::support::{Dataset, lines, rectangle, there};
use labelrelay_dataset::{Format, Options, Splits, YoloTask};
use serde_json::json;
use std::fs;

fn labels(dataset: &mut Dataset, task: YoloTask) -> (String, Vec<String>) {
    let format = Format::Yolo(task);
    let mut options = Options::of(format);
    options.splits = Splits::percent(0, 100, 0).unwrap();
    let snapshot = dataset.write(&options);
    let dir = dataset.dir.path().join(snapshot.path);
    let path = dir
        .join(format.as_str())
        .join("labels/val/label-studio.1.7.txt");
    let rejects = lines(&dir.join("rejects.jsonl"));
    let reasons = rejects
        .iter()
        .map(|it| it["reason"].as_str().unwrap().to_owned());
    (fs::read_to_string(path).unwrap(), reasons.collect())
}

#[test]
fn boxes_are_centres_and_sizes_and_turned_ones_have_corners() {
    let mut dataset = Dataset::new();
    let result = json!([
        rectangle("upright", "car", [10.0, 20.0, 30.0, 40.0], 0.0),
        rectangle("turned", "bus", [50.0, 50.0, 10.0, 10.0], 90.0),
    ]);
    dataset.fold(&[there(1, 7, 10, &result)]);
    let (detect, reasons) = labels(&mut dataset, YoloTask::Detect);
    assert_eq!(detect, "0 0.25 0.4 0.3 0.4\n");
    assert_eq!(reasons, ["it is turned: yolo-obb has turned boxes"]);
    let (oriented, reasons) = labels(&mut dataset, YoloTask::Oriented);
    assert_eq!(reasons, [""; 0]);
    let numbers: Vec<Vec<f64>> = oriented
        .lines()
        .map(|line| line.split(' ').map(|it| it.parse().unwrap()).collect())
        .collect();
    let expected = [
        [0.0, 0.1, 0.2, 0.4, 0.2, 0.4, 0.6, 0.1, 0.6],
        [1.0, 0.5, 0.5, 0.5, 0.7, 0.45, 0.7, 0.45, 0.5],
    ];
    for (found, expected) in numbers.iter().zip(expected) {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{oriented}");
        }
    }
    let (segments, _) = labels(&mut dataset, YoloTask::Segment);
    assert_eq!(segments.lines().count(), 2);
}

#[test]
fn regions_beyond_the_image_are_rejected() {
    let mut dataset = Dataset::new();
    let result = json!([
        rectangle("edge beyond", "car", [80.0, 20.0, 30.0, 40.0], 0.0),
        rectangle("to the edge", "car", [70.0, 60.0, 30.0, 40.0], 0.0),
    ]);
    dataset.fold(&[there(1, 7, 10, &result)]);
    let (detect, reasons) = labels(&mut dataset, YoloTask::Detect);
    assert_eq!(detect.lines().count(), 1);
    assert_eq!(reasons, ["it reaches beyond its image"]);
}

/// Red if a detector gets a box without an area, on which it stops; or if a box of negative size is rejected here, and turned
/// round in another format.
#[test]
fn boxes_have_an_area_and_no_sign() {
    let mut dataset = Dataset::new();
    let result = json!([
        rectangle("no width", "car", [10.0, 20.0, 0.0, 40.0], 0.0),
        rectangle("no height", "car", [10.0, 20.0, 30.0, 0.0], 30.0),
        rectangle("to the left and up", "car", [40.0, 60.0, -30.0, -40.0], 0.0),
    ]);
    dataset.fold(&[there(1, 7, 10, &result)]);
    let (detect, reasons) = labels(&mut dataset, YoloTask::Detect);
    assert_eq!(detect, "0 0.25 0.4 0.3 0.4\n");
    let turned = "it is turned: yolo-obb has turned boxes";
    assert_eq!(reasons, ["it has no area", turned]);
    for task in [YoloTask::Oriented, YoloTask::Segment] {
        let (corners, reasons) = labels(&mut dataset, task);
        assert_eq!(corners.lines().count(), 1, "{corners}");
        assert_eq!(reasons, ["it has no area"; 2]);
    }
}
