//! The state equals the platform, in whatever order events come.

use crate::support::{CREATED, DELETED, Dataset, annotation, event, more, rectangle, there};
use labelrelay_event::Event;
use serde_json::json;

fn boxed(label: &str) -> serde_json::Value {
    json!([rectangle("r", label, [10.0, 10.0, 20.0, 20.0], 0.0)])
}

fn gone(id: u32, second: u32) -> String {
    event(
        DELETED,
        second,
        &json!({"action": "ANNOTATIONS_DELETED", "annotations": [{"id": id}], "project": {"id": 1}}),
    )
}

#[test]
fn every_order_and_every_repeat_gives_the_same() {
    let events = [
        there(1, 7, 10, &boxed("car")),
        there(1, 7, 20, &boxed("bus")),
        gone(2, 40),
        there(2, 8, 30, &boxed("car")),
    ];
    let mut orders = vec![vec![]];
    for _ in 0..4 {
        let longer = |order: &Vec<usize>| {
            let order = order.clone();
            (0..events.len()).map(move |next| {
                let mut order = order.clone();
                order.push(next);
                order
            })
        };
        orders = orders.iter().flat_map(longer).collect();
    }
    orders.retain(|order| (0..events.len()).all(|it| order.contains(&it)));
    assert_eq!(orders.len(), 24);
    for mut order in orders {
        let again = order[0];
        order.push(again);
        let mut dataset = Dataset::new();
        for place in &order {
            dataset.fold(std::slice::from_ref(&events[*place]));
        }
        let samples = dataset.samples();
        assert_eq!(samples.len(), 1, "{order:?}");
        let annotations = samples[0]["annotations"].as_array().unwrap();
        assert_eq!(annotations.len(), 1, "{order:?}");
        assert_eq!(
            annotations[0]["regions"][0]["labels"],
            json!(["bus"]),
            "{order:?}"
        );
    }
}

#[test]
fn a_task_and_a_project_take_their_annotations_along() {
    let mut dataset = Dataset::new();
    dataset.fold(&[
        there(1, 7, 10, &boxed("car")),
        there(2, 8, 10, &boxed("car")),
        event(
            "io.labelstud.task.deleted",
            30,
            &json!({"action": "TASKS_DELETED", "tasks": [{"id": 7}], "project": {"id": 1}}),
        ),
    ]);
    assert_eq!(dataset.ids(), ["2"]);
    // It comes late, and went with its task. A later one has an id that began anew.
    dataset.fold(&[
        there(3, 7, 20, &boxed("car")),
        there(4, 7, 40, &boxed("car")),
    ]);
    assert_eq!(dataset.ids(), ["4", "2"]);
    dataset.fold(&[event(
        "io.labelstud.project.deleted",
        50,
        &json!({"action": "PROJECT_DELETED", "project": {"id": 1}}),
    )]);
    assert_eq!(dataset.ids(), [""; 0]);
}

/// Red if an unsigned header can empty a dataset, or if the platform's own word does not end it.
#[test]
fn a_deletion_known_by_a_header_alone_is_exported_until_the_platform_confirms_it() {
    let row = |labels: serde_json::Value| {
        json!({
            "data_row": {"id": "row", "row_data": "https://h/a.jpg?sig=1", "external_id": "a"},
            "media_attributes": {"width": 200, "height": 100},
            "projects": {"project": {"labels": labels, "project_details": {"workflow_status": "DONE"}}},
        })
    };
    let label = |at: &str| {
        json!([{
            "id": "label", "label_details": {"created_at": at, "updated_at": at, "created_by": "a@example.org"},
            "performance_details": {"skipped": false},
            "annotations": {"objects": [{"feature_id": "f", "name": "car", "bbox": {"left": 1, "top": 2, "width": 3, "height": 4}}], "classifications": [], "relationships": []},
        }])
    };
    let mut dataset = Dataset::new();
    let first = row(label("2026-11-21T11:00:00Z"));
    let kind = r#""typefrom":"header","#;
    dataset.fold(&[more("com.labelbox.label.created", 10, &first, kind)]);
    dataset.fold(&[more("com.labelbox.label.deleted", 20, &first, kind)]);
    let samples = dataset.samples();
    assert_eq!(samples.len(), 1);
    let found = &samples[0]["annotations"][0];
    assert_eq!(
        (&found["id"], &found["deletion_unconfirmed"]),
        (&json!("label"), &json!(true))
    );
    assert_eq!(
        samples[0]["media"], "https://h/a.jpg",
        "without its signature"
    );
    let pulled = r#""subject":"label/label","origin":"reconcile","#;
    dataset.fold(&[more("com.labelbox.label.deleted", 30, &first, pulled)]);
    assert_eq!(dataset.ids(), [""; 0]);
}

/// Red if two annotations of a task are its ground truth, in whatever order they were told.
#[test]
fn a_task_has_one_ground_truth() {
    let true_at = |id: u32, second: u32| {
        let mut made = annotation(id, 7, second, &boxed("car"));
        made["annotation"]["ground_truth"] = json!(true);
        event(CREATED, second, &made)
    };
    for order in [[1, 2], [2, 1]] {
        let mut dataset = Dataset::new();
        for id in order {
            dataset.fold(&[true_at(id, id * 10)]);
        }
        let mut options = labelrelay_dataset::Options::of(labelrelay_dataset::Format::Jsonl);
        options.which = labelrelay_dataset::Which::GroundTruth;
        let snapshot = dataset.write(&options);
        assert_eq!(
            (snapshot.counts.annotations, snapshot.counts.not_chosen),
            (1, 1)
        );
        let path = dataset
            .dir
            .path()
            .join(snapshot.path)
            .join("jsonl/samples.jsonl");
        assert_eq!(
            crate::support::lines(&path)[0]["annotations"][0]["id"],
            "2",
            "{order:?}"
        );
    }
}

