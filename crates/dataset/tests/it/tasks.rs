//! Tasks: there, and gone, in whatever order events tell of it.

use crate::parts::{options, tables};
use crate::support::{CREATED, Dataset, annotation, event, there, time};
use labelrelay_dataset::{Addresses, Scope, compare};
use serde_json::{Value, json};

/// Task 7, as it was in one second.
fn task(changed: u32) -> Value {
    json!({
        "id": 7, "project": 1, "data": {"image": "s3://cars/7.jpg"},
        "created_at": time(changed), "updated_at": time(changed),
    })
}

/// Received at one second, of another one.
pub(crate) fn created(second: u32, changed: u32) -> String {
    let body = json!({"action": "TASKS_CREATED", "tasks": [task(changed)], "project": {"id": 1}});
    event("io.labelstud.task.created", second, &body)
}

/// An annotation of it, with the task beside it.
pub(crate) fn annotated(second: u32, changed: u32) -> String {
    let mut body = annotation(1, 7, changed, &json!([]));
    body["task"] = task(changed);
    event(CREATED, second, &body)
}

fn completed(second: u32) -> String {
    let body = json!({"task": 7, "project": 1, "annotation": 1});
    event("io.labelstud.task.completed", second, &body)
}

pub(crate) fn gone(second: u32) -> String {
    let body = json!({"action": "TASKS_DELETED", "tasks": [{"id": 7}]});
    event("io.labelstud.task.deleted", second, &body)
}

fn project_gone(second: u32) -> String {
    let body = json!({"action": "PROJECT_DELETED", "project": {"id": 1}});
    event("io.labelstud.project.deleted", second, &body)
}

/// Tells whether task 7 is there after these events.
fn is_there<'e>(events: impl IntoIterator<Item = &'e String>) -> bool {
    let mut dataset = Dataset::new();
    // Of another project, so that all tables have something.
    let mut other = annotation(9, 9, 1, &json!([]));
    other["project"]["id"] = json!(2);
    other["task"]["project"] = json!(2);
    dataset.fold(&[event(CREATED, 1, &other)]);
    for message in events {
        dataset.fold(std::slice::from_ref(message));
    }
    let snapshot = dataset.write(&options());
    let tasks = &tables(&dataset, &snapshot)[3];
    let mut ours = tasks.iter().filter(|row| row["task_id"] == "7");
    ours.any(|row| row["deleted"] == "0")
}

/// Red if a delivery that a deletion overtook brings the task back, or if the order of the two has a say.
#[test]
fn what_is_told_late_of_a_task_that_is_gone_does_not_bring_it_back() {
    for gone in [gone(20), project_gone(20)] {
        for late in [created(30, 10), annotated(30, 10), completed(15)] {
            assert!(is_there([&late]), "{late}");
            assert!(!is_there([&gone, &late]), "{late}");
            let known = created(10, 10);
            assert!(!is_there([&known, &late, &gone]), "{late}");
            assert!(!is_there([&known, &gone, &late]), "{late}");
        }
    }
}

/// Red if a task stays away whose id was given again, also where it has the data of the one before.
#[test]
fn a_task_with_an_id_of_before_is_there() {
    let mut other = json!({"action": "TASKS_CREATED", "tasks": [task(40)], "project": {"id": 1}});
    other["tasks"][0]["data"]["image"] = json!("s3://cars/again.jpg");
    let other = event("io.labelstud.task.created", 41, &other);
    let (before, gone) = (created(10, 10), gone(20));
    for again in [other, annotated(41, 40), created(41, 40)] {
        for order in [
            [&before, &gone, &again],
            [&before, &again, &gone],
            [&again, &gone, &before],
        ] {
            assert!(is_there(order), "{order:?}");
        }
    }
}

