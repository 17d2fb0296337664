//! One event among many that nobody can read.

use crate::bodies::{annotated, event};
use crate::rules::{Seen, in_order, noting};
use crate::source::{End, Source};
use labelrelay_consumer::MemoryState;
use std::time::Duration;

/// Red if it takes another along, or is lost.
#[tokio::test(start_paused = true)]
async fn one_poisoned_event_among_a_thousand_is_one_dead_letter() {
    // Nobody can tell what it is about.
    let poisoned = r#"{"action":"ANNOTATION_CREATED"}"#;
    let poisoned = event("poisoned", "annotation.created", poisoned);
    let source = Source::of((1..=1000).map(|number| match number {
        500 => poisoned.clone(),
        _ => annotated(&number.to_string(), number, 20),
    }));
    let mut settings = in_order();
    settings.concurrency = 8;
    settings.max_receives = Some(2);
    settings.until_idle = Some(Duration::from_secs(3600));
    let seen = Seen::default();
    let consumer = noting(&seen, MemoryState::new()).settings(settings);
    let never = std::future::pending();
    let stats = consumer.run(source.clone(), never).await.unwrap();
    let mut dead = Vec::new();
    for (at, end) in source.ends().into_iter().enumerate() {
        match end {
            Some(End::Acknowledged) => {}
            Some(End::Rejected(reason)) => dead.push((at + 1, reason)),
            None => panic!("event {} came to no end", at + 1),
        }
    }
    let [(500, reason)] = dead.as_slice() else {
        panic!("{dead:?}");
    };
    assert!(reason.starts_with("received 2 times: "), "{reason}");
    assert_eq!(seen.lines().len(), 999);
    assert_eq!((stats.changes, stats.rejected), (999, 1));
    assert!(stats.unreadable > 0, "{stats:?}");
}
