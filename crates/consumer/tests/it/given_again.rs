//! Ids that are given again: `SQLite` gives that of Label Studio's newest task or annotation to what an import brings next.

use crate::bodies::{changed, event, received, task_deleted};
use crate::rules::handled;
use labelrelay_event::Origin;

/// Task 7 is in this project, in the version of that second.
fn task(second: u32, project: u32) -> Vec<u8> {
    let updated = received(second);
    let body = format!(
        r#"{{"action":"TASKS_CREATED","tasks":[{{"id":7,"data":{{}},"updated_at":"{updated}"}}],"project":{{"id":{project}}}}}"#
    );
    event(&format!("task-{second}"), "task.created", &body)
}

/// Annotation 5 is on it.
fn annotation(second: u32, project: u32) -> Vec<u8> {
    let updated = received(second);
    let body = format!(
        r#"{{"action":"ANNOTATION_CREATED","annotation":{{"id":5,"task":7,"updated_at":"{updated}","result":[]}},"project":{{"id":{project}}}}}"#
    );
    event(&format!("annotation-{second}"), "annotation.created", &body)
}

fn project_gone(second: u32) -> Vec<u8> {
    let body = r#"{"action":"PROJECT_DELETED","project":{"id":1}}"#;
    changed("gone", "project.deleted", body, |attributes| {
        attributes.receivedtime = received(second);
    })
}

/// Red if a thing passes for gone with what held another one that had its id, or its task's, before: the deletion of that one
/// comes late, or never.
#[tokio::test(start_paused = true)]
async fn what_has_an_id_of_before_elsewhere_is_there() {
    let before = || task(3, 1);
    let again = || task(5, 2);
    let on_it = || annotation(6, 2);
    let gone = || project_gone(8);
    let (lines, _) = handled([before(), gone(), again(), on_it()]).await;
    let expected = [
        "task/7 0003",
        "project/1 gone by body",
        "task/7 gone by parent",
        "task/7 0005",
        "annotation/5 0006",
    ];
    assert_eq!(lines, expected);
    let (lines, _) = handled([before(), gone(), on_it(), again()]).await;
    assert_eq!(lines[3..], ["annotation/5 0006", "task/7 0005"]);
    let (lines, _) = handled([before(), on_it(), gone(), again()]).await;
    let expected = [
        "task/7 0003",
        "annotation/5 0006",
        "project/1 gone by body",
        "task/7 gone by parent",
        "task/7 0005",
    ];
    assert_eq!(lines, expected);
}

/// Task 7 is completed, by an event that was received in that second.
fn completed(second: u32) -> Vec<u8> {
    completed_in(second, 1)
}

/// The same, in this project.
fn completed_in(second: u32, project: u32) -> Vec<u8> {
    let body = format!(r#"{{"task":7,"project":{project},"annotation":5}}"#);
    changed(
        &format!("completed-{second}"),
        "task.completed",
        &body,
        |attributes| {
            attributes.receivedtime = received(second);
            attributes.origin = Some(Origin::Derived);
        },
    )
}

/// Red if no completion of a task is told any more because another task had its id before; or if that of the task before is.
#[tokio::test(start_paused = true)]
async fn a_completion_is_one_of_the_task_that_was_there_when_it_was_received() {
    let gone = || task_deleted("gone", 7, 8);
    let (lines, stats) = handled([completed(3), gone(), completed(4), completed(9)]).await;
    let expected = [
        "completion/7 -",
        "task/7 gone by body",
        "completion/7 gone by parent",
        "completion/7 -",
    ];
    assert_eq!(lines, expected);
    assert_eq!(stats.stale, 1, "what was completed before the deletion");
    // The deletion comes late: it is one of the task before.
    let (lines, _) = handled([completed(9), gone()]).await;
    assert_eq!(lines, ["completion/7 -", "task/7 gone by body"]);
    // One of the task that has the id now.
    let (lines, _) = handled([completed(9), gone(), task_deleted("again", 7, 12)]).await;
    assert_eq!(
        lines[2..],
        ["task/7 gone by body", "completion/7 gone by parent"]
    );
    // One of the task before comes late, and does not say where the task is now.
    let (lines, _) = handled([completed_in(9, 1), completed_in(3, 2), project_gone(12)]).await;
    let expected = [
        "completion/7 -",
        "project/1 gone by body",
        "completion/7 gone by parent",
    ];
    assert_eq!(lines, expected);
}
