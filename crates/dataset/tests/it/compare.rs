//! Comparisons find all that differs from the platform, and nothing else.

use crate::support::{Dataset, annotation, event, more, rectangle, there, time};
use labelrelay_dataset::{Differences, Format, Options, Scope, compare};
use serde_json::{Value, json};

fn boxed(x: f64) -> Value {
    json!([rectangle("r", "car", [x, 10.0, 20.0, 20.0], 0.0)])
}

/// As a pull finds it: the annotation itself, and nothing around it.
fn pulled(id: u32, task: u32, second: u32, result: &Value) -> String {
    let mut found = annotation(id, task, second, result)["annotation"].clone();
    found["project"] = json!(1);
    found["lead_time"] = json!(1.5);
    let kind = r#""origin":"reconcile","#;
    more("io.labelstud.annotation.created", 100, &found, kind)
}

fn scope(projects: &[&str]) -> Scope {
    Scope {
        source: "/label-studio".to_owned(),
        projects: projects.iter().map(ToString::to_string).collect(),
    }
}

fn names(of: &Differences) -> [Vec<&str>; 3] {
    [&of.missing, &of.extra, &of.different].map(|ids| ids.iter().map(|it| it.id.as_str()).collect())
}

#[test]
fn ten_planted_differences_are_found() {
    let mut platform = Dataset::new();
    let all: Vec<String> = (1..=20)
        .map(|id| pulled(id, id, 10, &boxed(10.0)))
        .collect();
    platform.fold(&all);

    let mut ours = Dataset::new();
    ours.fold(
        &(1..=20)
            .map(|id| there(id, id, 10, &boxed(10.0)))
            .collect::<Vec<_>>(),
    );
    let same = compare(&ours.store, &platform.store, &scope(&[])).unwrap();
    assert!(same.are_none(), "{same:?}");
    assert_eq!(same.equal, 20);

    let mut ours = Dataset::new();
    let mut events = Vec::new();
    for id in 1..=20 {
        events.push(match id {
            // Missing.
            1..=3 => continue,
            // Moved by a hair, older, of another task.
            4 | 5 => there(id, id, 10, &boxed(10.01)),
            6 => there(id, id, 9, &boxed(10.0)),
            7 => there(id, 99, 10, &boxed(10.0)),
            _ => there(id, id, 10, &boxed(10.0)),
        });
    }
    // Extra.
    events.extend((30..=32).map(|id| there(id, id, 10, &boxed(10.0))));
    ours.fold(&events);
    let found = compare(&ours.store, &platform.store, &scope(&[])).unwrap();
    let expected = [
        vec!["1", "2", "3"],
        vec!["30", "31", "32"],
        vec!["4", "5", "6", "7"],
    ];
    assert_eq!(names(&found), expected);
    assert_eq!(found.equal, 13);
    let parts = found.different.iter().map(|id| found.parts_of(id));
    let expected = [&["regions"][..], &["regions"], &["version"], &["task"]];
    assert_eq!(parts.collect::<Vec<_>>(), expected);
    let now = "2026-11-21T13:00:00Z".parse().unwrap();
    ours.store.adopt(&platform.store, &found, now).unwrap();
    let mended = compare(&ours.store, &platform.store, &scope(&[])).unwrap();
    assert!(mended.are_none(), "{mended:?}");
    assert_eq!(mended.equal, 20);
    // The mended annotation is written, and a version of before does not come back.
    ours.fold(&[
        there(6, 6, 9, &boxed(10.0)),
        there(30, 30, 10, &boxed(10.0)),
    ]);
    assert_eq!(ours.ids().len(), 20);
}

