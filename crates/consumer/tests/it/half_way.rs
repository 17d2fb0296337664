//! A removal that takes several things along, and was broken off between them.

use crate::bodies::{annotation, event};
use crate::rules::{Seen, in_order};
use crate::source::Source;
use labelrelay_consumer::{Consumer, Failure, Incoming, MemoryState};
use labelrelay_event::changes::{Change, Kind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Red if an annotation is left for good when its handler failed after that of its task had done its work.
#[tokio::test(start_paused = true)]
async fn what_is_left_is_taken_when_the_event_comes_again() {
    let task = r#"{"action":"TASKS_CREATED","tasks":[{"id":7,"data":{},"updated_at":"2026-11-28T00:00:05.000001Z"}],"project":{"id":1}}"#;
    // The task alone holds it, as far as it says.
    let on_it = annotation(5, 20).replace(r#","project":{"id":1}"#, "");
    let gone = r#"{"action":"PROJECT_DELETED","project":{"id":1}}"#;
    let source = Source::of([
        event("a", "task.created", task),
        event("b", "annotation.updated", &on_it),
        event("c", "project.deleted", gone),
    ]);
    let (seen, fails) = (Seen::default(), AtomicBool::new(true));
    let noted = seen.clone();
    let mut settings = in_order();
    settings.until_idle = Some(Duration::from_secs(60));
    let consumer = Consumer::new(MemoryState::new())
        .on_all(move |incoming: Incoming| {
            noted.note(&incoming);
            let is_it = incoming.key().kind == Kind::Annotation
                && matches!(incoming.change(), Change::Removed(_));
            let fails = is_it && fails.swap(false, Ordering::SeqCst);
            async move {
                if fails {
                    Err(Failure::retry("not yet"))
                } else {
                    Ok(())
                }
            }
        })
        .settings(settings);
    consumer
        .run(source.clone(), std::future::pending())
        .await
        .unwrap();
    assert!(source.are_all_acknowledged(), "{:?}", source.ends());
    let expected = [
        "project/1 gone by body",
        "task/7 gone by parent",
        "annotation/5 gone by parent",
        "project/1 gone by body",
        "annotation/5 gone by parent",
    ];
    assert_eq!(seen.lines()[2..], expected);
}
