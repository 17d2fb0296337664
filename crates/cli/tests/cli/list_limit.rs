//! A list that is not all says so.

use crate::queue::with_events;

#[test]
fn a_list_that_is_not_all_says_so() {
    let (place, _serving) = with_events(&["task.created", "task.created", "label.created"]);
    let hint = "there are more; --limit";
    for json in [false, true] {
        let with = |words: &[&str]| {
            let json: &[&str] = if json { &["--json"] } else { &[] };
            place.run(&[words, json].concat())
        };
        let some = with(&["events", "list", "--limit", "2"]);
        assert!(some.stderr.contains(hint), "{some:?}");
        assert_eq!(some.good().lines().count(), if json { 2 } else { 3 });
        let newest = with(&["events", "list", "--limit", "1", "--newest"]);
        assert!(newest.stderr.contains(hint), "{newest:?}");
        let tasks = with(&[
            "events",
            "list",
            "--limit",
            "2",
            "--type",
            "io.labelstud.task.*",
        ]);
        assert_eq!(tasks.stderr, "", "that is all of them: {tasks:?}");
        let all = with(&["events", "list", "--limit", "3"]);
        assert_eq!(all.stderr, "", "{all:?}");
    }
    for _ in 0..5 {
        place
            .run(&["queue", "receive", "--max", "10", "--visibility", "0s"])
            .good();
    }
    let dead = place.run(&["events", "list", "--dead", "--limit", "2"]);
    assert!(dead.stderr.contains(hint), "{dead:?}");
    assert_eq!(
        place
            .run(&["events", "list", "--dead", "--limit", "3"])
            .stderr,
        ""
    );
}