/// Red if a dataset passes for equal that names another image than the platform does; if data that is written otherwise, or
/// that nobody told, passes for other data; or if a repair leaves the image as it was.
#[test]
fn a_task_with_other_data_is_a_difference() {
    let mut ours = Dataset::new();
    ours.fold(&[1, 2, 3].map(|id| there(id, id, 10, &boxed(10.0))));
    let task = |id: u32, data: &str| {
        let found = json!({"id": id, "project": 1, "updated_at": time(20), "data": "?"});
        let found = found.to_string().replace("\"?\"", data);
        let raw = found.as_bytes();
        let digest = labelrelay_event::Digest::of(raw).to_hex();
        format!(
            r#"{{"specversion":"1.0","id":"{digest}","source":"/label-studio","type":"io.labelstud.task.created","origin":"reconcile","datasha256":"{digest}","receivedtime":"2026-11-21T13:00:00Z","data":{found}}}"#
        )
    };
    let mut platform = Dataset::new();
    platform.fold(&[1, 2, 3].map(|id| pulled(id, id, 10, &boxed(10.0))));
    platform.fold(&[
        task(1, r#"{ "image" : "s3:\/\/cars\/1.jpg?token=secret" }"#),
        task(2, r#"{"image":"s3://cars/again.jpg"}"#),
    ]);
    let found = compare(&ours.store, &platform.store, &scope(&[])).unwrap();
    assert_eq!(names(&found), [vec![], vec![], vec!["2"]]);
    assert_eq!(found.equal, 2);
    let now = "2026-11-21T13:00:00Z".parse().unwrap();
    ours.store.adopt(&platform.store, &found, now).unwrap();
    let mended = compare(&ours.store, &platform.store, &scope(&[])).unwrap();
    assert!(mended.are_none(), "{mended:?}");
    let samples = ours.samples();
    let media: Vec<_> = samples.iter().map(|it| it["media"].as_str()).collect();
    let expected = ["s3://cars/1.jpg", "s3://cars/again.jpg", "s3://cars/3.jpg"];
    assert_eq!(media, expected.map(Some));
}

/// Red if a platform that has nothing any more passes for equal, or another project for gone.
#[test]
fn comparisons_go_by_what_was_asked_for() {
    let mut ours = Dataset::new();
    ours.fold(&[there(1, 1, 10, &boxed(10.0))]);
    let nothing = Dataset::new();
    let all = compare(&ours.store, &nothing.store, &scope(&[])).unwrap();
    assert_eq!(names(&all), [vec![], vec!["1"], vec![]]);
    assert_eq!(
        compare(&ours.store, &nothing.store, &scope(&["1"])).unwrap(),
        all
    );
    assert!(
        compare(&ours.store, &nothing.store, &scope(&["2"]))
            .unwrap()
            .are_none()
    );
}

/// A directory that was lost is made anew, and a class keeps the number that it had in one that was not.
#[test]
fn a_lost_dataset_is_made_anew() {
    let mut platform = Dataset::new();
    platform.fold(
        &(1..=5)
            .map(|id| pulled(id, id, 10, &boxed(10.0)))
            .collect::<Vec<_>>(),
    );
    let mut anew = Dataset::new();
    let all = compare(&anew.store, &platform.store, &scope(&[])).unwrap();
    assert_eq!(all.missing.len(), 5);
    let now = "2026-11-21T13:00:00Z".parse().unwrap();
    anew.store.adopt(&platform.store, &all, now).unwrap();
    assert!(
        compare(&anew.store, &platform.store, &scope(&[]))
            .unwrap()
            .are_none()
    );
    assert_eq!(anew.ids(), ["1", "2", "3", "4", "5"]);
}

/// A label of Labelbox in the version of this hour, with a mask at this address; and an event that it is in.
fn label(id: &str, hour: u8, mask: &str, attributes: &str) -> String {
    let at = format!("2026-11-21T{hour:02}:00:00Z");
    let row = json!({
        "data_row": {"id": format!("row-{id}"), "row_data": format!("https://h/{id}.jpg"), "external_id": id},
        "media_attributes": {"width": 200, "height": 100},
        "projects": {"project": {"labels": [{
            "id": id, "label_details": {"created_at": at, "updated_at": at}, "performance_details": {"skipped": false},
            "annotations": {
                "objects": [{"feature_id": "f", "name": "car", "value": "car", "mask": {"url": mask}}],
                "classifications": [], "relationships": [],
            },
        }], "project_details": {}}},
    });
    more("com.labelbox.label.updated", 10, &row, attributes)
}

/// Red if an export is not what the webhooks told because it writes the addresses of masks otherwise, or if a label that
/// changed, or that is missing, passes for equal.
#[test]
fn labels_are_compared_by_their_versions() {
    let live =
        |id: &str, hour: u8| label(id, hour, "https://m/feature/1", r#""typefrom":"header","#);
    let exported = |id: &str, hour: u8| {
        let attributes = format!(r#""subject":"label/{id}","origin":"reconcile","#);
        label(id, hour, "https://m/export/1", &attributes)
    };
    let mut ours = Dataset::new();
    // Of a row whose label is missing, its step may be known.
    let step = json!({
        "projectId": "project", "action": "Approve", "dataRowIds": ["row-new"], "originTaskName": "Initial review",
        "destinationTaskName": "Done", "timestamp": "2026-11-21T11:30:00Z",
    });
    ours.fold(&[
        live("same", 11),
        live("changed", 11),
        live("gone", 11),
        event("com.labelbox.workflow.approve", 20, &step),
    ]);
    let mut platform = Dataset::new();
    platform.fold(&[
        exported("same", 11),
        exported("changed", 12),
        exported("new", 11),
    ]);
    let scope = Scope {
        source: "/labelbox".to_owned(),
        projects: vec!["project".to_owned()],
    };
    let mut found = compare(&ours.store, &platform.store, &scope).unwrap();
    assert_eq!(names(&found), [vec!["new"], vec!["gone"], vec!["changed"]]);
    assert_eq!(found.equal, 1);
    found.forget_extra();
    let now = "2026-11-21T13:00:00Z".parse().unwrap();
    ours.store.adopt(&platform.store, &found, now).unwrap();
    let left = compare(&ours.store, &platform.store, &scope).unwrap();
    assert_eq!(names(&left), [vec![], vec!["gone"], vec![]]);
    // What the export found is there with its media.
    let samples = ours.samples();
    let new = samples.iter().find(|it| it["media"] == "https://h/new.jpg");
    let new = new.unwrap();
    assert_eq!(new["annotations"][0]["id"], "new", "{new}");
}

/// A label in an export: a box whose left side is here, a mark behind it, and the answers to a question.
fn exported_box(left: f64, answers: &[&str]) -> Value {
    let answers: Vec<_> = answers
        .iter()
        .map(|it| json!({"feature_id": it, "name": it, "value": it}))
        .collect();
    let at = "2026-11-21T11:00:00Z";
    json!({
        "data_row": {"id": "row", "row_data": "https://h/1.jpg", "external_id": "1"},
        "media_attributes": {"width": 200, "height": 100},
        "projects": {"project": {"labels": [{
            "id": "l", "label_details": {"created_at": at, "updated_at": at}, "performance_details": {"skipped": false},
            "annotations": {
                "objects": [
                    {"feature_id": "p", "name": "light", "value": "light", "point": {"x": 7.0, "y": 8.5}},
                    {
                        "feature_id": "b", "name": "car", "value": "car",
                        "bounding_box": {"top": 10.0, "left": left, "width": 30.0, "height": 40.0},
                    },
                ],
                "classifications": [{
                    "feature_id": "q", "name": "weather", "value": "weather", "checklist_answers": answers,
                }],
                "relationships": [],
            },
        }], "project_details": {}}},
    })
}

/// The same label in a webhook of the first version, which has other names, and another order.
fn webhook_of_v1() -> Value {
    let chosen = ["sun", "wind"].map(|it| json!({"featureId": it, "title": it, "value": it}));
    let label = json!({
        "objects": [
            {
                "featureId": "b", "title": "car", "value": "car", "instanceURI": "https://m/feature/b",
                "bbox": {"top": 10, "left": 20, "width": 30, "height": 40},
            },
            {"featureId": "p", "title": "light", "value": "light", "point": {"x": 7, "y": 8.5}},
        ],
        "classifications": [{"featureId": "q", "title": "weather", "value": "weather", "answers": chosen}],
        "relationships": [],
    });
    json!({
        "id": "l", "label": label.to_string(), "createdAt": "2026-11-21T11:00:00Z", "updatedAt": "2026-11-21T11:00:00Z",
        "skipped": false, "dataRow": {"id": "row"}, "project": {"id": "project"}, "user": {"id": "somebody"},
    })
}

/// Red if a label of the same version with another box or another answer passes for equal, or if a form of the same
/// content passes for other content.
#[test]
fn labels_of_one_version_are_compared_by_what_they_say() {
    let scope = Scope {
        source: "/labelbox".to_owned(),
        projects: vec!["project".to_owned()],
    };
    let (v1, v2) = (webhook_of_v1(), exported_box(20.0, &["sun", "wind"]));
    for live in [v1, v2] {
        let mut ours = Dataset::new();
        let told = r#""typefrom":"header","#;
        ours.fold(&[more("com.labelbox.label.updated", 10, &live, told)]);
        for (left, answers, is_equal) in [
            (20.0, &["sun", "wind"][..], true),
            (20.000_04, &["wind", "sun"][..], true),
            (20.01, &["sun", "wind"][..], false),
            (20.0, &["sun"][..], false),
            (20.0, &["sun", "rain"][..], false),
        ] {
            let row = exported_box(left, answers);
            let found = r#""subject":"label/l","origin":"reconcile","#;
            let mut platform = Dataset::new();
            platform.fold(&[more("com.labelbox.label.updated", 10, &row, found)]);
            let differences = compare(&ours.store, &platform.store, &scope).unwrap();
            assert_eq!(
                differences.are_none(),
                is_equal,
                "{left} {answers:?}: {differences:?}"
            );
            assert_eq!(differences.equal, u64::from(is_equal));
            let part = if left > 20.001 { "regions" } else { "answers" };
            for id in &differences.different {
                assert_eq!(differences.parts_of(id), [part]);
            }
        }
    }
}

/// Red if a label that an unsigned header says is gone passes for equal to one that the platform has.
#[test]
fn a_deletion_that_the_platform_contradicts_is_a_difference() {
    let body = |attributes: &str| label("marked", 11, "https://m/1", attributes);
    let deleted = body(r#""typefrom":"header","#).replace("label.updated", "label.deleted");
    let mut ours = Dataset::new();
    ours.fold(&[body(r#""typefrom":"header","#)]);
    ours.fold(&[deleted]);
    let unconfirmed = |dataset: &mut Dataset| {
        let snapshot = dataset.write(&Options::of(Format::Jsonl));
        (
            snapshot.counts.annotations,
            snapshot.counts.deletion_unconfirmed,
        )
    };
    assert_eq!(unconfirmed(&mut ours), (1, 1));
    let mut platform = Dataset::new();
    platform.fold(&[body(r#""subject":"label/marked","origin":"reconcile","#)]);
    let scope = Scope {
        source: "/labelbox".to_owned(),
        projects: vec!["project".to_owned()],
    };
    let mut found = compare(&ours.store, &platform.store, &scope).unwrap();
    found.forget_extra();
    assert_eq!(names(&found), [vec![], vec![], vec!["marked"]]);
    let now = "2026-11-21T13:00:00Z".parse().unwrap();
    ours.store.adopt(&platform.store, &found, now).unwrap();
    assert_eq!(unconfirmed(&mut ours), (1, 0));
}
