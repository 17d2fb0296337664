//! `--state` with Labelbox: reviews of labels, and steps of the workflow beside them.

use crate::support::{Dataset, event, more, time};
use labelrelay_dataset::{Format, Options};
use serde_json::{Value, json};

/// A label of the row, alone in the project, in the version of this second.
fn label(project: &str, id: &str, second: u32) -> String {
    let row = json!({
        "data_row": {"id": "row", "row_data": "https://h/a.jpg"},
        "media_attributes": {"width": 200, "height": 100},
        "projects": {project: {"labels": [{
            "id": id, "label_details": {"created_at": time(1), "updated_at": time(second)},
            "performance_details": {"skipped": false},
            "annotations": {"objects": [], "classifications": [], "relationships": []},
        }], "project_details": {"workflow_status": "IN_REVIEW"}}},
    });
    more(
        "com.labelbox.label.updated",
        second,
        &row,
        r#""typefrom":"header","#,
    )
}

/// The row comes to a step of the workflow.
fn step(project: &str, to: &str, second: u32) -> String {
    let step = json!({
        "projectId": project, "action": "Move", "dataRowIds": ["row"], "originTaskName": "Initial review",
        "destinationTaskName": to, "timestamp": time(second),
    });
    event("com.labelbox.workflow.move", second, &step)
}

/// What a review says beside its id and its time.
fn said(id: &str, second: u32, more: &Value) -> String {
    let mut review = json!({
        "id": id, "createdAt": time(1), "updatedAt": time(second), "deleted": false, "project": {"id": "one"},
    });
    for (name, value) in more.as_object().unwrap() {
        review[name] = value.clone();
    }
    let is_gone = review["deleted"] == true;
    let action = if is_gone { "deleted" } else { "updated" };
    let event_type = format!("com.labelbox.review.{action}");
    self::more(&event_type, second, &review, r#""typefrom":"header","#)
}

/// A review of the label `a` with this score.
fn scored(id: &str, second: u32, score: f64) -> String {
    said(id, second, &json!({"score": score, "label": {"id": "a"}}))
}

/// Labels in this state.
fn ids(dataset: &mut Dataset, state: &str) -> Vec<String> {
    let mut options = Options::of(Format::Jsonl);
    options.state = Some(state.to_owned());
    let snapshot = dataset.write(&options);
    let path = dataset.dir.path().join(snapshot.path);
    let samples = crate::support::lines(&path.join("jsonl/samples.jsonl"));
    let labels = samples.iter().filter_map(|it| it["annotations"].as_array());
    let labels = labels
        .flatten()
        .map(|it| it["id"].as_str().unwrap().to_owned());
    labels.collect()
}

/// Approved, rejected, or neither; whatever the order, and though all come twice.
fn state_after(name: &str, mut events: Vec<String>) -> &'static str {
    let mut found = Vec::new();
    for _ in 0..2 {
        let mut dataset = Dataset::new();
        for message in &events {
            dataset.fold(std::slice::from_ref(message));
            dataset.fold(std::slice::from_ref(message));
            // A part that is taken over has to be the same.
            ids(&mut dataset, "approved");
        }
        let (approved, rejected) = (ids(&mut dataset, "approved"), ids(&mut dataset, "rejected"));
        found.push(match (approved.len(), rejected.len()) {
            (1, 0) => "approved",
            (0, 1) => "rejected",
            (0, 0) => "neither",
            _ => "both",
        });
        events.reverse();
    }
    assert_eq!(found[0], found[1], "{name}: the order has a say");
    found[0]
}

/// Red if a score is read otherwise than the SDK means it, or if another review counts than the last one.
#[test]
fn the_last_score_of_a_label_counts() {
    let cases: Vec<(&str, Vec<String>, &str)> = vec![
        ("no review", vec![], "neither"),
        ("accepted", vec![scored("r", 20, 1.0)], "approved"),
        ("a little", vec![scored("r", 20, 0.25)], "approved"),
        ("rejected", vec![scored("r", 20, -1.0)], "rejected"),
        ("zero", vec![scored("r", 20, 0.0)], "neither"),
        (
            "zero is the last word",
            vec![scored("r", 20, 1.0), scored("s", 30, 0.0)],
            "neither",
        ),
        (
            "rejected later, by another",
            vec![scored("r", 20, 1.0), scored("s", 30, -1.0)],
            "rejected",
        ),
        (
            "that one was deleted",
            vec![
                scored("r", 20, 1.0),
                scored("s", 30, -1.0),
                said(
                    "s",
                    40,
                    &json!({"score": -1, "label": {"id": "a"}, "deleted": true}),
                ),
            ],
            "approved",
        ),
        (
            "another mind",
            vec![scored("r", 20, 1.0), scored("r", 30, -1.0)],
            "rejected",
        ),
    ];
    for (name, mut events, expected) in cases {
        events.insert(0, label("one", "a", 10));
        assert_eq!(state_after(name, events), expected, "{name}");
    }
}

