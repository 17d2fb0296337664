//! Generated deliveries of Labelbox, of both versions of its webhooks: a copy ends where the platform is, whatever the order
//! and however often events come. `python/tests/labelbox_model.py` is the same in Python.

use crate::rules::in_order;
use crate::source::Source;
use labelrelay_consumer::{Consumer, Failure, Incoming, MemoryState};
use labelrelay_event::changes::{Change, Kind, Order, Record};
use labelrelay_event::{Attributes, DataEncoding, Digest, EventType, TypeFrom, encode};
use labelrelay_tests::random::Random;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const ROWS: u64 = 6;
const PROJECTS: u64 = 2;

/// Edits of one sequence.
const EDITS: u64 = 250;

/// A version of the webhooks, and how it writes times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    V1,
    /// In whole seconds, as Labelbox's documents have it.
    V1InSeconds,
    /// In whole seconds, too.
    V2,
}

/// A label that is there, as this version of the webhooks writes it.
struct Held {
    row: String,
    project: String,
    label: Value,
}

/// As much of Labelbox as sends events about labels, and answers about one.
struct Platform {
    random: Random,
    form: Form,
    labels: BTreeMap<String, Held>,
    ids: u64,
    milliseconds: u64,
}

impl Platform {
    fn new(form: Form, seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            form,
            labels: BTreeMap::new(),
            ids: 0,
            milliseconds: 0,
        }
    }

    fn now(&mut self, in_seconds: bool) -> String {
        self.milliseconds += 1 + self.random.below(400);
        // A whole second would be no version; the platform writes one once in a thousand.
        if self.milliseconds.is_multiple_of(1000) {
            self.milliseconds += 1;
        }
        let (seconds, rest) = (self.milliseconds / 1000, self.milliseconds % 1000);
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        let seconds = seconds % 60;
        let fraction = if in_seconds {
            String::new()
        } else {
            format!(".{rest:03}")
        };
        format!("2026-11-20T{hours:02}:{minutes:02}:{seconds:02}{fraction}Z")
    }

    /// Somebody does something; the event that tells of it.
    fn act(&mut self) -> Vec<u8> {
        let does = self.random.below(4);
        if does == 0 || self.labels.is_empty() {
            self.ids += 1;
            let id = format!("label{}", self.ids);
            let row = format!("row{}", self.random.below(ROWS));
            let project = format!("project{}", self.random.below(PROJECTS));
            let label = self.written(&id, &row, &project);
            let held = Held {
                row,
                project,
                label,
            };
            self.labels.insert(id.clone(), held);
            return self.told(&id, "created");
        }
        let at = self.random.below(self.labels.len() as u64);
        let at = usize::try_from(at).unwrap();
        let id = self.labels.keys().nth(at).unwrap().clone();
        if does < 3 {
            let held = &self.labels[&id];
            let (row, project) = (held.row.clone(), held.project.clone());
            let label = self.written(&id, &row, &project);
            self.labels.get_mut(&id).unwrap().label = label;
            return self.told(&id, "updated");
        }
        let told = self.told(&id, "deleted");
        self.labels.remove(&id);
        told
    }

    fn written(&mut self, id: &str, row: &str, project: &str) -> Value {
        let at = self.now(self.form != Form::V1);
        let count = self.random.below(3);
        let boxes: Vec<Value> = (0..count).map(|_| self.marked()).collect();
        let marks = json!({"objects": boxes, "classifications": [], "relationships": []});
        match self.form {
            Form::V1 | Form::V1InSeconds => json!({
                "id": id, "label": marks.to_string(), "updatedAt": at, "dataRow": {"id": row},
                "project": {"id": project},
            }),
            Form::V2 => {
                json!({"id": id, "label_details": {"updated_at": at}, "annotations": marks})
            }
        }
    }

    fn marked(&mut self) -> Value {
        let sides = ["top", "left", "height", "width"];
        let sides = sides.map(|side| (side.to_owned(), json!(1 + self.random.below(100))));
        let sides: serde_json::Map<String, Value> = sides.into_iter().collect();
        let id = format!("f{}", self.random.below(u64::MAX));
        json!({"feature_id": id, "name": "car", "bounding_box": sides})
    }

    /// A deletion is told while the label is still there: of a row with several, nothing says which it is.
    fn told(&mut self, id: &str, action: &str) -> Vec<u8> {
        let held = &self.labels[id];
        let body = match self.form {
            Form::V1 | Form::V1InSeconds => held.label.clone(),
            Form::V2 => {
                let row = held.row.as_str();
                of_row(row, self.labels.values().filter(|one| one.row == row))
            }
        };
        let body = body.to_string();
        let received = self.now(false);
        let kind: EventType = format!("com.labelbox.label.{action}").parse().unwrap();
        let digest = Digest::of(body.as_bytes());
        let name = format!("e{}", self.milliseconds);
        let mut attributes = Attributes::new(name, "/labelbox", &kind, &digest, received);
        // Only a header says what happened.
        attributes.typefrom = Some(TypeFrom::Header);
        encode(
            &attributes,
            DataEncoding::Json,
            body.len(),
            [body.as_bytes()],
        )
    }

    /// The label as it is now.
    fn fetch(&self, id: &str) -> Option<Vec<u8>> {
        let held = self.labels.get(id)?;
        let body = match self.form {
            Form::V1 | Form::V1InSeconds => held.label.clone(),
            Form::V2 => of_row(&held.row, [held]),
        };
        Some(body.to_string().into_bytes())
    }

    fn has(&self) -> BTreeMap<String, Value> {
        let labels = self.labels.iter();
        labels
            .map(|(id, held)| (id.clone(), held.label.clone()))
            .collect()
    }
}

