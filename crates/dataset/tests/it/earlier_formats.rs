//! Datasets of earlier versions are gone on with.

use crate::parts::{changed, forty, numbers, options, tables, written};
use crate::support::{Dataset, event, more, there, time};
use crate::tasks::{annotated, created, gone};
use labelrelay_dataset::{Format, Options, Store};
use serde_json::{Value, json};
use std::fs;

/// Red if a dataset of the version before, which has tables in single files, cannot be gone on with.
#[test]
fn a_dataset_without_parts_gets_them() {
    let mut dataset = forty();
    let options = options();
    let first = dataset.write(&options);
    let dir = dataset.dir.path().to_owned();
    drop(dataset.store);
    let db = rusqlite::Connection::open(dir.join("state.db")).unwrap();
    db.execute_batch(
        "DROP INDEX annotations_of_part; DROP INDEX tasks_of_part; DROP TABLE parts; PRAGMA user_version = 2;
         UPDATE snapshots SET options = replace(options, '\"writer\":5', '\"writer\":2');",
    )
    .unwrap();
    drop(db);
    let tables_of_first = dir.join(&first.path).join("parquet");
    fs::remove_dir_all(&tables_of_first).unwrap();
    fs::create_dir(&tables_of_first).unwrap();
    fs::write(tables_of_first.join("annotations.parquet"), "as before").unwrap();
    assert!(labelrelay_dataset::status(&dir).unwrap().snapshot.is_some());

    dataset.store = Store::open(&dir).unwrap();
    let second = dataset.write(&options);
    assert_eq!(second.number, 2);
    let mut fresh = forty();
    let expected = fresh.write(&options);
    assert_eq!(tables(&dataset, &second), tables(&fresh, &expected));
    dataset.fold(&[changed(20, 100)]);
    let third = dataset.write(&options);
    assert_eq!(written(&dataset, &second, &third).len(), 5);
}

/// Red if a dataset of the version that noted its changes by triggers goes on to do so, or is written anew for nothing.
#[test]
fn a_dataset_with_triggers_loses_them() {
    let mut dataset = forty();
    let options = options();
    let first = dataset.write(&options);
    let dir = dataset.dir.path().to_owned();
    drop(dataset.store);
    let db = rusqlite::Connection::open(dir.join("state.db")).unwrap();
    db.execute_batch(
        "ALTER TABLE regions DROP COLUMN frame; ALTER TABLE classes DROP COLUMN schema_id; DROP TABLE inputs;
         DROP TABLE steps;
         ALTER TABLE annotations DROP COLUMN ground_truth_told; ALTER TABLE annotations DROP COLUMN ground_truth_set_after;
         DROP TABLE ground_truths; DROP TABLE ground_truths_gone;
         ALTER TABLE annotations DROP COLUMN consensus; ALTER TABLE annotations DROP COLUMN benchmark;
         ALTER TABLE tasks DROP COLUMN agreement; ALTER TABLE tasks DROP COLUMN created_at;",
    )
    .unwrap();
    for (name, table) in [
        ("annotations_made", "INSERT ON annotations"),
        ("annotations_changed", "UPDATE ON annotations"),
        (
            "annotations_moved",
            "UPDATE OF project_id, task_id ON annotations",
        ),
        ("annotations_gone", "DELETE ON annotations"),
        ("tasks_made", "INSERT ON tasks"),
        ("tasks_changed", "UPDATE ON tasks"),
        ("tasks_moved", "UPDATE OF project_id, task_id ON tasks"),
        ("tasks_gone", "DELETE ON tasks"),
        (
            "tasks_stepped",
            "UPDATE OF workflow_state, workflow_at ON tasks",
        ),
        ("reviews_made", "INSERT ON reviews"),
        ("reviews_changed", "UPDATE ON reviews"),
        ("reviews_gone", "DELETE ON reviews"),
    ] {
        let trigger = format!(
            "CREATE TRIGGER {name} AFTER {table} BEGIN SELECT raise(ABORT, 'still there'); END"
        );
        db.execute_batch(&trigger).unwrap();
    }
    db.execute_batch("PRAGMA user_version = 3").unwrap();
    drop(db);

    dataset.store = Store::open(&dir).unwrap();
    assert_eq!(dataset.write(&options), first);
    dataset.fold(&[changed(20, 100)]);
    let second = dataset.write(&options);
    assert_eq!(written(&dataset, &first, &second).len(), 5);
}