/// Red if a review has a say that names no label or has no score, if the label is looked for in one place alone, or if a label
/// passes for approved that was changed after its review.
#[test]
fn a_score_counts_for_the_label_that_was_reviewed() {
    let of_a = json!({"id": "a", "updatedAt": time(10)}).to_string();
    let cases: Vec<(&str, Vec<String>, &str)> = vec![
        (
            "one without a score has no say",
            vec![
                scored("r", 20, 1.0),
                said("s", 30, &json!({"label": {"id": "a"}})),
            ],
            "approved",
        ),
        (
            "nor has one whose score was taken away",
            vec![
                scored("r", 20, 1.0),
                said("r", 30, &json!({"score": null, "label": {"id": "a"}})),
            ],
            "neither",
        ),
        (
            "a score in a string is none",
            vec![said("r", 20, &json!({"score": "1", "label": {"id": "a"}}))],
            "neither",
        ),
        (
            "of no label",
            vec![said("r", 20, &json!({"score": 1}))],
            "neither",
        ),
        (
            "of another label",
            vec![said("r", 20, &json!({"score": 1, "label": {"id": "b"}}))],
            "neither",
        ),
        (
            "by the label's id alone",
            vec![said("r", 20, &json!({"score": 1, "labelId": "a"}))],
            "approved",
        ),
        (
            "the label is JSON in a string",
            vec![said("r", 20, &json!({"score": 1, "label": of_a}))],
            "approved",
        ),
        (
            "changed since",
            vec![scored("r", 20, 1.0), label("one", "a", 30)],
            "neither",
        ),
        (
            "of an earlier version, as it says itself",
            vec![
                label("one", "a", 30),
                said("r", 40, &json!({"score": 1, "label": of_a})),
            ],
            "neither",
        ),
        (
            "accepted again",
            vec![
                scored("r", 20, 1.0),
                label("one", "a", 30),
                scored("s", 40, 1.0),
            ],
            "approved",
        ),
    ];
    for (name, mut events, expected) in cases {
        events.insert(0, label("one", "a", 10));
        assert_eq!(state_after(name, events), expected, "{name}");
    }
}

/// Red if an earlier review has a say over a later step, or the other way round.
#[test]
fn the_later_one_of_step_and_review_counts() {
    let cases = [
        (
            "approved, then sent back",
            vec![scored("r", 20, 1.0), step("one", "Rework", 30)],
            "neither",
        ),
        (
            "rejected, then done",
            vec![scored("r", 20, -1.0), step("one", "Done", 30)],
            "approved",
        ),
        (
            "done, then rejected",
            vec![step("one", "Done", 20), scored("r", 30, -1.0)],
            "rejected",
        ),
        (
            "sent back, then accepted",
            vec![step("one", "Rework", 20), scored("r", 30, 1.0)],
            "approved",
        ),
        (
            "done, and a review that does not decide",
            vec![step("one", "Done", 20), scored("r", 30, 0.0)],
            "approved",
        ),
        (
            "done, and a review of a version before",
            vec![
                scored("r", 20, -1.0),
                label("one", "a", 30),
                step("one", "Done", 40),
            ],
            "approved",
        ),
    ];
    for (name, mut events, expected) in cases {
        events.insert(0, label("one", "a", 10));
        assert_eq!(state_after(name, events), expected, "{name}");
    }
}

/// Red if a review is of more labels than its own, or if a step in one project has a say in another.
#[test]
fn each_project_has_its_own_reviews_and_steps() {
    let mut dataset = Dataset::new();
    dataset.fold(&[label("one", "a", 10), label("two", "b", 10)]);
    dataset.fold(&[scored("r", 20, 1.0)]);
    assert_eq!(ids(&mut dataset, "approved"), ["a"]);
    dataset.fold(&[step("two", "Rework", 30)]);
    assert_eq!(ids(&mut dataset, "approved"), ["a"]);
    dataset.fold(&[step("two", "Done", 40)]);
    assert_eq!(ids(&mut dataset, "approved"), ["a", "b"]);
    dataset.fold(&[step("one", "Rework", 50)]);
    assert_eq!(ids(&mut dataset, "approved"), ["b"]);
}

/// Red if a review whose body says no time of change does not count, or counts for a label that was changed before it came.
#[test]
fn a_review_without_a_time_of_change_counts_from_its_creation() {
    let review = |received: u32, created: u32| {
        let body = json!({"id": "r", "createdAt": time(created), "labelId": "a", "score": 1});
        event("com.labelbox.review.created", received, &body)
    };
    let first = || label("one", "a", 10);
    let cases = [
        (vec![first(), review(20, 15)], "approved"),
        (
            vec![first(), review(40, 15), label("one", "a", 30)],
            "neither",
        ),
    ];
    for (events, expected) in cases {
        assert_eq!(state_after("created", events), expected);
    }
}