/// Red if what was received last of a task counts, and not what was so last.
#[test]
fn the_last_data_of_a_task_count() {
    let mut dataset = Dataset::new();
    let with = |second: u32, changed: u32, name: &str| {
        let mut body = annotation(1, 7, changed, &json!([]));
        body["task"] = task(changed);
        body["task"]["data"]["name"] = json!(name);
        event(CREATED, second, &body)
    };
    dataset.fold(&[
        with(20, 20, "new"),
        with(21, 10, "old"),
        there(9, 9, 1, &json!([])),
    ]);
    let snapshot = dataset.write(&options());
    let tasks = &tables(&dataset, &snapshot)[3];
    let ours = tasks.iter().find(|row| row["task_id"] == "7").unwrap();
    assert!(ours["data"].contains("new"), "{ours:?}");
}

/// Red if a task counts as completed because another one was that had its id before.
#[test]
fn a_task_with_an_id_of_before_is_not_completed() {
    let (before, done, gone, again) = (created(10, 10), completed(15), gone(20), created(41, 40));
    for order in [
        [&before, &done, &gone, &again],
        [&before, &gone, &done, &again],
        [&before, &gone, &again, &done],
        [&before, &done, &again, &gone],
    ] {
        let mut dataset = Dataset::new();
        for message in order {
            dataset.fold(std::slice::from_ref(message));
        }
        dataset.fold(&[there(9, 9, 1, &json!([]))]);
        let snapshot = dataset.write(&options());
        let tasks = &tables(&dataset, &snapshot)[3];
        let ours = tasks.iter().find(|row| row["task_id"] == "7").unwrap();
        assert_eq!(ours.get("completed_at"), None, "{order:?}");
    }
}

/// Red if a task passes for deleted though the platform has it, and a repair brought its annotations.
#[test]
fn a_repair_brings_a_task_back() {
    let mut dataset = Dataset::new();
    dataset.fold(&[annotated(10, 10), gone(20), there(9, 9, 1, &json!([]))]);
    let mut platform = Dataset::new();
    let again = there(2, 7, 40, &json!([]));
    platform.fold(&[again, there(9, 9, 1, &json!([]))]);
    let scope = Scope {
        source: "/label-studio".to_owned(),
        projects: Vec::new(),
    };
    let found = compare(&dataset.store, &platform.store, &scope).unwrap();
    assert_eq!(found.missing.len(), 1);
    let until = "2026-11-21T13:00:00Z".parse().unwrap();
    dataset.store.adopt(&platform.store, &found, until).unwrap();
    let snapshot = dataset.write(&options());
    let tasks = &tables(&dataset, &snapshot)[3];
    let ours = tasks.iter().find(|row| row["task_id"] == "7").unwrap();
    assert_eq!(ours["deleted"], "0");
}

/// Red if the table of tasks does not say the address that the other formats say, or goes on saying it after the
/// configuration of the project names another member of the task.
#[test]
fn the_table_has_the_address_of_the_medium() {
    let mut dataset = Dataset::new();
    let mut made = annotation(1, 7, 10, &json!([]));
    made["task"]["data"] = json!({
        "image": "https://user:password@h/7.jpg?version=3", "front": ["s3://cars/front.jpg", "s3://cars/back.jpg"],
    });
    dataset.fold(&[event(CREATED, 10, &made)]);
    let address = |dataset: &mut Dataset, addresses| {
        let mut options = options();
        options.addresses = addresses;
        let snapshot = dataset.write(&options);
        tables(dataset, &snapshot)[3][0].get("media_url").cloned()
    };
    let of = address(&mut dataset, Addresses::Whole);
    assert_eq!(of.as_deref(), Some("https://h/7.jpg?version=3"));
    assert_eq!(address(&mut dataset, Addresses::None), None);
    let of = address(&mut dataset, Addresses::WithoutQuery);
    assert_eq!(of.as_deref(), Some("https://h/7.jpg"));
    let config = r#"<View><Image name="image" valueList="$front"/></View>"#;
    let project = json!({
        "action": "PROJECT_UPDATED", "project": {"id": 1, "title": "Cars", "label_config": config, "updated_at": time(20)},
    });
    dataset.fold(&[event("io.labelstud.project.updated", 20, &project)]);
    let of = address(&mut dataset, Addresses::WithoutQuery);
    assert_eq!(of.as_deref(), Some("s3://cars/front.jpg"));
}