/// Red if a label is no longer approved because an earlier version did not note of which project its step was, or if
/// that counts for more than what is known now.
#[test]
fn steps_of_an_earlier_version_count_in_each_project() {
    let row = json!({
        "data_row": {"id": "row", "row_data": "https://h/a.jpg"},
        "projects": {"one": {"labels": [{
            "id": "label", "label_details": {"created_at": "2026-11-21T11:00:00Z", "updated_at": "2026-11-21T11:00:00Z"},
            "performance_details": {"skipped": false},
            "annotations": {"objects": [], "classifications": [], "relationships": []},
        }], "project_details": {"workflow_status": "IN_REVIEW"}}},
    });
    let step = |second: u32, to: &str| {
        let step = json!({
            "projectId": "one", "action": "Approve", "dataRowIds": ["row"], "originTaskName": "Initial review",
            "destinationTaskName": to, "timestamp": format!("2026-11-21T11:30:{second}Z"),
        });
        event("com.labelbox.workflow.approve", second, &step)
    };
    let mut options = Options::of(Format::Jsonl);
    options.state = Some("approved".to_owned());
    let mut dataset = Dataset::new();
    let kind = r#""typefrom":"header","#;
    let label = more("com.labelbox.label.created", 10, &row, kind);
    dataset.fold(&[label, step(20, "Done")]);
    let dir = dataset.dir.path().to_owned();
    drop(dataset.store);
    let db = rusqlite::Connection::open(dir.join("state.db")).unwrap();
    db.execute_batch("DROP TABLE steps; PRAGMA user_version = 9")
        .unwrap();
    drop(db);

    dataset.store = Store::open(&dir).unwrap();
    assert_eq!(dataset.write(&options).counts.annotations, 1);
    dataset.fold(&[step(30, "Initial review")]);
    assert_eq!(dataset.write(&options).counts.annotations, 0);
}

/// Red if what is known of Label Studio's reviews is lost with a version that knows those of Labelbox, or if it goes on
/// without these.
#[test]
fn a_dataset_that_knows_no_reviews_of_labels_learns_them() {
    let reviewed = |second: u32, accepted: bool| {
        let body = json!({
            "action": "REVIEW_CREATED",
            "review": {"id": second, "annotation": 1, "accepted": accepted, "updated_at": time(second)},
        });
        event("io.labelstud.review.created", second, &body)
    };
    let label = json!({
        "id": "label", "label": "{}", "updatedAt": time(10), "project": {"id": "one"}, "dataRow": {"id": "row"},
    });
    let score = json!({"id": "r", "score": 1, "updatedAt": time(40), "label": {"id": "label"}});
    let mut options = Options::of(Format::Jsonl);
    options.state = Some("approved".to_owned());
    let mut dataset = Dataset::new();
    dataset.fold(&[there(1, 7, 10, &json!([])), reviewed(20, true)]);
    dataset.fold(&[event("com.labelbox.label.updated", 10, &label)]);
    let dir = dataset.dir.path().to_owned();
    drop(dataset.store);
    let db = rusqlite::Connection::open(dir.join("state.db")).unwrap();
    db.execute_batch(
        "DROP VIEW reviewed; ALTER TABLE reviews DROP COLUMN silent;
         CREATE VIEW reviewed(annotation, state) AS SELECT row, NULL FROM annotations; PRAGMA user_version = 10",
    )
    .unwrap();
    drop(db);

    dataset.store = Store::open(&dir).unwrap();
    assert_eq!(dataset.write(&options).counts.annotations, 1);
    dataset.fold(&[event("com.labelbox.review.updated", 40, &score)]);
    assert_eq!(dataset.write(&options).counts.annotations, 2);
    dataset.fold(&[reviewed(50, false)]);
    assert_eq!(dataset.write(&options).counts.annotations, 1);
}

/// Red if a dataset of before never learns when its tasks were made: then a late deletion takes the task that has the id now,
/// where that has the same data.
#[test]
fn when_a_task_of_an_earlier_version_was_made_is_learned() {
    let mut dataset = Dataset::new();
    dataset.fold(&[created(10, 10), there(9, 9, 1, &json!([]))]);
    let dir = dataset.dir.path().to_owned();
    drop(dataset.store);
    let db = rusqlite::Connection::open(dir.join("state.db")).unwrap();
    db.execute_batch(
        "DROP TABLE steps; ALTER TABLE tasks DROP COLUMN created_at; PRAGMA user_version = 9",
    )
    .unwrap();
    drop(db);

    dataset.store = Store::open(&dir).unwrap();
    for message in [annotated(12, 10), created(41, 40), gone(20)] {
        dataset.fold(&[message]);
    }
    let snapshot = dataset.write(&options());
    let tasks = &tables(&dataset, &snapshot)[3];
    let ours = tasks.iter().find(|row| row["task_id"] == "7").unwrap();
    assert_eq!(ours["deleted"], "0");
}

/// Red if a part is taken over that has other columns than this version writes.
#[test]
fn parts_of_another_form_are_not_taken_over() {
    let mut dataset = forty();
    let options = options();
    let first = dataset.write(&options);
    let path = dataset.dir.path().join(&first.path).join("snapshot.json");
    let mut summary: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    summary["tables"] = json!("a form of before");
    fs::write(&path, summary.to_string()).unwrap();
    dataset.fold(&[changed(20, 100)]);
    let second = dataset.write(&options);
    let all = numbers(&dataset.dir.path().join(&second.path));
    assert_eq!(written(&dataset, &first, &second).len(), all.len());
}
