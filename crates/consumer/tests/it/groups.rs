//! Queues that keep the order of groups.

use crate::bodies::annotated;
use crate::rules::{Seen, in_order};
use crate::source::{End, Source, error};
use labelrelay_consumer::{Consumer, Failure, Incoming, MemoryState};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::sleep;

/// Annotations of these ids, each in a group.
fn grouped(messages: &[(&str, u32)]) -> Arc<Source> {
    let source = Source::of([]);
    for (group, id) in messages {
        source.send_in(Some(group), annotated(&id.to_string(), *id, 20));
    }
    source
}

/// Notes what is handled, and fails so for annotation 2, for the first few times.
fn failing_at_two(seen: &Seen, times: usize, failure: fn() -> Failure) -> Consumer {
    let (seen, left) = (seen.clone(), Arc::new(AtomicUsize::new(times)));
    let mut settings = in_order();
    // As many at the same time as there are.
    settings.concurrency = 8;
    settings.until_idle = Some(Duration::from_secs(60));
    Consumer::new(MemoryState::new())
        .on_all(move |incoming: Incoming| {
            let fails = incoming.key().id == "2"
                && left
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                        left.checked_sub(1)
                    })
                    .is_ok();
            seen.note(&incoming);
            async move {
                // Whoever did not wait would be first.
                sleep(Duration::from_millis(10)).await;
                if fails { Err(failure()) } else { Ok(()) }
            }
        })
        .settings(settings)
}

fn ids(seen: &Seen, of: &[&str]) -> Vec<String> {
    let lines = seen.lines().into_iter();
    let ids = lines.filter_map(|line| Some(line.split(['/', ' ']).nth(1)?.to_owned()));
    ids.filter(|id| of.contains(&id.as_str())).collect()
}

/// Red if 3 and 4 overtake 2, or if the other group waits for it.
#[tokio::test(start_paused = true)]
async fn nothing_overtakes_what_failed_in_its_group() {
    let source = grouped(&[("a", 1), ("a", 2), ("b", 5), ("a", 3), ("a", 4), ("b", 6)]);
    let seen = Seen::default();
    let consumer = failing_at_two(&seen, 2, || Failure::retry("not yet"));
    consumer
        .run(source.clone(), std::future::pending())
        .await
        .unwrap();
    assert!(source.are_all_acknowledged());
    let of_a = ids(&seen, &["1", "2", "3", "4"]);
    assert_eq!(of_a, ["1", "2", "2", "2", "3", "4"]);
    assert_eq!(ids(&seen, &["2", "6"])[2..], ["2", "2"]);
    // What was held back came with what it waited for, as often and not sooner.
    let retries = source.retries();
    assert_eq!(source.receives(), [1, 3, 1, 3, 3, 1]);
    for held_back in [3, 4] {
        for (own, of_two) in retries[held_back].iter().zip(&retries[1]) {
            assert!(*own <= *of_two && *own + Duration::from_millis(1) >= *of_two);
        }
    }
}

/// A dead letter is the end of an event, and the others go on.
#[tokio::test(start_paused = true)]
async fn a_rejected_event_holds_nothing_up() {
    let source = grouped(&[("a", 1), ("a", 2), ("a", 3)]);
    let seen = Seen::default();
    let consumer = failing_at_two(&seen, 1, || Failure::reject("no use for it"));
    consumer
        .run(source.clone(), std::future::pending())
        .await
        .unwrap();
    assert_eq!(ids(&seen, &["1", "2", "3"]), ["1", "2", "3"]);
    let rejected = End::Rejected("no use for it".to_owned());
    assert_eq!(source.ends()[1], Some(rejected));
    assert_eq!(source.receives(), [1, 1, 1]);
}

/// Red if an event whose dead letter could not be made is given back by a receipt that is no longer good, or overtaken.
#[tokio::test(start_paused = true)]
async fn a_rejection_that_failed_is_tried_again_after_the_usual_pause() {
    let source = grouped(&[("a", 1), ("a", 2), ("a", 3)]);
    source.fail_rejects([error(false), error(true)]);
    let seen = Seen::default();
    let consumer = failing_at_two(&seen, 3, || Failure::reject("no use for it"));
    consumer
        .run(source.clone(), std::future::pending())
        .await
        .unwrap();
    assert_eq!(ids(&seen, &["1", "2", "3"]), ["1", "2", "2", "2", "3"]);
    let rejected = End::Rejected("no use for it".to_owned());
    assert_eq!(source.ends()[1], Some(rejected));
    let pauses = &source.retries()[1];
    assert_eq!(pauses.len(), 2);
    assert!(pauses.iter().all(|pause| *pause >= Duration::from_secs(5)));
}

/// Red if a stop waits for an event that waits for another one, or forgets it.
#[tokio::test(start_paused = true)]
async fn a_stop_gives_a_group_back_in_its_order() {
    let source = grouped(&[("a", 1), ("a", 2), ("a", 3)]);
    let mut settings = in_order();
    settings.until_idle = None;
    settings.drain = Duration::ZERO;
    let consumer = Consumer::new(MemoryState::new())
        .on_all(|_| async {
            sleep(Duration::from_secs(10)).await;
            Ok(())
        })
        .settings(settings);
    consumer
        .run(source.clone(), sleep(Duration::from_secs(5)))
        .await
        .unwrap();
    let ends = [Some(End::Acknowledged), None, None];
    assert_eq!(source.ends(), ends);
    assert_eq!(source.retries()[1..], [[Duration::ZERO], [Duration::ZERO]]);
}
