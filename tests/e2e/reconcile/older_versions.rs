//! Label Studios of before the protection of private addresses, as they come: they deliver to this machine. And
//! what becomes of their webhooks once the newest version serves their data.

use super::outage::assert_says_what_it_says;
use super::{assert_each_once, of_origin, summary};
use crate::connect::{good, refused, status, webhooks};
use labelrelay_tests::export::Exported;
use labelrelay_tests::label_studio::{LabelStudio, choice};
use labelrelay_tests::random::Random;
use labelrelay_tests::relay::{Site, eventually};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const CHANGES: usize = 200;

/// A first event comes within this time, by whatever way.
pub(super) const FIRST_EVENT: Duration = Duration::from_secs(60);

/// Kinds of changes; a kind that is listed twice is made twice as often.
const KINDS: [Change; 16] = [
    Change::Import,
    Change::Import,
    Change::Import,
    Change::Annotate,
    Change::Annotate,
    Change::Annotate,
    Change::Annotate,
    Change::Update,
    Change::Update,
    Change::DeleteAnnotation,
    Change::DeleteTask,
    Change::DeleteTasks,
    Change::DeleteAnnotations,
    Change::AnnotatePredictions,
    Change::AnnotatePredictions,
    Change::Import,
];

#[derive(Clone, Copy)]
pub(super) enum Change {
    Import,
    Annotate,
    Update,
    DeleteAnnotation,
    DeleteTask,
    DeleteTasks,
    DeleteAnnotations,
    AnnotatePredictions,
}

#[test]
#[ignore = "needs an older Label Studio: run it with `cargo xtask campaign older-label-studios`"]
fn events_of_1_20_0_agree_with_its_database() {
    events_agree_with_the_database("1.20.0");
}

#[test]
#[ignore = "needs an older Label Studio: run it with `cargo xtask campaign older-label-studios`"]
fn events_of_1_22_0_agree_with_its_database() {
    events_agree_with_the_database("1.22.0");
}

fn events_agree_with_the_database(version: &str) {
    let mut label_studio = LabelStudio::start_older(version);
    let site = Site::new();
    let relay = site.serve();
    let project = label_studio.project("Cars");
    let start = Instant::now();
    let said = [
        &*format!("Label Studio {version} at "),
        "\"Cars\": webhook ",
        " made",
    ];
    good(&site, &label_studio, &[], &said);
    label_studio.import(project, 10, false);
    eventually("the first event is in the queue", || {
        (!site.export().is_empty()).then_some(())
    });
    let took = start.elapsed();
    println!("{version}: the first event after {took:?}");
    assert!(took <= FIRST_EVENT, "{took:?}");
    good(&site, &label_studio, &[], &["nothing to change"]);

    let mut random = Random::seeded();
    for _ in 0..CHANGES {
        Change::any(&mut random).make(&mut label_studio, project, &mut random);
    }
    let live = site.export();
    // With a task its annotations go, of which no delivery tells.
    let pulled = summary(&site, &label_studio, &[]);
    println!("{version}: {} events live, then {pulled}", live.len());
    assert_eq!(
        (&pulled["created"], &pulled["updated"]),
        (&json!(0), &json!(0)),
        "each change came live"
    );
    let events = site.export();
    assert_each_once(&events);
    assert_eq!(of_origin(&events, false), live.len());
    assert_says_what_it_says(&mut label_studio, project, &events);

    good(&site, &label_studio, &["--remove"], &["removed"]);
    assert!(webhooks(&mut label_studio).is_empty());
    relay.terminate();
    assert!(relay.wait().success());
}

impl Change {
    pub(super) fn any(random: &mut Random) -> Self {
        KINDS[usize::try_from(random.below(KINDS.len() as u64)).unwrap()]
    }

    /// Tells whether the Data Manager makes it, which leaves the time of the tasks as it was.
    pub(super) fn is_bulk(self) -> bool {
        matches!(
            self,
            Self::DeleteTasks | Self::DeleteAnnotations | Self::AnnotatePredictions
        )
    }

