//! JSON lines: one image a line, with all that the state has of it. Nothing is rejected.

use super::rejects::Rejects;
use super::writer::{Writer, Written};
use crate::DatasetError;
use crate::geometry::Geometry;
use crate::output::Output;
use crate::selection::{Chosen, Sample};
use serde_json::{Map, Value, json};
use std::path::Path;

pub(crate) struct Jsonl(Output);

const NAME: &str = "samples.jsonl";

impl Jsonl {
    pub(crate) fn begin(dir: &Path) -> Result<Self, DatasetError> {
        Output::create(&dir.join(NAME)).map(Self)
    }
}

impl Writer for Jsonl {
    fn sample(&mut self, sample: &Sample, _: &mut Rejects) -> Result<(), DatasetError> {
        let annotations: Vec<Value> = sample.annotations.iter().map(annotation).collect();
        let (width, height) = sample.size.unzip();
        self.0.line(&json!({
            "source": sample.source, "project": sample.project, "task": sample.task, "item": sample.item,
            "external_id": sample.external_id, "split": sample.split.as_str(), "media": sample.media,
            "width": width, "height": height, "annotations": annotations,
        }))
    }

    fn end(self: Box<Self>) -> Result<Vec<Written>, DatasetError> {
        Ok(vec![(format!("jsonl/{NAME}"), self.0.end()?)])
    }
}

fn annotation(of: &Chosen) -> Value {
    let regions = of.regions.iter().map(|region| {
        let mut members = geometry(&region.geometry);
        members.insert("id".to_owned(), json!(region.id));
        members.insert("labels".to_owned(), json!(region.labels));
        members.insert("name".to_owned(), json!(region.name));
        if let Some(raw) = &region.raw {
            members.insert("raw".to_owned(), raw.clone());
        }
        Value::Object(members)
    });
    let answers = of.classifications.iter().map(|answer| {
        json!({
            "name": answer.name, "values": answer.answers, "region": answer.region, "frame": answer.frame,
            "parents": answer.parents,
        })
    });
    json!({
        "kind": of.kind, "id": of.id, "version": of.version, "author": of.author, "ground_truth": of.ground_truth,
        "deletion_unconfirmed": of.is_marked_as_deleted,
        "regions": regions.collect::<Vec<_>>(), "classifications": answers.collect::<Vec<_>>(),
        "relations": of.relations,
    })
}

/// The members that are there.
fn geometry(of: &Geometry) -> Map<String, Value> {
    let members = [
        ("kind", json!(of.kind)),
        ("unit", json!(of.unit)),
        ("x", json!(of.x)),
        ("y", json!(of.y)),
        ("width", json!(of.width)),
        ("height", json!(of.height)),
        ("rotation", json!(of.rotation)),
        ("points", json!(of.points)),
        ("rle", json!(of.rle)),
        ("mask_url", json!(of.mask_url)),
        ("start", json!(of.begins)),
        ("end", json!(of.ends)),
        ("channel", json!(of.channel)),
        ("text", json!(of.text)),
        ("image_size", json!(of.size)),
    ];
    let there = members.into_iter().filter(|(_, value)| !value.is_null());
    there
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
