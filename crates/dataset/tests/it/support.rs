//! Events, and what a dataset makes of them.

use labelrelay_dataset::{Format, Options, Snapshot, Store};
use labelrelay_event::Event;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::TempDir;

/// A dataset in a directory of its own.
pub(crate) struct Dataset {
    pub(crate) dir: TempDir,
    pub(crate) store: Store,
}

impl Dataset {
    pub(crate) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let store = Store::open(dir.path()).unwrap();
        Self { dir, store }
    }

    pub(crate) fn fold(&mut self, messages: &[String]) {
        let events = messages
            .iter()
            .map(|message| Event::parse(message.as_bytes()));
        for verdict in self.store.fold(events).unwrap() {
            verdict.unwrap();
        }
    }

    pub(crate) fn write(&mut self, options: &Options) -> Snapshot {
        labelrelay_dataset::write(&mut self.store, options).unwrap()
    }

    /// Lines of the samples, as JSON lines have them.
    pub(crate) fn samples(&mut self) -> Vec<Value> {
        let snapshot = self.write(&Options::of(Format::Jsonl));
        lines(
            &self
                .dir
                .path()
                .join(snapshot.path)
                .join("jsonl/samples.jsonl"),
        )
    }

    /// Ids of the annotations in it.
    pub(crate) fn ids(&mut self) -> Vec<String> {
        let samples = self.samples();
        let annotations = samples
            .iter()
            .flat_map(|sample| sample["annotations"].as_array().unwrap().clone());
        let ids = annotations.map(|it| it["id"].as_str().unwrap().to_owned());
        ids.collect()
    }
}

pub(crate) fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// An event that was received at this second of a day.
pub(crate) fn event(event_type: &str, second: u32, data: &Value) -> String {
    more(event_type, second, data, "")
}

/// The same, with more attributes.
pub(crate) fn more(event_type: &str, second: u32, data: &Value, attributes: &str) -> String {
    let source = if event_type.starts_with("com.") {
        "/labelbox"
    } else {
        "/label-studio"
    };
    let data = data.to_string();
    let digest = labelrelay_event::Digest::of(data.as_bytes()).to_hex();
    let received = time(second);
    format!(
        r#"{{"specversion":"1.0","id":"{digest}{second}","source":"{source}","type":"{event_type}",{attributes}"datasha256":"{digest}","receivedtime":"{received}","data":{data}}}"#
    )
}

pub(crate) fn time(second: u32) -> String {
    let (minutes, seconds) = (second / 60, second % 60);
    format!("2026-11-21T12:{minutes:02}:{seconds:02}.000001Z")
}

pub(crate) const CREATED: &str = "io.labelstud.annotation.created";
pub(crate) const DELETED: &str = "io.labelstud.annotation.deleted";

/// An annotation of a task, in the version of this second.
pub(crate) fn annotation(id: u32, task: u32, second: u32, result: &Value) -> Value {
    json!({
        "action": "ANNOTATION_CREATED",
        "annotation": {"id": id, "task": task, "updated_at": time(second), "result": result, "was_cancelled": false},
        "project": {"id": 1, "title": "Cars", "label_config": "<View><Image name=\"image\" value=\"$image\"/></View>"},
        "task": {"id": task, "data": {"image": format!("s3://cars/{task}.jpg?token=secret")}},
    })
}

pub(crate) fn there(id: u32, task: u32, second: u32, result: &Value) -> String {
    event(CREATED, second, &annotation(id, task, second, result))
}

/// A box in percent of an image of 200 x 100 pixels.
pub(crate) fn rectangle(
    id: &str,
    label: &str,
    [x, y, width, height]: [f64; 4],
    turned: f64,
) -> Value {
    json!({
        "id": id, "type": "rectanglelabels", "from_name": "box", "to_name": "image",
        "original_width": 200, "original_height": 100, "image_rotation": 0,
        "value": {"x": x, "y": y, "width": width, "height": height, "rotation": turned, "rectanglelabels": [label]},
    })
}

/// Rows of a table of Parquet: values by column, as text; what is not there is absent.
pub(crate) fn table(path: &Path) -> Vec<BTreeMap<String, String>> {
    let reader = SerializedFileReader::try_from(path).unwrap();
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| {
        let row = row.unwrap();
        let values = row.get_column_iter().filter_map(|(name, value)| {
            let text = match value {
                Field::Null => return None,
                Field::Str(text) => text.clone(),
                other => other.to_string(),
            };
            Some((name.clone(), text))
        });
        values.collect()
    })
    .collect()
}