    pub(super) fn make(self, label_studio: &mut LabelStudio, project: u64, random: &mut Random) {
        match self {
            Self::Import => {
                let count = 1 + usize::try_from(random.below(4)).unwrap();
                // Of annotations that an import brings, no delivery tells.
                label_studio.import(project, count, false);
            }
            Self::Annotate => {
                for task in picked(label_studio, "task", random, 1) {
                    let path = format!("/api/tasks/{task}/annotations/");
                    label_studio.call("POST", &path, &json!({"result": choice("a")}));
                }
            }
            Self::Update => {
                for annotation in picked(label_studio, "task_completion", random, 1) {
                    let path = format!("/api/annotations/{annotation}/");
                    label_studio.call("PATCH", &path, &json!({"result": choice("b")}));
                }
            }
            Self::DeleteAnnotation => {
                for annotation in picked(label_studio, "task_completion", random, 1) {
                    let path = format!("/api/annotations/{annotation}/");
                    label_studio.call("DELETE", &path, &Value::Null);
                }
            }
            Self::DeleteTask => {
                for task in picked(label_studio, "task", random, 1) {
                    label_studio.call("DELETE", &format!("/api/tasks/{task}/"), &Value::Null);
                }
            }
            Self::DeleteTasks => in_bulk(label_studio, project, random, "delete_tasks"),
            Self::DeleteAnnotations => {
                in_bulk(label_studio, project, random, "delete_tasks_annotations");
            }
            Self::AnnotatePredictions => {
                for task in picked(label_studio, "task", random, 2) {
                    let value = json!({"task": task, "model_version": "m1", "result": choice("a")});
                    label_studio.call("POST", "/api/predictions/", &value);
                }
                in_bulk(label_studio, project, random, "predictions_to_annotations");
            }
        }
    }
}

/// An action of the Data Manager on two tasks.
fn in_bulk(label_studio: &mut LabelStudio, project: u64, random: &mut Random, action: &str) {
    let tasks = picked(label_studio, "task", random, 2);
    let path = format!("/api/dm/actions?id={action}&project={project}");
    let value = json!({"selectedItems": {"all": false, "included": tasks}});
    if !tasks.is_empty() {
        label_studio.call("POST", &path, &value);
    }
}

/// Ids of some rows, one after the other.
fn picked(
    label_studio: &mut LabelStudio,
    table: &str,
    random: &mut Random,
    most: u64,
) -> Vec<Value> {
    let all = label_studio.rows(&format!("select id from {table} order by id"));
    let skipped = usize::try_from(random.below(all.len().max(1) as u64)).unwrap();
    let rows = all.iter().skip(skipped);
    rows.take(usize::try_from(most).unwrap())
        .map(|row| row[0].clone())
        .collect()
}

#[test]
#[ignore = "needs an older Label Studio: run it with `cargo xtask campaign older-label-studios`"]
fn a_webhook_that_an_upgrade_silences_is_named_and_its_events_are_pulled() {
    let mut label_studio = LabelStudio::start_older("1.22.0");
    let site = Site::new();
    let relay = site.serve();
    let project = label_studio.project("Cars");
    good(&site, &label_studio, &[], &[" made"]);
    label_studio.import(project, 2, true);
    eventually("it delivers", || (!site.export().is_empty()).then_some(()));
    let before = site.export().len();

    label_studio.upgrade();
    label_studio.import(project, 2, true);
    assert_eq!(site.export().len(), before, "the newest drops it");
    let (_, said) = status(&site, &label_studio);
    for part in [
        "Label Studio 1.23.2 at ",
        "no longer takes webhooks to the relay, and sends none",
        "reserved network address",
        "SSRF_PROTECTION_ENABLED=false",
    ] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    refused(
        &site,
        &label_studio,
        &["--push-only"],
        &["reserved network address", "[source.pull]", "every = "],
    );

    std::fs::write(site.folder().join("token"), &label_studio.token).unwrap();
    let repair = ["--repair", "--token", "file:token"];
    let said = [
        "[source.pull] written below the source `label-studio`",
        "first event after ",
    ];
    good(&site, &label_studio, &repair, &said);
    eventually("the events say what Label Studio says", || {
        let annotations = label_studio.rows("select id from task_completion").len();
        (told_annotations(&site.export()) == annotations).then_some(())
    });
    assert_says_what_it_says(&mut label_studio, project, &site.export());
    relay.terminate();
    assert!(relay.wait().success());
}

/// Number of annotations that there are by the events.
fn told_annotations(events: &[Exported]) -> usize {
    let applied = super::applied(events);
    let annotations = applied
        .keys()
        .filter(|subject| subject.starts_with("annotation/"));
    annotations.count()
}
