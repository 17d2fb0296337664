//! Who is the ground truth of a task, in whatever order events tell of it.

use crate::support::{CREATED, DELETED, Dataset, annotation, event, lines, more, time};
use labelrelay_dataset::{Format, Options, Scope, Which, compare};
use serde_json::{Value, json};

/// An annotation of a task that was made in one second, and is a ground truth or not in the version of another one.
#[derive(Clone, Copy)]
struct Told {
    id: u32,
    task: u32,
    made: u32,
    version: u32,
    is_ground_truth: bool,
}

impl Told {
    fn body(self) -> Value {
        let mut made = annotation(self.id, self.task, self.version, &json!([]));
        made["annotation"]["created_at"] = json!(time(self.made));
        made["annotation"]["ground_truth"] = json!(self.is_ground_truth);
        made
    }

    fn created(self) -> String {
        event(CREATED, self.version, &self.body())
    }

    fn updated(self) -> String {
        let mut body = self.body();
        body["action"] = json!("ANNOTATION_UPDATED");
        event("io.labelstud.annotation.updated", self.version, &body)
    }

    /// As a pull finds it: the annotation itself, and nothing around it.
    fn pulled(self, attributes: &str) -> String {
        let mut found = self.body()["annotation"].take();
        found["project"] = json!(1);
        let attributes = format!(r#""origin":"reconcile",{attributes}"#);
        more(CREATED, self.version, &found, &attributes)
    }
}

/// Of task 7.
fn told(id: u32, (made, version): (u32, u32), is_ground_truth: bool) -> Told {
    Told {
        id,
        task: 7,
        made,
        version,
        is_ground_truth,
    }
}

fn created(id: u32, at: u32, is_ground_truth: bool) -> String {
    told(id, (at, at), is_ground_truth).created()
}

fn updated(id: u32, times: (u32, u32), is_ground_truth: bool) -> String {
    told(id, times, is_ground_truth).updated()
}

/// A ground truth of an import that was made in the fifth second.
fn imported(id: u32) -> String {
    told(id, (5, 6), true).pulled("")
}

fn gone(id: u32, second: u32) -> String {
    let body =
        json!({"action": "ANNOTATIONS_DELETED", "annotations": [{"id": id}], "project": {"id": 1}});
    event(DELETED, second, &body)
}

fn all() -> Options {
    let mut options = Options::of(Format::Jsonl);
    options.which = Which::All;
    options
}

/// Ids of the ground truths.
fn found(dataset: &mut Dataset) -> Vec<String> {
    let snapshot = dataset.write(&all());
    let path = dataset.dir.path().join(snapshot.path);
    let samples = lines(&path.join("jsonl/samples.jsonl"));
    let annotations = samples
        .iter()
        .flat_map(|sample| sample["annotations"].as_array().unwrap());
    let mut ids: Vec<_> = annotations
        .filter(|annotation| annotation["ground_truth"] == true)
        .map(|annotation| annotation["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

/// All orders of so many things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let mut orders = vec![vec![]];
    for next in 0..count {
        let longer = |order: &Vec<usize>| {
            let order = order.clone();
            (0..=order.len()).map(move |place| {
                let mut order = order.clone();
                order.insert(place, next);
                order
            })
        };
        orders = orders.iter().flat_map(longer).collect();
    }
    orders
}

/// Red if the order of events decides which annotations are ground truths.
#[test]
fn every_order_gives_the_ground_truths_of_the_platform() {
    let cases = [
        (
            "an import, and a new result",
            vec![imported(1), imported(2), updated(2, (5, 30), true)],
            vec!["1", "2"],
        ),
        (
            "an import, taken away and set again",
            vec![
                imported(1),
                imported(2),
                updated(2, (5, 20), false),
                updated(2, (5, 30), true),
            ],
            vec!["2"],
        ),
        (
            "an import that gets it back",
            vec![imported(1), created(2, 20, true), updated(1, (5, 30), true)],
            vec!["1"],
        ),
        (
            "set after it was created without",
            vec![
                created(1, 10, true),
                created(2, 20, false),
                updated(2, (20, 30), true),
            ],
            vec!["2"],
        ),
        (
            "the first one is set again",
            vec![
                created(1, 10, true),
                created(2, 20, true),
                updated(1, (10, 30), true),
            ],
            vec!["1"],
        ),
        (
            "the last one is gone",
            vec![created(1, 10, true), created(2, 20, true), gone(2, 40)],
            vec![],
        ),
        (
            "set later, and gone",
            vec![
                created(1, 10, true),
                created(2, 20, false),
                updated(2, (20, 30), true),
                gone(2, 40),
            ],
            vec![],
        ),
        (
            "set on one of an import, which is gone",
            vec![created(1, 10, true), updated(2, (5, 30), true), gone(2, 40)],
            vec![],
        ),
        (
            "one gets it back, and loses it again",
            vec![
                imported(1),
                created(2, 20, true),
                updated(1, (5, 30), true),
                updated(1, (5, 40), false),
            ],
            vec![],
        ),
        (
            "the last one is none any more",
            vec![
                imported(1),
                updated(1, (5, 15), true),
                created(2, 20, true),
                updated(2, (20, 30), false),
            ],
            vec![],
        ),
    ];
    for (case, events, expected) in cases {
        for order in orders(events.len()) {
            let mut dataset = Dataset::new();
            for place in order.iter().chain(order.first()) {
                dataset.fold(std::slice::from_ref(&events[*place]));
            }
            assert_eq!(found(&mut dataset), expected, "{case}: {order:?}");
        }
    }
}

/// Red if an annotation of an import counts as set because another one had its id before: an import into `SQLite` gives the
/// highest id again.
#[test]
fn an_id_that_is_given_again_begins_anew() {
    let of_task_8 = |id: u32, version: u32| Told {
        id,
        task: 8,
        made: 30,
        version,
        is_ground_truth: true,
    };
    let events = [
        created(3, 10, false),
        gone(3, 20),
        of_task_8(4, 31).pulled(""),
        of_task_8(3, 40).updated(),
    ];
    for order in orders(events.len()) {
        let mut dataset = Dataset::new();
        for place in &order {
            dataset.fold(std::slice::from_ref(&events[*place]));
        }
        assert_eq!(found(&mut dataset), ["3", "4"], "{order:?}");
    }
}

/// Red if no snapshot is written after a late event that only takes the ground truth from another annotation.
#[test]
fn what_a_late_event_takes_is_a_change() {
    let mut dataset = Dataset::new();
    dataset.fold(&[created(1, 10, true), updated(2, (20, 30), true)]);
    assert_eq!(found(&mut dataset), ["1", "2"]);
    dataset.fold(&[created(2, 20, false)]);
    assert_eq!(found(&mut dataset), ["2"]);
}

/// Red if the state goes on to hold against the platform what it got wrong.
#[test]
fn a_ground_truth_that_the_platform_has_is_kept() {
    let one = told(1, (5, 6), true);
    let mut dataset = Dataset::new();
    dataset.fold(&[one.pulled(""), created(2, 20, true)]);
    assert_eq!(found(&mut dataset), ["2"]);
    let mut platform = Dataset::new();
    platform.fold(&[one.pulled(""), told(2, (20, 20), false).pulled("")]);
    let scope = Scope {
        source: "/label-studio".to_owned(),
        projects: Vec::new(),
    };
    let differences = compare(&dataset.store, &platform.store, &scope).unwrap();
    let until = "2026-11-21T13:00:00Z".parse().unwrap();
    dataset
        .store
        .adopt(&platform.store, &differences, until)
        .unwrap();
    assert_eq!(found(&mut dataset), ["1"]);
    let again = r#""replayedtime":"2026-11-21T13:10:00Z","#;
    dataset.fold(&[one.pulled(again)]);
    assert_eq!(found(&mut dataset), ["1"]);
}

/// Red if a version that was a ground truth once is one for ever: it loses that without another version, and a pull may be
/// all that tells it.
#[test]
fn what_is_lost_with_the_same_version_stays_lost() {
    let (before, after) = (told(1, (5, 10), true), told(1, (5, 10), false));
    let again = r#""replayedtime":"2026-11-21T13:10:00Z","#;
    let again = more("io.labelstud.annotation.updated", 10, &before.body(), again);
    for order in [
        [before.updated(), after.pulled("")],
        [after.pulled(""), before.updated()],
    ] {
        let mut dataset = Dataset::new();
        let mut numbers = Vec::new();
        for message in &order {
            dataset.fold(std::slice::from_ref(message));
            numbers.push(dataset.write(&all()).number);
        }
        assert_eq!(found(&mut dataset), [""; 0], "{order:?}");
        assert!(numbers[0] < numbers[1], "{order:?}");
        dataset.fold(std::slice::from_ref(&again));
        assert_eq!(found(&mut dataset), [""; 0], "{order:?}");
    }
}
