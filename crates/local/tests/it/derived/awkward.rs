//! Events that come late, again, or with values that nobody expects.

use super::{completed, event, named_task, open, send, stored};
use crate::support::QueueDir;
use serde_json::json;

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
        let body = json!({"action": "ANNOTATION_CREATED", "annotation": super::annotation(id, 7, id), "project": {"id": 1}});
        let id = format!("created {id}");
        send(
            &queue,
            &event(&id, "io.labelstud.annotation.created", &body),
        );
    }
    send(&queue, &super::deleted("delete 1", [1]));
    let file = queue_dir.file();
    assert_eq!(named_task(&file, "delete 1").as_deref(), Some("7"));
    assert_eq!(completed(&file).len(), 1);
    assert_eq!(stored(&file).len(), 5);
}
