//! What the platform has of a thing, where an event does not say which version is the newest.

use crate::bodies::{annotation, event};
use crate::rules::in_order;
use crate::source::Source;
use labelrelay_consumer::{Consumer, Incoming, MemoryState};
use labelrelay_event::changes::{By, Change, Kind, Order, Record};
use std::sync::{Arc, Mutex};

/// An annotation as a handler gets it, in whole seconds.
async fn received() -> Incoming {
    let body = annotation(5, 20).replace(".000001Z", "Z");
    let source = Source::of([event("a", "annotation.updated", &body)]);
    let kept = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&kept);
    let consumer = Consumer::new(MemoryState::new())
        .on([Kind::Annotation], move |incoming: Incoming| {
            *keep.lock().unwrap() = Some(incoming);
            async { Ok(()) }
        })
        .settings(in_order());
    consumer.run(source, std::future::pending()).await.unwrap();
    let incoming = kept.lock().unwrap().take();
    incoming.unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_answer_of_the_platform_is_a_change_of_the_same_thing() {
    let incoming = received().await;
    let answer = br#"{"id":5,"updated_at":"2026-11-28T00:00:30.5Z","result":[]}"#;
    let Ok(Change::Changed(found)) = incoming.refetched(Some(answer)) else {
        panic!("it is there");
    };
    assert_eq!(found.key, *incoming.key());
    assert_eq!(found.version.as_deref(), Some("20261128T000030.500000000Z"));
    assert_eq!(found.order, Order::Newer);
    assert_eq!(*found.parents, *incoming.change().parents());
    let Some(Record::Annotation(record)) = found.record.as_deref() else {
        panic!("the whole annotation");
    };
    assert_eq!(record.raw.get().as_bytes(), answer);
}

#[tokio::test(start_paused = true)]
async fn what_the_platform_does_not_have_is_removed() {
    let incoming = received().await;
    let Ok(Change::Removed(gone)) = incoming.refetched(None) else {
        panic!("it is gone");
    };
    assert_eq!((&gone.key, gone.by), (incoming.key(), By::Pull));
    let parents = incoming.change().parents();
    assert_eq!(&*gone.parents, parents);
    // Received in second 50.
    assert!(gone.takes(&gone.key, &[], Some("20261128T000020.000000000Z")));
    assert!(!gone.takes(&gone.key, &[], Some("20261128T000051.000000000Z")));
}

#[tokio::test(start_paused = true)]
async fn an_answer_about_something_else_is_a_failure() {
    let incoming = received().await;
    for (answer, reason) in [
        (
            r#"{"id":6,"result":[]}"#,
            "something else than annotation 5",
        ),
        ("<html>", "its body cannot be read"),
    ] {
        let failure = incoming.refetched(Some(answer.as_bytes())).unwrap_err();
        assert!(failure.to_string().contains(reason), "{failure}");
    }
}
