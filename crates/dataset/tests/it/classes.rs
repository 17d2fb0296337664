//! Numbers of classes never move.

use crate::support::{Dataset, annotation, event, more, rectangle, table, there, time};
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

/// Red if a dataset that is made anew gives a class another number than the one that was lost, or if it takes numbers from
/// a file that contradicts those that it has given.
#[test]
fn a_dataset_that_is_made_anew_takes_the_numbers_of_the_lost_one() {
    let labelled = |id: u32, label: &str| {
        let result = json!([rectangle("r", label, [10.0, 10.0, 20.0, 20.0], 0.0)]);
        there(id, id, id, &result)
    };
    let mut options = Options::of(Format::Yolo(YoloTask::Detect));
    options.formats.push(Format::Coco);
    let mut lost = Dataset::new();
    lost.fold(&[
        labelled(1, "tram"),
        labelled(2, "bus: \"2\""),
        labelled(3, "car"),
    ]);
    let snapshot = lost.write(&options);
    let snapshot = lost.dir.path().join(snapshot.path);
    let names = |dir: &std::path::Path| {
        let text = fs::read_to_string(dir.join("yolo/data.yaml")).unwrap();
        text.split("names:\n").nth(1).unwrap().to_owned()
    };
    let expected = names(&snapshot);
    for file in ["yolo/data.yaml", "coco/instances_train.json"] {
        let file = snapshot.join(file);
        let mut anew = Dataset::new();
        for _ in 0..2 {
            anew.store.take_class_numbers(&file).unwrap();
        }
        anew.fold(&[labelled(1, "car"), labelled(2, "van"), labelled(3, "tram")]);
        let written = anew.write(&options);
        let found = names(&anew.dir.path().join(written.path));
        assert_eq!(found, format!("{expected}  3: \"van\"\n"), "{file:?}");
        let mut other = Dataset::new();
        other.fold(&[labelled(1, "car")]);
        let error = other.store.take_class_numbers(&file).unwrap_err();
        assert!(error.problem.contains("number 0 is \"tram\""), "{error}");
        assert_eq!(other.write(&options).counts.classes, 1);
    }
    for text in [
        "",
        "names:\n  1: \"car\"\n",
        "names:\n  0: \"car\"\n  1: \"car\"\n",
    ] {
        let file = snapshot.join("odd.yaml");
        fs::write(&file, text).unwrap();
        let error = Dataset::new().store.take_class_numbers(&file).unwrap_err();
        assert!(error.cure.contains("data.yaml"), "{text:?}: {error}");
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

/// Red if a delivery that was overtaken brings a configuration back that the project has no more.
#[test]
fn the_last_configuration_of_a_project_counts() {
    let labelled = |second: u32, changed: u32, label: &str| {
        let result = json!([rectangle("r", label, [10.0, 10.0, 20.0, 20.0], 0.0)]);
        let mut made = annotation(second, second, second, &result);
        made["project"] = json!({"id": 1, "updated_at": time(changed), "label_config": format!(
            "<View><Image name=\"image\" value=\"$image\"/><RectangleLabels name=\"box\" toName=\"image\"><Label value=\"{label}\"/></RectangleLabels></View>"
        )});
        event(crate::support::CREATED, second, &made)
    };
    let events = [labelled(40, 30, "van"), labelled(41, 10, "car")];
    for order in [[0, 1], [1, 0]] {
        let mut dataset = Dataset::new();
        for place in order {
            dataset.fold(std::slice::from_ref(&events[place]));
        }
        let snapshot = dataset.write(&Options::of(Format::Parquet));
        let path = dataset.dir.path().join(snapshot.path);
        let classes = table(&path.join("parquet/classes/all.parquet"));
        let retired = classes.iter().filter(|it| it.contains_key("retired"));
        let retired: Vec<_> = retired.map(|it| it["name"].as_str()).collect();
        assert_eq!(retired, ["car"], "{order:?}");
    }
}

/// Red if a class of Labelbox cannot be found in its ontology, or if a label of the other platform takes that away.
#[test]
fn a_class_of_labelbox_has_its_id_in_the_ontology() {
    let drawn = json!({
        "feature_id": "f", "schema_id": "clvcnmppk0aq507z11haa4x66", "name": "car", "value": "car",
        "bbox": {"left": 1, "top": 2, "width": 3, "height": 4},
    });
    let row = json!({
        "data_row": {"id": "row", "row_data": "https://h/a.jpg"},
        "media_attributes": {"width": 200, "height": 100},
        "projects": {"project": {"labels": [{
            "id": "label", "label_details": {"created_at": "2026-11-21T11:00:00Z", "updated_at": "2026-11-21T11:00:00Z"},
            "performance_details": {"skipped": false},
            "annotations": {"objects": [drawn], "classifications": [], "relationships": []},
        }], "project_details": {}}},
    });
    let labelbox = more(
        "com.labelbox.label.created",
        10,
        &row,
        r#""typefrom":"header","#,
    );
    let result = json!([
        rectangle("r", "car", [10.0, 10.0, 20.0, 20.0], 0.0),
        rectangle("s", "bus", [10.0, 10.0, 20.0, 20.0], 0.0),
    ]);
    let label_studio = there(1, 7, 10, &result);
    for messages in [
        [label_studio.clone(), labelbox.clone()],
        [labelbox, label_studio],
    ] {
        let mut dataset = Dataset::new();
        dataset.fold(&messages);
        let snapshot = dataset.write(&Options::of(Format::Parquet));
        let path = dataset.dir.path().join(snapshot.path);
        let classes = table(&path.join("parquet/classes/all.parquet"));
        let of = |name: &str| classes.iter().find(|it| it["name"] == name).unwrap();
        assert_eq!(of("car")["schema_id"], "clvcnmppk0aq507z11haa4x66");
        assert!(!of("bus").contains_key("schema_id"));
    }
}

/// Red if a region without the id keeps a later one of the same batch from saying it.
#[test]
fn a_class_gets_its_id_from_the_first_region_that_says_it() {
    let drawn = |id: &str| {
        json!({
            "feature_id": id, "name": "car", "value": "car", "bbox": {"left": 1, "top": 2, "width": 3, "height": 4},
        })
    };
    let mut with_id = drawn("b");
    with_id["schema_id"] = json!("clvcnmppk0aq507z11haa4x66");
    let row = json!({
        "data_row": {"id": "row", "row_data": "https://h/a.jpg"},
        "media_attributes": {"width": 200, "height": 100},
        "projects": {"project": {"labels": [{
            "id": "label", "label_details": {"created_at": "2026-11-21T11:00:00Z", "updated_at": "2026-11-21T11:00:00Z"},
            "performance_details": {"skipped": false},
            "annotations": {"objects": [drawn("a"), with_id], "classifications": [], "relationships": []},
        }], "project_details": {}}},
    });
    let mut dataset = Dataset::new();
    dataset.fold(&[more(
        "com.labelbox.label.created",
        10,
        &row,
        r#""typefrom":"header","#,
    )]);
    let snapshot = dataset.write(&Options::of(Format::Parquet));
    let path = dataset.dir.path().join(snapshot.path);
    let classes = table(&path.join("parquet/classes/all.parquet"));
    assert_eq!(classes.len(), 1);
    assert_eq!(classes[0]["schema_id"], "clvcnmppk0aq507z11haa4x66");
}

/// Red if a table of regions does not say where a track begins.
#[test]
fn a_track_has_the_number_of_its_first_key_frame() {
    let at = |frame: u32| json!({"frame": frame, "enabled": true, "rotation": 0, "x": 1, "y": 1, "width": 5, "height": 5});
    let track = json!({
        "id": "v", "type": "videorectangle", "from_name": "box", "to_name": "video",
        "value": {"framesCount": 100, "duration": 4, "sequence": [at(7), at(3), at(9)], "labels": ["car"]},
    });
    let still = rectangle("r", "car", [10.0, 10.0, 20.0, 20.0], 0.0);
    let mut dataset = Dataset::new();
    dataset.fold(&[there(1, 7, 10, &json!([track, still]))]);
    let snapshot = dataset.write(&Options::of(Format::Parquet));
    let regions = dataset.dir.path().join(snapshot.path);
    let regions = table(&regions.join("parquet/regions/label-studio.1/first.last.parquet"));
    let found: Vec<_> = regions
        .iter()
        .map(|row| (row["kind"].as_str(), row.get("frame").map(String::as_str)))
        .collect();
    assert_eq!(found, [("track", Some("3")), ("box", None)]);
}
