//! Events that are derived from a real Label Studio's events, against its database.

use labelrelay_event::Origin;
use labelrelay_tests::changes::Changes;
use labelrelay_tests::export::Exported;
use labelrelay_tests::label_studio::{LabelStudio, choice};
use labelrelay_tests::program;
use labelrelay_tests::random::Random;
use labelrelay_tests::relay::{SECRET, Site, secrets};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::time::Duration;

const TASKS: usize = 20;
/// Changes of the test; the campaign makes more of them.
const CHANGES: usize = 200;
/// After this Label Studio ends, whatever is left to do.
const LONGEST: Duration = Duration::from_secs(6 * 60 * 60);
const COMPLETED: &str = "io.labelstud.task.completed";
const DELETED: &str = "io.labelstud.annotation.deleted";

/// A Label Studio at which somebody works, and what its database said on the way.
struct Walk {
    label_studio: LabelStudio,
    project: u64,
    random: Random,
    /// Task of each annotation that was ever there.
    task_of: BTreeMap<u64, u64>,
    /// Tasks that are labelled.
    labelled: BTreeSet<u64>,
    /// Number of times that each task became labelled.
    completed: BTreeMap<u64, usize>,
}

impl Walk {
    fn read_database(&mut self) -> (Vec<u64>, Vec<u64>) {
        let id = |row: &Value, at: usize| row[at].as_u64().unwrap();
        let annotations = self
            .label_studio
            .rows("select id, task_id from task_completion order by id");
        for row in &annotations {
            self.task_of.insert(id(row, 0), id(row, 1));
        }
        let tasks = self
            .label_studio
            .rows("select id, is_labeled from task order by id");
        let labelled: BTreeSet<_> = tasks
            .iter()
            .filter(|row| row[1] == 1 || row[1] == true)
            .map(|row| id(row, 0))
            .collect();
        for task in labelled.difference(&self.labelled) {
            *self.completed.entry(*task).or_default() += 1;
        }
        self.labelled = labelled;
        let ids = |rows: &[Value]| rows.iter().map(|row| id(row, 0)).collect();
        (ids(&tasks), ids(&annotations))
    }

    fn some(&mut self, of: &[u64]) -> u64 {
        of[usize::try_from(self.random.below(of.len() as u64)).unwrap()]
    }

    fn action(&mut self, name: &str, tasks: &[u64]) {
        let path = format!("/api/dm/actions?id={name}&project={}", self.project);
        let chosen = json!({"selectedItems": {"all": false, "included": tasks}});
        self.label_studio.call("POST", &path, &chosen);
    }

    /// One change of some kind.
    fn change(&mut self) {
        let (tasks, annotations) = self.read_database();
        if tasks.len() < TASKS / 2 {
            self.label_studio.import(self.project, TASKS / 2, false);
            return;
        }
        let task = self.some(&tasks);
        let more: Vec<_> = [task, self.some(&tasks), self.some(&tasks)].into();
        let kind = self.random.below(20);
        if kind >= 12 && !annotations.is_empty() {
            let path = format!("/api/annotations/{}/", self.some(&annotations));
            match kind {
                12 => self.label_studio.call(
                    "PATCH",
                    &path,
                    &json!({"result": choice("b"), "was_cancelled": false}),
                ),
                13 => self
                    .label_studio
                    .call("PATCH", &path, &json!({"was_cancelled": true})),
                _ => self.label_studio.call("DELETE", &path, &Value::Null),
            };
            return;
        }
        match kind {
            0 => {
                let path = format!("/api/tasks/{task}/");
                self.label_studio.call("DELETE", &path, &Value::Null);
            }
            1 => self.action("delete_tasks", &more),
            2 | 3 => self.action("delete_tasks_annotations", &more),
            4 => {
                for task in &more {
                    let made = json!({"task": task, "model_version": "m", "result": choice("a")});
                    self.label_studio.call("POST", "/api/predictions/", &made);
                }
                self.action("predictions_to_annotations", &more);
            }
            _ => {
                let made = json!({"result": choice("a"), "was_cancelled": kind == 5});
                let path = format!("/api/tasks/{task}/annotations/");
                self.label_studio.call("POST", &path, &made);
            }
        }
    }

