//! Numbers of classes never move.

use crate::support::{Dataset, rectangle, there};
use labelrelay_dataset::{Format, Options, YoloTask};
use serde_json::json;
use std::fs;

/// Red if numbers follow the alphabet, or the labels that are in use.
#[test]
fn a_class_that_comes_or_goes_shifts_no_other() {
    let mut dataset = Dataset::new();
    let mut options = Options::of(Format::Yolo(YoloTask::Detect));
    options.keep = 100;
    let mut seen: Vec<String> = Vec::new();
    for round in 0..20_u32 {
        // Another class each time, in no order of the alphabet, and the one before is used no more.
        let label = format!("class {}", (round * 7) % 20);
        let result = json!([rectangle("r", &label, [10.0, 10.0, 20.0, 20.0], 0.0)]);
        dataset.fold(&[there(1, 7, round + 1, &result)]);
        seen.push(label);
        let snapshot = dataset.write(&options);
        let yaml = dataset
            .dir
            .path()
            .join(snapshot.path)
            .join("yolo/data.yaml");
        let text = fs::read_to_string(yaml).unwrap();
        let names = text.split("names:\n").nth(1).unwrap();
        let expected = seen.iter().enumerate();
        let expected: Vec<String> = expected
            .map(|(number, name)| format!("  {number}: \"{name}\""))
            .collect();
        assert_eq!(names.lines().collect::<Vec<_>>(), expected);
        assert_eq!(snapshot.number, u64::from(round) + 1);
    }
}
