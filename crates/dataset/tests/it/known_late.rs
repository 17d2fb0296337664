//! What becomes known late of a project, a task or a step, or beside an event, changes the tables and the counts, wherever
//! their rows are.

use crate::parts::{Rows, break_off, changed, forty, options, tables};
use crate::support::{CREATED, Dataset, annotation, event, lines, more, rectangle, there, time};
use labelrelay_dataset::{Format, Scope, compare};
use serde_json::json;
use std::collections::BTreeSet;

/// An annotation with its project, and its task with that too.
fn of_project(id: u32, task: u32, project: u32, second: u32) -> String {
    let mut made = annotation(id, task, second, &json!([]));
    made["project"]["id"] = json!(project);
    made["task"]["project"] = json!(project);
    event(CREATED, second, &made)
}

/// One of which nobody says the project.
fn of_no_project(id: u32, task: u32, second: u32) -> String {
    let mut made = annotation(id, task, second, &json!([]));
    made.as_object_mut().unwrap().remove("project");
    event(CREATED, second, &made)
}

/// A file of project 3, to which nothing happens.
const UNCHANGED: &str = "annotations/label-studio.3/first.last.parquet";

/// Red if a row is in two parts: the first part of a project was let go before a snapshot that broke off, and then comes back
/// with what the last snapshot has under its name.
#[test]
fn a_first_part_does_not_come_back_as_it_was() {
    let mut dataset = Dataset::new();
    let options = options();
    let mut all = vec![of_no_project(1, 1, 1), of_project(3, 3, 3, 2)];
    dataset.fold(&all);
    let first = dataset.write(&options);
    let known = there(1, 1, 3, &json!([]));
    dataset.fold(std::slice::from_ref(&known));
    break_off(&mut dataset, &options, &first, UNCHANGED);
    // Nothing else is known of this task.
    let completed = event("io.labelstud.task.completed", 4, &json!({"task": 9}));
    dataset.fold(std::slice::from_ref(&completed));
    let second = dataset.write(&options);
    all.extend([known, completed]);
    let mut fresh = Dataset::new();
    fresh.fold(&all);
    let expected = fresh.write(&options);
    let found = tables(&dataset, &second);
    assert_eq!((found[0].len(), found[3].len()), (2, 3));
    assert_eq!(found, tables(&fresh, &expected));
}

/// Red if a row is in two parts: a part was divided before a snapshot that broke off, and then has its old range again.
#[test]
fn a_part_that_was_divided_does_not_come_back_as_it_was() {
    let mut dataset = Dataset::new();
    let options = options();
    let mut all: Vec<String> = (1..=8)
        .map(|task| of_project(task, task, 1, task))
        .collect();
    all.push(of_project(100, 100, 3, 9));
    dataset.fold(&all);
    let first = dataset.write(&options);
    let added: Vec<String> = (1..=8)
        .map(|task| of_project(10 + task, task, 1, 20))
        .collect();
    dataset.fold(&added);
    break_off(&mut dataset, &options, &first, UNCHANGED);
    let moved = (3..=8).flat_map(|task| {
        [
            of_project(task, task, 2, 30),
            of_project(10 + task, task, 2, 30),
        ]
    });
    let moved: Vec<String> = moved.collect();
    dataset.fold(&moved);
    let second = dataset.write(&options);
    all.extend(added);
    all.extend(moved);
    let mut fresh = Dataset::new();
    fresh.fold(&all);
    let expected = fresh.write(&options);
    assert_eq!(tables(&dataset, &second), tables(&fresh, &expected));
}

