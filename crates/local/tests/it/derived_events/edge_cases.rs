//! Events that come late, again, or with values that nobody expects.

use super::{
    annotation, completed, created, deleted, derived, event, gone, named_task, open, send, source,
    stored, task_state, tasks_deleted,
};
use crate::support::QueueDir;
use labelrelay_core::EventQueue as _;
use labelrelay_core::from_api::ReconciledEvent;
use labelrelay_core::ledger::{Change, Key};
use labelrelay_local::EmbeddedQueue;
use serde_json::{Value, json};

/// Red if counts of bodies are added up unchecked: the writer's thread would end, and end again at the next start.
#[test]
fn counts_that_no_task_can_have_stop_nothing() {
    let queue_dir = QueueDir::new();
    let queue = open(&queue_dir);
    let most = i64::MAX;
    let tasks = json!([{"id": 7, "is_labeled": false, "overlap": most, "total_annotations": most, "cancelled_annotations": most}]);
    let body = json!({"action": "TASKS_CREATED", "tasks": tasks, "project": {"id": 1, "skip_queue": "IGNORE_SKIPPED"}});
    send(&queue, &event("tasks", "io.labelstud.task.created", &body));
    for id in [1, 2] {
        let body = json!({"action": "ANNOTATION_CREATED", "annotation": annotation(id, 7, id), "project": {"id": 1}});
        let id = format!("created {id}");
        send(
            &queue,
            &event(&id, "io.labelstud.annotation.created", &body),
        );
    }
    send(&queue, &deleted("delete 1", [1]));
    let file = queue_dir.file();
    assert_eq!(named_task(&file, "delete 1").as_deref(), Some("7"));
    assert_eq!(completed(&file).len(), 1);
    assert_eq!(stored(&file).len(), 5);
}

/// Red if a row of what is gone still names its task: the id may stand for another annotation by then.
#[test]
fn a_removed_annotation_names_no_task() {
    let queue_dir = QueueDir::new();
    let queue = open(&queue_dir);
    send(&queue, &created(1, 7, 1));
    send(&queue, &tasks_deleted("delete 7", &[7]));
    send(&queue, &deleted("delete 1", [1]));
    assert_eq!(named_task(&queue_dir.file(), "delete 1"), None);
}

/// Red if a ledger that is behind names tasks: another program appended that the annotation is gone.
#[test]
fn a_ledger_that_is_behind_names_no_task() {
    let queue_dir = QueueDir::new();
    send(&open(&queue_dir), &created(1, 7, 1));
    let without = queue_dir.open();
    send(&without, &tasks_deleted("delete 7", &[7]));
    for id in 0..1500 {
        send(&without, &created(10 + id, 100 + id, 1));
    }
    drop(without);
    let queue = open(&queue_dir);
    send(&queue, &deleted("delete 1", [1]));
    assert_eq!(named_task(&queue_dir.file(), "delete 1"), None);
}

/// Red if a late annotation brings its task back: it would complete what is gone, and nobody would tell that the
/// annotation went.
#[test]
fn an_annotation_that_comes_after_its_task_went_is_gone_too() {
    let queue_dir = QueueDir::new();
    let queue = open(&queue_dir);
    send(&queue, &created(1, 7, 1));
    send(&queue, &tasks_deleted("delete", &[7, 8]));
    send(&queue, &created(2, 7, 2));
    send(&queue, &created(3, 8, 1));
    let file = queue_dir.file();
    assert_eq!(completed(&file).len(), 1);
    let told = ["annotation/1", "annotation/2", "annotation/3"];
    assert_eq!(gone(&file), told);
}

/// Red if an event without a time of change makes the version forgotten: an older one would count again, and the
/// derived deletion would be another event than the one that a pull finds.
#[test]
fn an_event_without_a_version_leaves_the_one_that_is_known() {
    let queue_dir = QueueDir::new();
    let queue = open(&queue_dir);
    send(&queue, &created(1, 7, 1));
    let body = json!({"action": "ANNOTATION_UPDATED", "annotation": {"id": 1, "task": 7}, "project": {"id": 1}});
    send(
        &queue,
        &event("updated", "io.labelstud.annotation.updated", &body),
    );
    send(&queue, &tasks_deleted("delete", &[7]));
    let told = derived(&queue_dir.file(), "io.labelstud.annotation.deleted");

    let other_dir = QueueDir::new();
    let other = open(&other_dir);
    send(&other, &created(1, 7, 1));
    send(&other, &tasks_deleted("delete", &[7]));
    let expected = derived(&other_dir.file(), "io.labelstud.annotation.deleted");
    assert_eq!(told[0].attributes.id, expected[0].attributes.id);
}

