//! Ids that are given again: `SQLite` gives that of Label Studio's newest task or annotation to what an import brings next.

use crate::bodies::{changed, event, received};
use crate::rules::handled;

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
