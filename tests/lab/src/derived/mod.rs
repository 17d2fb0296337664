//! Derived events: what the events of the queue demand, held against what is there.
//!
//! Each follows from an event that is in the queue, and from those before it. So the causes are read in the order of
//! the queue, whatever befell the process meanwhile: an event that is there has what follows from it, once, and what
//! does not follow is not there. The ids are the documented ones, by which a repeat of the cause gives nothing new.

mod tasks;

use crate::delivery::{PROJECT, Told};
use crate::seed_dir::{self, SeedDir};
use crate::sources::Source;
use crate::violation::{Violation, ViolationKind};
use labelrelay_core::config::{Config, SourceConfig};
use labelrelay_core::from_api::ReconciledEvent;
use labelrelay_core::identity::Identity;
use labelrelay_core::ledger::Key;
use labelrelay_event::{Attributes, Digest};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};
use tasks::{Follows, Tasks};

const COMPLETED: &str = "io.labelstud.task.completed";
const GONE: &str = "io.labelstud.annotation.deleted";

/// An event that tells of tasks or annotations, as it is in the queue.
pub(crate) struct Cause {
    /// Place in the queue.
    pub(crate) place: usize,
    /// The delivery that brought it.
    pub(crate) number: u32,
    pub(crate) source: Source,
    pub(crate) attributes: Attributes,
    pub(crate) told: Told,
}

/// A derived event, as it is in the queue.
pub(crate) struct Derived {
    /// Place in the queue.
    pub(crate) place: usize,
    pub(crate) attributes: Attributes,
    pub(crate) data: Value,
}

/// What a derived event says, its id aside.
#[derive(Debug, PartialEq)]
struct Said<'a> {
    source: &'a str,
    event_type: &'a str,
    subject: Option<&'a str>,
    task: Option<&'a str>,
    received: &'a str,
    data: &'a Value,
}

/// A derived event that has to be there.
struct Demand<'a> {
    cause: &'a Cause,
    source: String,
    event_type: &'static str,
    subject: String,
    task: Option<String>,
    data: Value,
}

/// Holds all derived events against what demands them.
pub(crate) fn check(
    seed_dir: &SeedDir,
    causes: &[Cause],
    derived: &[Derived],
    violations: &mut Vec<Violation>,
) {
    let demands = demands(seed_dir, causes, violations);
    let mut there: BTreeMap<&str, Vec<&Derived>> = BTreeMap::new();
    for event in derived {
        there.entry(&event.attributes.id).or_default().push(event);
    }
    for (id, events) in &there {
        let (first, said) = (events[0], events[0].said());
        let Some(demand) = demands.get(*id) else {
            let detail = format!("{id}: no event in the queue demands this one: {said:?}");
            violations.push(Violation::general(ViolationKind::Invented, detail));
            continue;
        };
        let mut broken = |kind, detail: String| {
            violations.push(Violation::of(kind, demand.cause.number, detail));
        };
        if events.len() > 1 {
            let detail = format!("{demand} is {} times in the queue", events.len());
            broken(ViolationKind::Twice, detail);
        }
        if said != demand.said() {
            let detail = format!("{demand} is another event: {said:?}");
            broken(ViolationKind::Changed, detail);
        }
        if first.place < demand.cause.place {
            let detail = format!("{demand} is in the queue before it");
            broken(ViolationKind::Invented, detail);
        }
    }
    for (id, demand) in &demands {
        if !there.contains_key(id.as_str()) {
            let detail = format!("{demand} is not in the queue");
            violations.push(Violation::of(
                ViolationKind::Lost,
                demand.cause.number,
                detail,
            ));
        }
    }
}

/// Tells whether all derived events are there that these causes demand.
pub(crate) fn are_there(seed_dir: &SeedDir, causes: &[Cause], derived: &[Derived]) -> bool {
    let there: HashSet<&str> = derived.iter().map(|it| it.attributes.id.as_str()).collect();
    let demands = demands(seed_dir, causes, &mut Vec::new());
    demands.keys().all(|id| there.contains(id.as_str()))
}