/// Red if an annotation loses its ground truth though the platform left it: imported ones are ground truths beside one another,
/// and a new result of one takes nothing from the others. Red as well if it keeps one that was taken.
#[test]
fn ground_truths_of_an_import_stay_until_another_is_set() {
    let told = |kind: &str, id: u32, second: u32, is_one: bool| {
        let mut made = annotation(id, 7, second, &boxed("car"));
        made["annotation"]["ground_truth"] = json!(is_one);
        if kind == "imported" {
            // As a pull finds it: the annotation itself, and nothing around it.
            let mut found = made["annotation"].take();
            found["project"] = json!(1);
            return more(CREATED, second, &found, r#""origin":"reconcile","#);
        }
        made["action"] = json!(format!("ANNOTATION_{}", kind.to_uppercase()));
        event(&format!("io.labelstud.annotation.{kind}"), second, &made)
    };
    let imported = |id| told("imported", id, 10, true);
    let changed = |id, second, is_one| told("updated", id, second, is_one);
    let created = |id, second| told("created", id, second, true);
    let cases = [
        ("imported", vec![imported(1), imported(2)], vec!["1", "2"]),
        (
            "and changed",
            vec![imported(1), imported(2), changed(2, 20, true)],
            vec!["1", "2"],
        ),
        (
            "and changed before the pull",
            vec![changed(2, 20, true), imported(1), imported(2)],
            vec!["1", "2"],
        ),
        (
            "set again",
            vec![
                imported(1),
                imported(2),
                changed(2, 20, false),
                changed(2, 30, true),
            ],
            vec!["2"],
        ),
        (
            "set before the pull tells of it",
            vec![changed(2, 20, false), changed(2, 30, true), imported(1)],
            vec!["2"],
        ),
        (
            "created",
            vec![imported(1), imported(2), created(3, 20)],
            vec!["3"],
        ),
        (
            "created, told after its change",
            vec![
                imported(1),
                imported(2),
                changed(3, 30, true),
                created(3, 20),
            ],
            vec!["3"],
        ),
        (
            "created, and changed to none, told late",
            vec![changed(3, 30, false), created(3, 20), imported(1)],
            vec![],
        ),
    ];
    for (case, events, expected) in cases {
        let mut dataset = Dataset::new();
        for event in events {
            dataset.fold(&[event]);
        }
        let mut options = labelrelay_dataset::Options::of(labelrelay_dataset::Format::Jsonl);
        options.which = labelrelay_dataset::Which::All;
        let snapshot = dataset.write(&options);
        let path = dataset.dir.path().join(snapshot.path);
        let samples = crate::support::lines(&path.join("jsonl/samples.jsonl"));
        let annotations = samples[0]["annotations"].as_array().unwrap();
        let found: Vec<_> = annotations
            .iter()
            .filter(|annotation| annotation["ground_truth"] == true)
            .map(|annotation| annotation["id"].as_str().unwrap())
            .collect();
        assert_eq!(found, expected, "{case}");
    }
}

#[test]
fn one_event_that_cannot_be_read_keeps_no_other_back() {
    let mut dataset = Dataset::new();
    let good = there(1, 7, 10, &boxed("car"));
    let forged = there(2, 8, 10, &boxed("car")).replace("s3://cars", "s3://evil");
    let messages = [forged, good];
    let events = messages.iter().map(|it| Event::parse(it.as_bytes()));
    let verdicts = dataset.store.fold(events).unwrap();
    assert_eq!(
        verdicts.iter().map(Result::is_ok).collect::<Vec<_>>(),
        [false, true]
    );
    assert_eq!(dataset.ids(), ["1"]);
}

#[test]
fn skipped_tasks_are_counted_and_not_exported() {
    let mut dataset = Dataset::new();
    let mut skipped = annotation(1, 7, 10, &json!([]));
    skipped["annotation"]["was_cancelled"] = json!(true);
    dataset.fold(&[event(CREATED, 10, &skipped), there(2, 7, 5, &boxed("car"))]);
    let snapshot = dataset.write(&labelrelay_dataset::Options::of(
        labelrelay_dataset::Format::Jsonl,
    ));
    assert_eq!(
        (snapshot.counts.skipped, snapshot.counts.annotations),
        (1, 1)
    );
    assert_eq!(dataset.ids(), ["2"]);
}

/// Red if an event that became a dead letter is not counted, counted twice, or counted for ever.
#[test]
fn what_could_not_be_read_is_counted_until_it_is() {
    let mut dataset = Dataset::new();
    let options = labelrelay_dataset::Options::of(labelrelay_dataset::Format::Jsonl);
    let counted = |dataset: &mut Dataset| dataset.write(&options).counts.unreadable;
    let good = there(1, 7, 10, &boxed("car"));
    let id = Event::parse(good.as_bytes())
        .unwrap()
        .attributes()
        .id
        .clone();
    for _ in 0..2 {
        let noted = [
            (id.as_str(), "its shape is not known"),
            ("place 7", "no JSON"),
        ];
        dataset.store.note_unreadable(&noted).unwrap();
        assert_eq!(counted(&mut dataset), 2);
    }
    // A newer version knows its shape.
    dataset.fold(&[good]);
    assert_eq!(counted(&mut dataset), 1);
    assert_eq!(dataset.ids(), ["1"]);
}
