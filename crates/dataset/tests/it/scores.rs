//! How far annotators agree, where a platform says it.

use crate::parts::{options, tables};
use crate::support::{CREATED, Dataset, annotation, event, more};
use serde_json::{Value, json};

/// Red if a score that a platform says is in no column, or if one that it does not say is there.
#[test]
fn scores_of_labelbox_are_columns() {
    let at = "2026-11-21T11:00:00Z";
    let v2 = |id: &str, performance: Value| {
        let row = json!({
            "data_row": {"id": "row", "row_data": "https://h/a.jpg"},
            "projects": {"project": {"labels": [{
                "id": id, "label_details": {"created_at": at, "updated_at": at},
                "performance_details": performance,
                "annotations": {"objects": [], "classifications": [], "relationships": []},
            }], "project_details": {}}},
        });
        more(
            "com.labelbox.label.created",
            10,
            &row,
            r#""typefrom":"header","#,
        )
    };
    let v1 = json!({
        "id": "v1", "label": "{\"objects\":[],\"classifications\":[]}", "createdAt": at, "updatedAt": at,
        "agreement": 0.5, "benchmarkAgreement": 1,
        "dataRow": {"id": "row"}, "project": {"id": "project"},
    });
    let mut dataset = Dataset::new();
    dataset.fold(&[
        v2(
            "v2",
            json!({"consensus_score": 0.9, "benchmark_score": null, "skipped": false}),
        ),
        v2("none", json!({"skipped": false})),
        v2("odd", json!({"consensus_score": "high", "skipped": false})),
        more(
            "com.labelbox.label.created",
            11,
            &v1,
            r#""typefrom":"header","#,
        ),
    ]);
    let snapshot = dataset.write(&options());
    let annotations = &tables(&dataset, &snapshot)[0];
    let scores = |id: &str| {
        let row = annotations.iter().find(|it| it["annotation_id"] == id);
        let row = row.unwrap();
        ["consensus", "benchmark"].map(|name| row.get(name).map(|it| it.parse::<f64>().unwrap()))
    };
    assert_eq!(scores("v2"), [Some(0.9), None]);
    assert_eq!(scores("v1"), [Some(0.5), Some(1.0)]);
    assert_eq!(scores("none"), [None, None]);
    assert_eq!(scores("odd"), [None, None]);
}

/// Red if a task's agreement is in no column, or stays as it was when nothing else of the task changes.
#[test]
fn the_agreement_of_a_task_is_a_column() {
    let said = |second: u32, agreement: Value| {
        let mut made = annotation(1, 7, second, &json!([]));
        made["task"]["precomputed_agreement"] = agreement;
        event(CREATED, second, &made)
    };
    let mut dataset = Dataset::new();
    let mut last = 0;
    for (second, agreement, expected) in [
        (10, json!(null), None),
        (20, json!(0.25), Some(0.25)),
        (30, json!(0.75), Some(0.75)),
        // It says nothing of it.
        (40, json!(null), Some(0.75)),
    ] {
        dataset.fold(&[said(second, agreement)]);
        let snapshot = dataset.write(&options());
        let tasks = &tables(&dataset, &snapshot)[3];
        let found = tasks[0].get("agreement");
        let found = found.map(|it| it.parse::<f64>().unwrap());
        assert_eq!(found, expected, "{second}");
        assert!(snapshot.number > last, "{second}");
        last = snapshot.number;
    }
}
