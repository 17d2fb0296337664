//! What is exported says no more than it is asked for.

use crate::support::{CREATED, Dataset, annotation, event, rectangle, table};
use labelrelay_dataset::{Addresses, Format, Options, Snapshot, YoloTask};
use serde_json::json;
use std::fmt::Write as _;
use std::path::Path;

fn options() -> Options {
    let mut options = Options::of(Format::Jsonl);
    options.formats.extend([
        Format::Coco,
        Format::Yolo(YoloTask::Detect),
        Format::Parquet,
    ]);
    options
}

fn dataset() -> Dataset {
    let mut dataset = Dataset::new();
    let mut made = annotation(
        1,
        7,
        10,
        &json!([rectangle("r", "car", [10.0, 10.0, 20.0, 20.0], 0.0)]),
    );
    made["annotation"]["completed_by"] = json!("zz-somebody");
    made["annotation"]["result"][0]["meta"] = json!({"from": "https://h/m.png?token=secret"});
    dataset.fold(&[event(CREATED, 10, &made)]);
    dataset
}

/// Everything that the files of a snapshot say, tables included.
fn said(dataset: &Dataset, snapshot: &Snapshot) -> String {
    let mut said = String::new();
    read(&dataset.dir.path().join(&snapshot.path), &mut said);
    said
}

fn read(dir: &Path, said: &mut String) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, said);
        } else if path.extension().is_some_and(|it| it == "parquet") {
            write!(said, "{:?}", table(&path)).unwrap();
        } else {
            said.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// Red if a signature is exported unless that is asked for, or if the address itself is lost with it.
#[test]
fn addresses_have_no_query_unless_that_is_asked_for() {
    let mut dataset = dataset();
    let mut options = options();
    let snapshot = dataset.write(&options);
    let of = said(&dataset, &snapshot);
    assert!(!of.contains("token="), "{of}");
    for file in ["s3://cars/7.jpg", "https://h/m.png", "zz-somebody"] {
        assert!(of.contains(file), "{file}: {of}");
    }
    options.addresses = Addresses::Whole;
    let snapshot = dataset.write(&options);
    let of = said(&dataset, &snapshot);
    assert!(of.contains("7.jpg?token=secret") && of.contains("m.png?token=secret"));
}

/// Red if a name or a password goes out with the queries that are kept, or if the address or its query goes with them.
#[test]
fn kept_queries_bring_no_password() {
    let mut dataset = Dataset::new();
    let result = json!([rectangle("r", "car", [10.0, 10.0, 20.0, 20.0], 0.0)]);
    let mut made = annotation(1, 7, 10, &result);
    made["task"]["data"]["image"] = json!("https://user:zz-password@h/7.jpg?version=3");
    dataset.fold(&[event(CREATED, 10, &made)]);
    let mut options = options();
    // The platform's own JSON is written as it is then.
    options.formats.retain(|it| *it != Format::Parquet);
    options.addresses = Addresses::Whole;
    let snapshot = dataset.write(&options);
    let of = said(&dataset, &snapshot);
    assert!(of.contains("https://h/7.jpg?version=3"), "{of}");
    assert!(!of.contains("zz-password"), "{of}");
}

/// Red if an address or an author is left in a file, or if the boxes go with them.
#[test]
fn authors_and_addresses_are_left_out() {
    let mut dataset = dataset();
    let mut options = options();
    options.addresses = Addresses::None;
    let snapshot = dataset.write(&options);
    let of = said(&dataset, &snapshot);
    assert!(!of.contains("://"), "{of}");
    assert!(of.contains("zz-somebody"), "{of}");
    options.authors = false;
    let snapshot = dataset.write(&options);
    let of = said(&dataset, &snapshot);
    assert!(!of.contains("zz-somebody") && !of.contains("://"), "{of}");
    assert_eq!(snapshot.counts.rejected, 0);
    let coco = dataset.dir.path().join(&snapshot.path).join("coco");
    let parts = ["train", "val", "test"].map(|part| {
        let path = coco.join(format!("instances_{part}.json"));
        std::fs::read_to_string(path).unwrap()
    });
    assert!(parts.concat().contains(r#""file_name":"label-studio.1.7""#));
    // The last one's options are those that `forget` writes with.
    let last = Options::of_last(&dataset.store).unwrap().unwrap();
    assert_eq!((last.addresses, last.authors), (Addresses::None, false));
}