/// A row with some of its labels.
fn of_row<'a>(row: &str, labels: impl IntoIterator<Item = &'a Held>) -> Value {
    let mut projects: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for held in labels {
        projects.entry(&held.project).or_default().push(&held.label);
    }
    let projects: serde_json::Map<String, Value> = projects
        .into_iter()
        .map(|(project, labels)| (project.to_owned(), json!({ "labels": labels })))
        .collect();
    json!({"data_row": {"id": row}, "projects": projects, "media_attributes": {}})
}

/// The labels that a consumer keeps which follows the rules: by their ids, the row and the label.
#[derive(Default)]
struct Kept {
    labels: BTreeMap<String, (String, Value)>,
    /// Times that it asked the platform, because events did not say.
    asked: u64,
}

impl Kept {
    fn keep(&mut self, platform: &Platform, incoming: &Incoming) -> Result<(), Failure> {
        let key = incoming.key();
        if key.kind == Kind::DataRow {
            // One of its labels is gone, and nothing says which.
            self.asked += 1;
            self.labels
                .retain(|id, (row, _)| *row != *key.id || platform.labels.contains_key(id));
            return Ok(());
        }
        let change = match incoming.change() {
            Change::Changed(changed) if changed.order == Order::Unknown => {
                self.asked += 1;
                incoming.refetched(platform.fetch(&key.id).as_deref())?
            }
            known => known.clone(),
        };
        match &change {
            Change::Removed(_) => {
                self.labels.remove(&*key.id);
            }
            Change::Changed(changed) => {
                let Some(Record::Annotation(label)) = changed.record.as_deref() else {
                    return Err(Failure::retry("it is no label"));
                };
                let row = label.task.as_deref().unwrap_or_default().to_owned();
                let raw: Value = label.raw.parse()?;
                self.labels.insert(key.id.to_string(), (row, raw));
            }
            _ => {}
        }
        Ok(())
    }
}

async fn ends_where_labelbox_is(form: Form, seed: u64) {
    let platform = Arc::new(Mutex::new(Platform::new(form, seed)));
    let kept = Arc::new(Mutex::new(Kept::default()));
    let consumer = {
        let (platform, kept) = (Arc::clone(&platform), Arc::clone(&kept));
        Consumer::new(MemoryState::new())
            .on([Kind::Label, Kind::DataRow], move |incoming: Incoming| {
                let platform = platform.lock().unwrap();
                let done = kept.lock().unwrap().keep(&platform, &incoming);
                async move { done }
            })
            .settings(in_order())
    };
    let mut random = Random::new(seed + 1000);
    let mut waiting: Vec<(u64, Vec<u8>)> = Vec::new();
    // After the last edit, everything comes.
    for step in 0..=EDITS {
        let now = if step == EDITS { u64::MAX } else { step * 1000 };
        if step < EDITS {
            let body = platform.lock().unwrap().act();
            // Every fifth comes again, whenever that is.
            if random.below(5) == 0 {
                waiting.push((now + random.below(100_000), body.clone()));
            }
            // Up to eight places late.
            waiting.push((now + random.below(8000), body));
        }
        waiting.sort_by_key(|(at, _)| *at);
        let due = waiting.partition_point(|(at, _)| *at <= now);
        for (_, body) in waiting.drain(..due) {
            let source = Source::of([body]);
            let ran = consumer.run(source.clone(), std::future::pending()).await;
            ran.unwrap();
            assert!(source.are_all_acknowledged(), "{form:?} {seed}");
        }
    }
    let kept = kept.lock().unwrap();
    let labels = kept.labels.iter();
    let labels: BTreeMap<_, _> = labels
        .map(|(id, (_, label))| (id.clone(), label.clone()))
        .collect();
    assert_eq!(labels, platform.lock().unwrap().has(), "{form:?} {seed}");
    // Where events say all, nobody is asked.
    assert_eq!(kept.asked > 0, form != Form::V1, "{form:?} {seed}");
    let stats = consumer.stats();
    assert!(stats.repeats > 20, "{stats:?}");
    assert!(stats.stale > 0, "{stats:?}");
}

#[tokio::test(start_paused = true)]
async fn a_copy_ends_where_labelbox_is() {
    for form in [Form::V1, Form::V1InSeconds, Form::V2] {
        for seed in 0..4 {
            ends_where_labelbox_is(form, seed).await;
        }
    }
}
