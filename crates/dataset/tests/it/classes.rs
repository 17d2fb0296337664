//! Numbers of classes never move.

use crate::support::{Dataset, annotation, event, rectangle, table, there};
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

/// Red if a class stays that no configuration has any more, if it goes while another project has it, or if the order of
/// events has a say.
#[test]
fn a_class_retires_when_no_configuration_has_it_any_more() {
    let labelled = |project: u32, second: u32, label: &str, labels: &[&str]| {
        let result = json!([rectangle("r", label, [10.0, 10.0, 20.0, 20.0], 0.0)]);
        let mut made = annotation(second, second, second, &result);
        let labels = labels.iter().map(|it| format!("<Label value=\"{it}\"/>"));
        let labels: String = labels.collect();
        made["project"] = json!({"id": project, "label_config": format!(
            "<View><Image name=\"image\" value=\"$image\"/><RectangleLabels name=\"box\" toName=\"image\">{labels}</RectangleLabels></View>"
        )});
        event(crate::support::CREATED, second, &made)
    };
    let events = [
        labelled(1, 10, "car", &["car", "bus", "tram"]),
        labelled(2, 20, "bus", &["bus"]),
        labelled(1, 30, "tram", &["car", "van", "tram"]), // bus renamed
        labelled(1, 40, "van", &["van"]),                 // car and tram removed
        labelled(1, 50, "car", &["van", "car"]),          // and one of them is back
    ];
    for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0]] {
        let mut dataset = Dataset::new();
        for place in order {
            dataset.fold(std::slice::from_ref(&events[place]));
        }
        let snapshot = dataset.write(&Options::of(Format::Parquet));
        let path = dataset.dir.path().join(snapshot.path);
        let classes = table(&path.join("parquet/classes/all.parquet"));
        let of = |name: &str| classes.iter().find(|it| it["name"] == name).unwrap();
        assert_eq!(of("car")["projects"], r#"["/label-studio/1"]"#, "{order:?}");
        assert_eq!(of("bus")["projects"], r#"["/label-studio/2"]"#, "{order:?}");
        assert_eq!(of("tram")["retired"], "2026-11-21T12:00:40.000001Z");
        for name in ["car", "bus", "van"] {
            assert!(!of(name).contains_key("retired"), "{name} {order:?}");
        }
    }
}