/// Red if a step in the workflow of one project approves the label that another project has on the same data row, if the
/// last step of a project does not count, or if the counts are of before it.
#[test]
fn a_step_counts_in_its_own_project() {
    let label = |project: &str| {
        json!({
            "data_row": {"id": "row", "row_data": "https://h/a.jpg"},
            "projects": {project: {"labels": [{
                "id": format!("label-{project}"),
                "label_details": {"created_at": "2026-11-21T11:00:00Z", "updated_at": "2026-11-21T11:00:00Z"},
                "performance_details": {"skipped": false},
                "annotations": {"objects": [], "classifications": [], "relationships": []},
            }], "project_details": {"workflow_status": "IN_REVIEW"}}},
        })
    };
    let mut dataset = Dataset::new();
    let kind = r#""typefrom":"header","#;
    for (second, project) in [(10, "one"), (11, "other")] {
        let label = label(project);
        dataset.fold(&[more("com.labelbox.label.created", second, &label, kind)]);
    }
    let mut options = options();
    options.state = Some("approved".to_owned());
    let before = dataset.write(&options).counts;
    assert_eq!((before.annotations, before.other_state), (0, 2));
    let step = |second: u32, project: &str, to: &str, minute: u32| {
        let step = json!({
            "projectId": project, "action": "Approve", "dataRowIds": ["row"], "originTaskName": "Initial review",
            "destinationTaskName": to, "timestamp": format!("2026-11-21T11:{minute:02}:00Z"),
        });
        event("com.labelbox.workflow.approve", second, &step)
    };
    for (step, approved) in [
        (step(20, "other", "Done", 40), &["label-other"][..]),
        // Later in another project, and it is not done there.
        (step(21, "one", "Second review", 50), &["label-other"][..]),
        // Late, and of before that.
        (step(22, "one", "Done", 45), &["label-other"][..]),
        (
            step(23, "one", "Done", 55),
            &["label-one", "label-other"][..],
        ),
        (step(24, "other", "Initial review", 57), &["label-one"][..]),
    ] {
        // The second time it changes nothing.
        dataset.fold(std::slice::from_ref(&step));
        let after = dataset.write(&options);
        dataset.fold(std::slice::from_ref(&step));
        assert_eq!(dataset.write(&options).number, after.number, "{step}");
        let count = approved.len() as u64;
        assert_eq!(
            (after.counts.annotations, after.counts.other_state),
            (count, 2 - count),
            "{step}"
        );
        let mut listed = options.clone();
        listed.formats = vec![Format::Jsonl];
        let snapshot = dataset.write(&listed);
        let samples = dataset.dir.path().join(&snapshot.path);
        let samples = lines(&samples.join("jsonl/samples.jsonl"));
        let ids = samples.iter().map(|it| &it["annotations"][0]["id"]);
        assert_eq!(ids.collect::<Vec<_>>(), approved, "{step}");
    }
}

/// Red if the order in which annotations came says in which project they are.
#[test]
fn a_task_tells_all_its_annotations_the_project() {
    for order in [[0, 1], [1, 0]] {
        let mut dataset = Dataset::new();
        let messages = [of_no_project(1, 7, 10), there(2, 7, 11, &json!([]))];
        for place in order {
            dataset.fold(std::slice::from_ref(&messages[place]));
        }
        let snapshot = dataset.write(&options());
        let found = &tables(&dataset, &snapshot)[0];
        assert_eq!(found.len(), 2);
        assert!(
            found.iter().all(|row| row["project_id"] == "1"),
            "{found:?}"
        );
    }
}

/// Red if an annotation is in the project of a task that it was on before: its id may have been given again.
#[test]
fn an_annotation_is_in_the_project_of_its_task() {
    let mut dataset = Dataset::new();
    dataset.fold(&[
        of_project(1, 1, 1, 10),
        of_project(9, 2, 2, 11),
        of_no_project(1, 2, 20),
    ]);
    let snapshot = dataset.write(&options());
    let found = &tables(&dataset, &snapshot)[0];
    let ours = found.iter().find(|row| row["annotation_id"] == "1");
    assert_eq!(ours.unwrap()["project_id"], "2");
}

/// Red if no snapshot is written after an event of which nothing is new but the project.
#[test]
fn a_project_that_becomes_known_is_a_change() {
    let mut dataset = Dataset::new();
    dataset.fold(&[of_no_project(1, 7, 10)]);
    assert_eq!(dataset.write(&options()).number, 1);
    // It came late: the annotation and the task's data are known in a later version.
    let mut late = annotation(1, 7, 5, &json!([]));
    late.as_object_mut().unwrap().remove("project");
    late["task"]["project"] = json!(1);
    dataset.fold(&[event(CREATED, 5, &late)]);
    let snapshot = dataset.write(&options());
    assert_eq!(snapshot.number, 2);
    let found = &tables(&dataset, &snapshot)[0];
    assert!(
        found.iter().all(|row| row["project_id"] == "1"),
        "{found:?}"
    );
}