/// All that follows from the causes, by id.
fn demands<'a>(
    seed_dir: &SeedDir,
    causes: &'a [Cause],
    violations: &mut Vec<Violation>,
) -> BTreeMap<String, Demand<'a>> {
    let mut demands = BTreeMap::new();
    if causes.is_empty() {
        return demands;
    }
    let sources = sources(seed_dir);
    let mut known: HashMap<Source, Tasks> = HashMap::new();
    for cause in causes {
        let tasks = known.entry(cause.source).or_default();
        violations.extend(names_another_task(tasks, cause));
        let version = cause.attributes.sequence.as_deref().unwrap_or_default();
        let name = cause.source.name();
        let source = sources.iter().find(|source| source.name == name).unwrap();
        for follows in tasks.take_in(&cause.told, version) {
            let (id, demand) = Demand::of(cause, source, &follows);
            demands.entry(id).or_insert(demand);
        }
    }
    demands
}

/// The sources, as they are configured.
fn sources(seed_dir: &SeedDir) -> Vec<SourceConfig> {
    let folder = seed_dir.folder();
    let text = std::fs::read_to_string(seed_dir::config(folder)).unwrap();
    let origin = "labelrelay.toml";
    let config = Config::from_toml(&text, origin, folder.to_owned(), &|_: &str| None);
    config.unwrap().sources
}

/// A deletion may name the task of its annotations, or not; never another one.
fn names_another_task(tasks: &Tasks, cause: &Cause) -> Option<Violation> {
    let named = cause.attributes.task.as_deref()?;
    let right = match &cause.told {
        Told::AnnotationsGone(ids) => tasks.only_task(ids).map(|task| task.to_string()),
        _ => None,
    };
    let detail = format!("it names the task {named} instead of {right:?}");
    (right.as_deref() != Some(named))
        .then(|| Violation::of(ViolationKind::Changed, cause.number, detail))
}

impl<'a> Demand<'a> {
    /// The event that follows, and its id.
    fn of(cause: &'a Cause, source: &SourceConfig, follows: &Follows) -> (String, Self) {
        let of = |event_type, subject, task: Option<u32>, data| Self {
            cause,
            source: format!("/{}", source.name),
            event_type,
            subject,
            task: task.map(|task| task.to_string()),
            data,
        };
        match follows {
            Follows::Completed { task, annotation } => {
                let data = json!({"task": task, "project": PROJECT, "annotation": annotation});
                let subject = format!("task/{task}");
                let id = completion_id(cause, source, &subject);
                (id, of(COMPLETED, subject, None, data))
            }
            Follows::Gone {
                annotation,
                task,
                newest,
            } => {
                let mut data = json!({"id": annotation, "project": PROJECT});
                if let Some(task) = task {
                    data["task"] = json!(task);
                }
                let id = deletion_id(source, *annotation, newest.as_deref(), &data);
                let subject = format!("annotation/{annotation}");
                (id, of(GONE, subject, *task, data))
            }
        }
    }

    fn said(&self) -> Said<'_> {
        Said {
            source: &self.source,
            event_type: self.event_type,
            subject: Some(&self.subject),
            task: self.task.as_deref(),
            received: &self.cause.attributes.receivedtime,
            data: &self.data,
        }
    }
}

/// How a message begins that is about this event, beside the delivery.
impl std::fmt::Display for Demand<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (event_type, subject) = (self.event_type, &self.subject);
        write!(f, "what follows from it, {event_type} of {subject},")
    }
}

impl Derived {
    fn said(&self) -> Said<'_> {
        let attributes = &self.attributes;
        Said {
            source: &attributes.source,
            event_type: &attributes.event_type,
            subject: attributes.subject.as_deref(),
            task: attributes.task.as_deref(),
            received: &attributes.receivedtime,
            data: &self.data,
        }
    }
}

/// One for each event that completes the task.
fn completion_id(cause: &Cause, source: &SourceConfig, subject: &str) -> String {
    let identity = Identity::Version {
        kind: "task",
        id: subject.to_owned(),
        version: format!("completed/{}", cause.attributes.id),
    };
    let id = identity.event_id(&source.name, COMPLETED, &Digest::of(b""), None);
    id.unwrap()
}

/// The one that a pull would find.
fn deletion_id(
    source: &SourceConfig,
    annotation: u32,
    newest: Option<&str>,
    data: &Value,
) -> String {
    let key = Key::new("annotation", annotation.to_string());
    let data = data.to_string();
    let event = ReconciledEvent::deletion(source, &key, newest, data.as_bytes()).unwrap();
    event.id().to_owned()
}

#[cfg(test)]
mod tests;