/// Red if only the relay's clock tells since when something is gone: a platform's may be ahead of it.
#[test]
fn removed_things_stay_removed_where_the_platforms_clock_is_ahead() {
    let queue_dir = QueueDir::new();
    let queue = open(&queue_dir);
    let ahead = |id: &str, task| {
        let time = "2026-11-21T12:05:00.000001Z";
        let annotation = json!({"id": 1, "task": task, "was_cancelled": false, "updated_at": time});
        let body = json!({"action": "ANNOTATION_CREATED", "annotation": annotation, "project": {"id": 1}, "task": task_state(task, true, 1)});
        event(id, "io.labelstud.annotation.created", &body)
    };
    send(&queue, &ahead("first", 7));
    send(&queue, &deleted("delete", [1]));
    // Somebody sends it again, with another id.
    send(&queue, &ahead("again", 7));
    assert_eq!(completed(&queue_dir.file()).len(), 1);
    send(&queue, &deleted("delete again", [1]));
    assert_eq!(named_task(&queue_dir.file(), "delete again"), None);
}

/// Red if an import without a time of its own counts as one from before: a platform that began anew gives ids again.
#[test]
fn a_task_whose_id_comes_again_is_taken_by_the_time_when_it_was_made() {
    let queue_dir = QueueDir::new();
    let queue = open(&queue_dir);
    let import = |id: &str, made: &str| {
        let mut task = task_state(7, true, 1);
        task["created_at"] = json!(made);
        let body = json!({"action": "TASKS_CREATED", "tasks": [task], "project": {"id": 1}});
        event(id, "io.labelstud.task.created", &body)
    };
    let file = queue_dir.file();
    send(&queue, &import("first", "2026-11-21T09:00:00Z"));
    send(&queue, &tasks_deleted("delete", &[7]));
    send(&queue, &import("late", "2026-11-21T09:00:00Z"));
    assert_eq!(completed(&file).len(), 1);
    send(&queue, &import("anew", "2026-11-21T13:00:00Z"));
    assert_eq!(completed(&file).len(), 2);
}

fn fetched(queue: &EmbeddedQueue, key: &Key, data: &Value) {
    let source = source();
    let data = data.to_string();
    let found = ReconciledEvent::describe(&source, key, Change::Created, data.as_bytes());
    let now = "2026-11-21T12:00:00Z".parse().unwrap();
    let message = found.unwrap().message(&source, queue.limits(), now);
    send(queue, &message);
}

/// Red if a first pull completes all tasks of the last years.
#[test]
fn a_pull_that_tells_of_a_task_first_completes_nothing() {
    let queue_dir = QueueDir::new();
    let queue = open(&queue_dir);
    let file = queue_dir.file();
    let task = Key::new("task", "7");
    fetched(&queue, &task, &task_state(7, true, 1));
    fetched(&queue, &Key::new("annotation", "1"), &annotation(1, 7, 1));
    fetched(&queue, &Key::new("annotation", "2"), &annotation(2, 8, 2));
    fetched(&queue, &Key::new("task", "9"), &task_state(9, false, 0));
    assert_eq!(completed(&file).len(), 0);
    fetched(&queue, &Key::new("annotation", "3"), &annotation(3, 9, 3));
    assert_eq!(completed(&file).len(), 1, "it was known to be open");
}

/// Red if what was only assumed of a task is taken for told, after a restart too, or if its completion is told twice.
#[test]
fn a_completion_that_comes_late_is_told_after_a_restart_too() {
    let queue_dir = QueueDir::new();
    send(&open(&queue_dir), &created(2, 7, 2));
    let queue = open(&queue_dir);
    send(&queue, &created(1, 7, 1));
    send(&queue, &created(3, 7, 3));
    let told = completed(&queue_dir.file());
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].data["annotation"], 1);
}

/// Red if an annotation that was overtaken counts twice: beside the one that overtook it, and by itself.
#[test]
fn overtaken_events_count_once() {
    let queue_dir = QueueDir::new();
    let queue = open(&queue_dir);
    let of_three = |id: i64, total: i64| {
        let mut task = task_state(7, false, total);
        task["overlap"] = json!(3);
        if id == 2 {
            // It came before: only what was counted beside it tells of the first.
            task.as_object_mut().unwrap().remove("is_labeled");
        }
        let body = json!({"action": "ANNOTATION_CREATED", "annotation": annotation(id, 7, id), "project": {"id": 1}, "task": task});
        event(
            &format!("created {id}"),
            "io.labelstud.annotation.created",
            &body,
        )
    };
    send(&queue, &of_three(2, 2));
    send(&queue, &of_three(1, 1));
    let file = queue_dir.file();
    assert_eq!(completed(&file).len(), 0, "two of three");
}

/// Red if a task of a project that is gone is taken for one of the same id that came later.
#[test]
fn ids_that_begin_anew_after_a_project_went_are_of_other_tasks() {
    let queue_dir = QueueDir::new();
    let queue = open(&queue_dir);
    let file = queue_dir.file();
    send(&queue, &created(1, 7, 1));
    let body = json!({"action": "PROJECT_DELETED", "project": {"id": 1}});
    send(
        &queue,
        &event("project", "io.labelstud.project.deleted", &body),
    );
    assert_eq!(completed(&file).len(), 1);
    send(&queue, &created(2, 7, 1));
    assert_eq!(completed(&file).len(), 2);
    send(&queue, &tasks_deleted("delete", &[7]));
    assert_eq!(gone(&file), ["annotation/2"]);
}
