//! `--state`: what was approved, as the events tell it.

use crate::support::{CREATED, Dataset, annotation, event, more, there, time};
use labelrelay_dataset::{Format, Options};
use serde_json::{Value, json};

/// A review of annotation 1, which was in the version of the second `of`.
fn review(id: u32, second: u32, accepted: bool, of: u32) -> String {
    let body = json!({
        "action": "REVIEW_CREATED",
        "review": {"id": id, "annotation": 1, "accepted": accepted, "updated_at": time(second)},
        "annotation": {"id": 1, "task": 7, "updated_at": time(of)},
        "task": {"id": 7}, "project": {"id": 1},
    });
    event("io.labelstud.review.created", second, &body)
}

fn deleted(ids: &[u32], second: u32) -> String {
    let reviews: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    let body = json!({"action": "REVIEWS_DELETED", "reviews": reviews});
    event("io.labelstud.review.deleted", second, &body)
}

/// Annotations in this state, and the number of those in others.
fn counted(dataset: &mut Dataset, state: &str) -> (u64, u64) {
    let mut options = Options::of(Format::Jsonl);
    options.state = Some(state.to_owned());
    let counts = dataset.write(&options).counts;
    (counts.annotations, counts.other_state)
}

/// Annotations that are in, and those in another state.
type Counts = (u64, u64);

/// Red if an annotation passes for approved that was changed after its review, or whose last review rejects it; or if the
/// order has a say.
#[test]
fn the_last_review_of_this_version_counts() {
    let first = || there(1, 7, 10, &json!([]));
    let changed = || there(1, 7, 30, &json!([]));
    let cases: [(&str, Vec<String>, Counts, Counts); 7] = [
        ("no review", vec![first()], (0, 1), (0, 1)),
        (
            "accepted",
            vec![first(), review(1, 20, true, 10)],
            (1, 0),
            (0, 1),
        ),
        (
            "rejected",
            vec![first(), review(1, 20, false, 10)],
            (0, 1),
            (1, 0),
        ),
        (
            "changed since",
            vec![first(), review(1, 20, true, 10), changed()],
            (0, 1),
            (0, 1),
        ),
        (
            "accepted again",
            vec![
                first(),
                review(1, 20, true, 10),
                changed(),
                review(2, 40, true, 30),
            ],
            (1, 0),
            (0, 1),
        ),
        (
            "rejected later",
            vec![first(), review(1, 20, true, 10), review(2, 40, false, 10)],
            (0, 1),
            (1, 0),
        ),
        (
            "that one was deleted",
            vec![
                first(),
                review(1, 20, true, 10),
                review(2, 40, false, 10),
                deleted(&[2], 50),
            ],
            (1, 0),
            (0, 1),
        ),
    ];
    for (name, mut events, approved, rejected) in cases {
        for _ in 0..2 {
            let mut dataset = Dataset::new();
            for message in &events {
                dataset.fold(std::slice::from_ref(message));
                // A repeat changes nothing.
                dataset.fold(std::slice::from_ref(message));
            }
            assert_eq!(counted(&mut dataset, "approved"), approved, "{name}");
            assert_eq!(counted(&mut dataset, "Rejected"), rejected, "{name}");
            events.reverse();
        }
    }
}

/// Red if a step of Labelbox's workflow is not joined to the labels of its row.
#[test]
fn labelbox_approves_what_comes_to_its_last_step() {
    let row = json!({
        "data_row": {"id": "row", "row_data": "https://h/a.jpg"},
        "media_attributes": {"width": 200, "height": 100},
        "projects": {"project": {"labels": [{
            "id": "label", "label_details": {"created_at": "2026-11-21T11:00:00Z", "updated_at": "2026-11-21T11:00:00Z"},
            "performance_details": {"skipped": false},
            "annotations": {"objects": [], "classifications": [], "relationships": []},
        }], "project_details": {"workflow_status": "IN_REVIEW"}}},
    });
    let moved = |to: &str, at: &str| {
        json!({
            "projectId": "project", "action": "Approve", "dataRowIds": ["row"], "originTaskName": "Initial review",
            "destinationTaskName": to, "timestamp": at,
        })
    };
    let mut dataset = Dataset::new();
    let kind = r#""typefrom":"header","#;
    dataset.fold(&[more("com.labelbox.label.created", 10, &row, kind)]);
    assert_eq!(counted(&mut dataset, "in_review"), (1, 0));
    let step = moved("Second review", "2026-11-21T11:30:00Z");
    dataset.fold(&[event("com.labelbox.workflow.approve", 20, &step)]);
    assert_eq!(counted(&mut dataset, "approved"), (0, 1));
    let step = moved("Done", "2026-11-21T11:40:00Z");
    dataset.fold(&[event("com.labelbox.workflow.approve", 30, &step)]);
    assert_eq!(counted(&mut dataset, "approved"), (1, 0));
    assert_eq!(counted(&mut dataset, "done"), (1, 0));
}

/// Red if a review of an earlier annotation approves the one that has its id now.
#[test]
fn an_id_that_is_given_again_is_not_approved_by_an_old_review() {
    let mut dataset = Dataset::new();
    let gone =
        json!({"action": "ANNOTATIONS_DELETED", "annotations": [{"id": 1}], "project": {"id": 1}});
    dataset.fold(&[
        there(1, 7, 10, &json!([])),
        review(1, 20, true, 10),
        event(crate::support::DELETED, 30, &gone),
        event(CREATED, 40, &annotation(1, 8, 40, &json!([]))),
    ]);
    assert_eq!(dataset.ids(), ["1"]);
    assert_eq!(counted(&mut dataset, "approved"), (0, 1));
}
