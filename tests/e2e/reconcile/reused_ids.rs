//! Label Studio on `SQLite` gives the id of its newest task again, once that is deleted.

use super::outage::assert_says_what_it_says;
use super::{assert_each_once, summary};
use labelrelay_tests::label_studio::LabelStudio;
use labelrelay_tests::relay::{SECRET, Site};
use serde_json::Value;

/// An import of one task, with an annotation; the task's id.
fn import(label_studio: &mut LabelStudio, project: u64) -> u64 {
    label_studio.import(project, 1, true);
    let rows = label_studio.rows("select max(id) from task");
    rows[0][0].as_u64().unwrap()
}

fn delete(label_studio: &mut LabelStudio, task: u64) {
    label_studio.call("DELETE", &format!("/api/tasks/{task}/"), &Value::Null);
}

#[test]
#[ignore = "needs an installed Label Studio: run it with `cargo xtask e2e reconcile`"]
fn a_task_with_the_id_of_a_deleted_one_is_pulled_and_its_deletion_too() {
    let _machine = crate::beside_others();
    let mut label_studio = LabelStudio::start();
    let site = Site::new();
    let project = label_studio.project("reused");
    let kept = import(&mut label_studio, project);
    let first = import(&mut label_studio, project);
    assert_eq!(summary(&site, &label_studio, &[])["created"], 4);
    let count = |label_studio: &LabelStudio, of: &str| {
        summary(&site, label_studio, &["--full"])[of]
            .as_u64()
            .unwrap()
    };

    for _ in 0..2 {
        delete(&mut label_studio, first);
        assert_eq!(count(&label_studio, "deleted"), 2);
        assert_eq!(
            import(&mut label_studio, project),
            first,
            "the id is given again"
        );
        assert_eq!(count(&label_studio, "sent"), 2, "task and annotation");
    }
    assert_eq!(count(&label_studio, "sent"), 0, "nothing is new");
    assert_ne!(kept, first);
    let events = site.export();
    assert_each_once(&events);
    assert_says_what_it_says(&mut label_studio, project, &events);
}

#[test]
#[ignore = "needs an installed Label Studio: run it with `cargo xtask e2e reconcile`"]
fn the_second_deletion_of_an_id_is_no_repeat_of_the_first() {
    let _machine = crate::beside_others();
    let mut label_studio = LabelStudio::start();
    let site = Site::new();
    let relay = site.serve();
    let project = label_studio.project("reused");
    let url = format!("http://{}/label-studio", relay.address);
    label_studio.webhook(project, &url, SECRET);
    let mut deletions = 0;
    import(&mut label_studio, project);
    for _ in 0..3 {
        let task = import(&mut label_studio, project);
        delete(&mut label_studio, task);
        deletions += 1;
        let events = site.export();
        let of_tasks = events
            .iter()
            .filter(|event| event.attributes.event_type == "io.labelstud.task.deleted");
        assert_eq!(of_tasks.count(), deletions, "each is an event");
    }
    relay.terminate();
    assert!(relay.wait().success());
}