    /// Ids of the annotations that a deletion is about.
    fn of_deletion(event: &Exported) -> Vec<u64> {
        let body: Value = serde_json::from_slice(&event.body).unwrap();
        match &body["annotations"] {
            Value::Array(annotations) => annotations
                .iter()
                .map(|annotation| annotation["id"].as_u64().unwrap())
                .collect(),
            _ => vec![body["id"].as_u64().unwrap()],
        }
    }

    fn assert_deletions(&self, events: &[Exported], there: &[u64]) {
        let mut told: BTreeMap<u64, usize> = BTreeMap::new();
        let deletions = events
            .iter()
            .filter(|event| event.attributes.event_type == DELETED);
        for event in deletions {
            let ids = Self::of_deletion(event);
            let tasks: BTreeSet<_> = ids.iter().map(|id| self.task_of[id].to_string()).collect();
            let only = tasks.first().filter(|_| tasks.len() == 1);
            let named = event.attributes.task.as_ref();
            assert_eq!(named, only, "{:?} of {ids:?}", event.attributes);
            if let [id] = ids[..] {
                *told.entry(id).or_default() += 1;
            }
        }
        let gone = self
            .task_of
            .keys()
            .filter(|id| !there.contains(id))
            .map(|id| (*id, 1))
            .collect();
        assert_eq!(told, gone, "each annotation that went is told once");
    }
}

#[test]
#[ignore = "needs an installed Label Studio: run it with `cargo xtask e2e derived`"]
fn every_deletion_names_its_task_and_each_completion_is_told_once() {
    let _machine = crate::beside_others();
    let mut label_studio = LabelStudio::start_for(LONGEST);
    let site = Site::with("deadline_ms = 30000");
    let relay = site.serve();
    let project = label_studio.project("derived");
    let url = format!("http://{}/label-studio", relay.address);
    label_studio.webhook(project, &url, SECRET);
    label_studio.import(project, TASKS, false);
    let mut walk = Walk {
        label_studio,
        project,
        random: Random::seeded(),
        task_of: BTreeMap::new(),
        labelled: BTreeSet::new(),
        completed: BTreeMap::new(),
    };
    let mut changes = Changes::or(CHANGES);
    for _ in &mut changes {
        walk.change();
    }
    let (_, there) = walk.read_database();
    let completed = |events: &[Exported]| {
        let mut completed: BTreeMap<u64, usize> = BTreeMap::new();
        for event in events {
            if event.attributes.event_type == COMPLETED {
                let body: Value = serde_json::from_slice(&event.body).unwrap();
                *completed.entry(body["task"].as_u64().unwrap()).or_default() += 1;
            }
        }
        completed
    };
    // The last delivery is answered before Label Studio answers; what follows from it is in its transaction.
    let events = site.export();
    assert_eq!(completed(&events), walk.completed);
    walk.assert_deletions(&events, &there);
    let derived = |event: &&Exported| event.attributes.origin == Some(Origin::Derived);
    let count = events.iter().filter(derived).count();
    assert!(count > 5, "hardly anything was derived");

    let pulled = program::command()
        .args(["pull", "label-studio", "--url", &walk.label_studio.base])
        .arg("--config")
        .arg(site.config())
        .envs(secrets())
        .env("LABELRELAY_QUEUE", site.queue_url())
        .env("LABEL_STUDIO_API_KEY", &walk.label_studio.token)
        .current_dir(site.folder())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(pulled.status.success(), "{pulled:?}");
    let after = site.export();
    walk.assert_deletions(&after, &there);
    assert_eq!(completed(&after), walk.completed);
    relay.terminate();
    assert!(relay.wait().success());
    println!(
        "derived: {}: {} events, {count} of them derived; {} annotations went, each told once and with its task; {} completions, each told once",
        changes.summary(),
        events.len(),
        walk.task_of.len() - there.len(),
        walk.completed.values().sum::<usize>(),
    );
}
