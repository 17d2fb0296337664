//! "Applying changes" of `docs/changes.md`: what is news, and in which order.

use crate::bodies::{annotated, annotation, changed, event, received, task_deleted};
use crate::source::Source;
use labelrelay_consumer::{Consumer, Failure, Incoming, MemoryState, Settings, State, Stats};
use labelrelay_event::changes::{By, Change, Kind};
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Calls of handlers, in one line each.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    pub(crate) fn note(&self, incoming: &Incoming) {
        let line = match incoming.change() {
            Change::Changed(changed) => {
                let version = changed.version.as_deref().unwrap_or("-");
                // Minutes and seconds.
                let short = version.get(11..15).unwrap_or(version);
                format!("{}/{} {short}", changed.key.kind, changed.key.id)
            }
            Change::Removed(removed) => {
                format!(
                    "{}/{} gone by {}",
                    removed.key.kind,
                    removed.key.id,
                    removed.by.as_str()
                )
            }
            _ => "odd".to_owned(),
        };
        self.0.lock().unwrap().push(line);
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// One event at a time, until nothing came for a while.
pub(crate) fn in_order() -> Settings {
    let mut settings = Settings::default();
    settings.concurrency = 1;
    settings.until_idle = Some(Duration::from_secs(1));
    settings
}

pub(crate) fn noting(seen: &Seen, state: impl State + 'static) -> Consumer {
    let seen = seen.clone();
    Consumer::new(state)
        .on_all(move |incoming| {
            let seen = seen.clone();
            async move {
                seen.note(&incoming);
                Ok(())
            }
        })
        .settings(in_order())
}

/// Handles these events one after the other. All must be acknowledged.
pub(crate) async fn handled(envelopes: impl IntoIterator<Item = Vec<u8>>) -> (Vec<String>, Stats) {
    let (seen, source) = (Seen::default(), Source::of(envelopes));
    let consumer = noting(&seen, MemoryState::new());
    let stats = consumer
        .run(source.clone(), std::future::pending())
        .await
        .unwrap();
    assert!(source.are_all_acknowledged(), "{:?}", source.ends());
    (seen.lines(), stats)
}

#[tokio::test(start_paused = true)]
async fn a_greater_version_is_news_and_a_smaller_or_equal_one_is_not() {
    let events = [("a", 20), ("b", 10), ("c", 30), ("d", 30)];
    let (lines, stats) = handled(events.map(|(id, second)| annotated(id, 5, second))).await;
    assert_eq!(lines, ["annotation/5 0020", "annotation/5 0030"]);
    assert_eq!((stats.changes, stats.stale), (2, 2));
    assert_eq!((stats.received, stats.acknowledged), (4, 4));
}

#[tokio::test(start_paused = true)]
async fn equal_versions_in_whole_seconds_are_both_handed_on() {
    let body = annotation(5, 20).replace(".000001Z", "Z");
    let events = ["a", "b"].map(|id| event(id, "annotation.updated", &body));
    let (lines, _) = handled(events).await;
    assert_eq!(lines.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_repeat_is_known_and_a_replay_is_handled_again() {
    let again = || annotated("a", 5, 20);
    let replay = || {
        changed(
            "a",
            "annotation.updated",
            &annotation(5, 20),
            |attributes| {
                attributes.replayedtime = Some(received(55));
            },
        )
    };
    let (lines, stats) = handled([again(), again(), replay(), replay()]).await;
    assert_eq!(lines.len(), 2);
    assert_eq!((stats.repeats, stats.stale), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_removal_takes_what_it_held_and_what_comes_late_is_stale() {
    let (lines, stats) = handled([
        annotated("a", 5, 20),
        annotated("b", 6, 21),
        task_deleted("c", 7, 40),
        annotated("d", 8, 22),
        // The id was given again: a later version is another thing.
        annotated("e", 5, 45),
        // The removal again, by another id: it does not touch the new one.
        task_deleted("f", 7, 40),
    ])
    .await;
    let (first, rest) = lines.split_at(3);
    assert_eq!(
        first,
        [
            "annotation/5 0020",
            "annotation/6 0021",
            "task/7 gone by body"
        ]
    );
    let mut taken = rest[..2].to_vec();
    taken.sort();
    assert_eq!(
        taken,
        ["annotation/5 gone by parent", "annotation/6 gone by parent"]
    );
    assert_eq!(rest[2..], ["annotation/5 0045", "task/7 gone by body"]);
    assert_eq!(stats.stale, 1, "annotation 8 was gone before it came");
}

#[tokio::test(start_paused = true)]
async fn a_removal_reaches_through_what_is_known_of_parents() {
    let body = r#"{"action":"TASKS_CREATED","tasks":[{"id":7,"data":{},"updated_at":"2026-11-28T00:00:05.000001Z"}],"project":{"id":1}}"#;
    // The body of the annotation does not name the project.
    let alone = annotation(5, 20).replace(r#","project":{"id":1}"#, "");
    let gone = r#"{"action":"PROJECT_DELETED","project":{"id":1}}"#;
    let (lines, _) = handled([
        event("a", "task.created", body),
        event("b", "annotation.updated", &alone),
        event("c", "project.deleted", gone),
        // Known by the task alone.
        event(
            "d",
            "annotation.updated",
            &alone.replace("\"id\":5", "\"id\":6"),
        ),
    ])
    .await;
    assert_eq!(
        lines,
        [
            "task/7 0005",
            "annotation/5 0020",
            "project/1 gone by body",
            "task/7 gone by parent",
            "annotation/5 gone by parent"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_header_holds_for_all_that_follows() {
    let (seen, state) = (Seen::default(), MemoryState::new());
    let source = Source::of([
        annotated("a", 5, 20),
        changed(
            "b",
            "task.deleted",
            r#"{"action":"TASKS_DELETED","tasks":[{"id":7}],"project":{"id":1}}"#,
            |attributes| attributes.typefrom = Some(labelrelay_event::TypeFrom::Header),
        ),
    ]);
    let by = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&by);
    let consumer = noting(&seen, state).on([Kind::Annotation], move |incoming: Incoming| {
        if let Change::Removed(removed) = incoming.change() {
            noted.lock().unwrap().push(removed.by);
        }
        async { Ok(()) }
    });
    consumer.run(source, std::future::pending()).await.unwrap();
    assert_eq!(*by.lock().unwrap(), [By::Header]);
}

#[tokio::test(start_paused = true)]
async fn one_thing_is_handled_once_at_a_time_and_ends_with_its_newest_version() {
    let events = (0..60).map(|n| annotated(&n.to_string(), n % 3, 10 + (n * 37) % 60));
    let source = Source::of(events);
    let at_work = Arc::new(Mutex::new(HashSet::new()));
    let seen = Seen::default();
    let most = Arc::new(Mutex::new(0));
    let (things, largest, lines) = (Arc::clone(&at_work), Arc::clone(&most), seen.clone());
    let consumer = Consumer::new(MemoryState::new())
        .on([Kind::Annotation], move |incoming: Incoming| {
            let (things, largest, lines) =
                (Arc::clone(&things), Arc::clone(&largest), lines.clone());
            async move {
                {
                    let mut things = things.lock().unwrap();
                    assert!(things.insert(incoming.key().clone()), "two at a time");
                    let mut largest = largest.lock().unwrap();
                    *largest = things.len().max(*largest);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
                things.lock().unwrap().remove(incoming.key());
                lines.note(&incoming);
                Ok(())
            }
        })
        .settings({
            let mut settings = in_order();
            settings.concurrency = 8;
            settings
        });
    let stats = consumer
        .run(source.clone(), std::future::pending())
        .await
        .unwrap();
    assert!(source.are_all_acknowledged());
    assert_eq!(
        *most.lock().unwrap(),
        3,
        "different things at the same time"
    );
    assert_eq!(stats.changes + stats.stale, 60);
    assert!(stats.stale > 0);
    // The last call for each thing had its newest version.
    for id in 0..3 {
        let newest = (0..60)
            .filter(|n| n % 3 == id)
            .map(|n| 10 + (n * 37) % 60)
            .max()
            .unwrap();
        let name = format!("annotation/{id} ");
        let last = seen
            .lines()
            .into_iter()
            .rfind(|line| line.starts_with(&name));
        let expected = format!("{name}{:02}{:02}", newest / 60, newest % 60);
        assert_eq!(last, Some(expected));
    }
}

/// A consumer for each of two queues. Red if a thing is handled twice at a time, or ends with an older version.
#[tokio::test(start_paused = true)]
async fn clones_over_two_queues_keep_things_apart() {
    let sources = [2, 3].map(|second| Source::of([annotated(&second.to_string(), 5, second)]));
    let at_work = Arc::new(Mutex::new(0));
    let seen = Seen::default();
    let (workers, lines) = (Arc::clone(&at_work), seen.clone());
    let consumer = Consumer::new(MemoryState::new())
        .on_all(move |incoming: Incoming| {
            let (workers, lines) = (Arc::clone(&workers), lines.clone());
            async move {
                *workers.lock().unwrap() += 1;
                assert_eq!(*workers.lock().unwrap(), 1, "two at a time");
                tokio::time::sleep(Duration::from_millis(100)).await;
                *workers.lock().unwrap() -= 1;
                lines.note(&incoming);
                Ok(())
            }
        })
        .settings(in_order());
    let [first, second] = &sources;
    let never = std::future::pending;
    let other = consumer.clone();
    let (one, two) = tokio::join!(
        consumer.run(first.clone(), never()),
        other.run(second.clone(), never())
    );
    one.unwrap();
    two.unwrap();
    assert!(sources.iter().all(|source| source.are_all_acknowledged()));
    assert_eq!(seen.lines().last().unwrap(), "annotation/5 0003");
}

#[tokio::test(start_paused = true)]
async fn a_kind_without_a_handler_is_done_with_and_counted() {
    let source = Source::of([annotated("a", 5, 20), task_deleted("b", 7, 40)]);
    let consumer = Consumer::new(MemoryState::new())
        .on([Kind::Label], |_| async {
            Err(Failure::retry("never called"))
        })
        .settings(in_order());
    let stats = consumer
        .run(source.clone(), std::future::pending())
        .await
        .unwrap();
    assert!(source.are_all_acknowledged());
    // The annotation, the task, and the annotation that went with it.
    assert_eq!(stats.unwanted, 3);
}