/// Red if a change is missing in a snapshot that shows in the row of something else: a task moves to another project, a
/// ground truth is taken from an annotation, a review is about another annotation than before.
#[test]
fn what_changes_beside_an_event_is_in_the_next_snapshot() {
    let of = |id: u32, task: u32, project: u32, second: u32| {
        let mut made = annotation(id, task, second, &json!([]));
        made["project"]["id"] = json!(project);
        made["task"]["project"] = json!(project);
        made["annotation"]["ground_truth"] = json!(true);
        event(CREATED, second, &made)
    };
    let review = |of: u32, second: u32| {
        let said = json!({
            "action": "REVIEW_CREATED",
            "review": {"id": 1, "annotation": of, "accepted": true, "updated_at": time(second)},
            "annotation": {"id": of, "task": of, "updated_at": time(1)},
            "task": {"id": of}, "project": {"id": 1},
        });
        event("io.labelstud.review.created", second, &said)
    };
    let label = json!({
        "id": "label", "label": "{}", "updatedAt": time(1), "project": {"id": "one"}, "dataRow": {"id": "row"},
    });
    let scored = |second: u32, is_gone: bool| {
        let said = json!({
            "id": "r", "score": 1, "updatedAt": time(second), "label": {"id": "label"}, "deleted": is_gone,
        });
        event("com.labelbox.review.updated", second, &said)
    };
    let mut steps = vec![
        (1..=20).map(|id| of(id, id, 1, 1)).collect::<Vec<_>>(),
        vec![review(3, 50)],
        vec![review(17, 60)],
        // The same task, in another project now; and its ground truth is another annotation.
        vec![of(101, 9, 2, 70)],
        vec![of(12, 12, 2, 80)],
        vec![event("com.labelbox.label.updated", 1, &label)],
        vec![scored(90, false)],
        vec![scored(95, true)],
    ];
    let options = options();
    let (mut dataset, mut all) = (Dataset::new(), Vec::new());
    for step in &mut steps {
        dataset.fold(step);
        all.append(step);
        let snapshot = dataset.write(&options);
        let mut fresh = Dataset::new();
        fresh.fold(&all);
        let mut whole = options.clone();
        whole.part_rows = u32::MAX;
        let expected = fresh.write(&whole);
        assert_eq!(tables(&dataset, &snapshot), tables(&fresh, &expected));
    }
}

/// Red if what a comparison mends is missing in the next snapshot.
#[test]
fn what_is_mended_is_in_the_next_snapshot() {
    let mut dataset = forty();
    let options = options();
    dataset.write(&options);
    let mut platform = Dataset::new();
    let there: Vec<String> = (2..=41)
        .map(|id| changed(id, if id % 10 == 0 { 100 } else { id }))
        .collect();
    platform.fold(&there);
    let scope = Scope {
        source: "/label-studio".to_owned(),
        projects: Vec::new(),
    };
    let found = compare(&dataset.store, &platform.store, &scope).unwrap();
    let counts = [&found.missing, &found.extra, &found.different].map(Vec::len);
    assert_eq!(counts, [1, 1, 4]);
    let until = "2026-11-21T13:00:00Z".parse().unwrap();
    dataset.store.adopt(&platform.store, &found, until).unwrap();
    let snapshot = dataset.write(&options);
    let expected = platform.write(&options);
    let present = |rows: &Rows| {
        let present = rows.iter().filter(|row| row["state"] == "present");
        let ids = present.map(|row| (row["annotation_id"].clone(), row["version"].clone()));
        ids.collect::<BTreeSet<_>>()
    };
    let (ours, theirs) = (tables(&dataset, &snapshot), tables(&platform, &expected));
    assert_eq!(present(&ours[0]), present(&theirs[0]));
    assert_eq!(ours[1], theirs[1]);
}

/// Red if what a batch remembers of a project, a task, a removal or a label hides what comes after it.
#[test]
fn events_of_one_batch_are_as_events_of_many() {
    let of = |id: u32, second: u32, config: &str| {
        let mut made = annotation(
            id,
            id,
            second,
            &json!([rectangle("r", config, [1.0, 1.0, 5.0, 5.0], 0.0)]),
        );
        made["project"]["label_config"] =
            json!(format!("<View><Label value=\"{config}\"/></View>"));
        event(CREATED, second, &made)
    };
    let gone = |name: &str, id: u32, second: u32| {
        let body = json!({"action": "gone", name: [{"id": id}], "project": {"id": 1}});
        let kind = name.strip_suffix('s').unwrap();
        event(&format!("io.labelstud.{kind}.deleted"), second, &body)
    };
    let mut all = vec![
        of(1, 10, "car"),
        of(2, 30, "bus"),
        of(3, 20, "car"),
        gone("annotations", 2, 45),
        of(4, 40, "car"),
        of(2, 44, "tram"),
        of_no_project(6, 5, 12),
        of(5, 35, "bus"),
        gone("tasks", 4, 60),
        of(4, 55, "bus"),
        of_no_project(7, 4, 50),
    ];
    for round in 0..8 {
        all.rotate_left(3);
        if round == 4 {
            all.reverse();
        }
        let (mut one_by_one, mut at_once) = (Dataset::new(), Dataset::new());
        for message in &all {
            one_by_one.fold(std::slice::from_ref(message));
        }
        at_once.fold(&all);
        let expected = one_by_one.write(&options());
        let expected = tables(&one_by_one, &expected);
        let found = at_once.write(&options());
        assert_eq!(tables(&at_once, &found), expected, "round {round}");
    }
}
