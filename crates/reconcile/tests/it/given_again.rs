//! Ids that are given again: a deletion must not hide what has the id now.

use crate::server::{Answer, Asked, Server, answer};
use crate::watermark::{Taken, config, json, platform, reconcile};
use labelrelay_core::{BoxFuture, OutboundMessage, QueueLimits};
use labelrelay_event::{Attributes, Digest, EventType};
use labelrelay_local::LedgerFile;
use labelrelay_reconcile::{LiveEvent, Reconcile, SendOutcome, Sink, SinkError};
use labelrelay_testkit::clock::FakeClock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// A Label Studio with two projects, and one task in the one of this number; 0: in none.
struct Studio {
    project: AtomicU64,
    clock: FakeClock,
}

impl Studio {
    fn in_first() -> Arc<Self> {
        Arc::new(Self {
            project: AtomicU64::new(1),
            clock: FakeClock::at("2026-11-25T23:00:00Z"),
        })
    }

    fn answer(&self, asked: &Asked) -> Answer {
        let head = &asked.head;
        if head.starts_with("GET /api/projects/?") {
            return json("{\"count\":2,\"results\":[{\"id\":1},{\"id\":2}]}");
        }
        let is_second = head.contains("/api/projects/2/") || head.contains("project=2&");
        let project = 1 + u64::from(is_second);
        let count = u64::from(self.project.load(Ordering::Relaxed) == project);
        if head.starts_with("GET /api/projects/") {
            return json(&format!(
                "{{\"id\":{project},\"task_number\":{count},\"total_annotations_number\":0,\"skipped_annotations_number\":0}}"
            ));
        }
        // Asked once more for what it did not show: it takes its time.
        if head.contains("selectedItems") {
            self.clock.advance(Duration::from_secs(60));
        }
        if count == 0 {
            return json("{\"total\":0,\"tasks\":[]}");
        }
        // The one in the second project is a newer one.
        let time = format!("2026-11-25T{}:00:00.1Z", 20 + project);
        json(&format!(
            "{{\"total\":1,\"tasks\":[{{\"id\":7,\"created_at\":\"{time}\",\"updated_at\":\"{time}\",\"annotations\":[]}}]}}"
        ))
    }

    /// What each of two runs sends; before the second one, the task is in the project `then`.
    async fn sent(self: Arc<Self>, then: u64) -> Taken {
        let on_server = Arc::clone(&self);
        let server = Server::by(move |asked| on_server.answer(asked)).await;
        let platform = platform(&server.url);
        let directory = tempfile::tempdir().unwrap();
        let config = config(directory.path());
        let file = directory.path().join("ledger");
        let mut ledger = LedgerFile::open(&file, "studio", &server.url).unwrap();
        let mut sink = Taken::default();
        for project in [1, then] {
            self.project.store(project, Ordering::Relaxed);
            let clock = &self.clock;
            let mut run = reconcile(&config, &platform, &mut ledger, &mut sink, clock, false);
            run.run().await.unwrap();
        }
        sink
    }
}

/// Red if the deletion of a task is told whose id another task has, in another project: it would be received later than that
/// one was made, and hide it from consumers.
#[tokio::test]
async fn what_has_its_id_in_another_project_is_not_gone() {
    let sent = Studio::in_first().sent(2).await;
    assert_eq!(sent.types(), ["io.labelstud.task.created"; 2]);
}

/// Red if a deletion is received when the platform had answered: its id may have been given again until then.
#[tokio::test]
async fn a_deletion_is_received_when_the_platform_was_asked() {
    let sent = Studio::in_first().sent(0).await;
    let expected = ["io.labelstud.task.created", "io.labelstud.task.deleted"];
    assert_eq!(sent.types(), expected);
    let (_, received) = &sent.0[1];
    assert_eq!(received, "2026-11-25T23:00:00.000000Z");
}

/// Red if what was in a project that is gone is received as gone later than the platform was asked for the project: its ids
/// are given again as well.
#[tokio::test]
async fn what_was_in_a_project_is_gone_as_of_the_time_of_asking_for_that() {
    let clock = FakeClock::at("2026-11-25T23:00:00Z");
    let is_gone = Arc::new(AtomicBool::new(false));
    let (on_server, studio) = (Arc::clone(&is_gone), Studio::in_first());
    let its_clock = clock.clone();
    let server = Server::by(move |asked| {
        if !on_server.load(Ordering::Relaxed) {
            return studio.answer(asked);
        }
        if asked.head.starts_with("GET /api/projects/?") {
            return json("{\"count\":0,\"results\":[]}");
        }
        if asked.head.starts_with("GET /api/projects/1/") {
            its_clock.advance(Duration::from_secs(60));
        }
        answer("404 Not Found", "", "{}")
    })
    .await;
    let platform = platform(&server.url);
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path());
    let file = directory.path().join("ledger");
    let mut ledger = LedgerFile::open(&file, "studio", &server.url).unwrap();
    let mut sink = Taken::default();
    let deleted_projects = ["1", "2"].map(str::to_owned);
    for gone in [false, true] {
        is_gone.store(gone, Ordering::Relaxed);
        let mut run = Reconcile {
            deleted_projects: &deleted_projects,
            ..reconcile(&config, &platform, &mut ledger, &mut sink, &clock, false)
        };
        run.run().await.unwrap();
    }
    let expected = ["io.labelstud.task.created", "io.labelstud.task.deleted"];
    assert_eq!(sink.types(), expected);
    let (_, received) = &sink.0[1];
    assert_eq!(received, "2026-11-25T23:00:00.000000Z");
}

/// Takes everything, and tells of one event that was delivered.
struct Delivered {
    taken: Taken,
    event: Option<Attributes>,
}

impl Sink for Delivered {
    fn limits(&self) -> QueueLimits {
        self.taken.limits()
    }

    fn events_after(&self, after: u64, _: usize) -> Result<Vec<LiveEvent>, SinkError> {
        let event = |attributes: &Attributes| LiveEvent {
            seq: 1,
            attributes: attributes.clone(),
            data: None,
        };
        let new = self.event.iter().filter(|_| after < 1);
        Ok(new.map(event).collect())
    }

    fn send<'a>(
        &'a mut self,
        messages: &'a [OutboundMessage],
        after: u64,
    ) -> BoxFuture<'a, Result<Vec<SendOutcome>, SinkError>> {
        self.taken.send(messages, after)
    }
}

/// The deletion of the task that had the id before is read after the platform showed the one that has it now. Red if this one
/// counts as gone: no look could undo that, and nobody would notice that it goes.
#[tokio::test]
async fn a_deletion_that_comes_late_is_not_one_of_what_has_the_id_now() {
    let studio = Studio::in_first();
    let on_server = Arc::clone(&studio);
    let server = Server::by(move |asked| on_server.answer(asked)).await;
    let platform = platform(&server.url);
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path());
    let file = directory.path().join("ledger");
    let mut ledger = LedgerFile::open(&file, "studio", &server.url).unwrap();
    let mut sink = Delivered {
        taken: Taken::default(),
        event: None,
    };
    let event_type = EventType::from_static("io.labelstud.task.deleted");
    let digest = Digest::of(b"{}");
    // The task that has the id now was made at 21:00.
    let received = "2026-11-25T20:59:59.000000Z";
    let mut deletion = Attributes::new("late", "/studio", &event_type, &digest, received);
    deletion.subject = Some("task/7".to_owned());
    deletion.project = Some("1".to_owned());
    for (project, event) in [(1, None), (1, Some(deletion)), (0, None)] {
        studio.project.store(project, Ordering::Relaxed);
        sink.event = event;
        let clock = &studio.clock;
        let mut run = reconcile(&config, &platform, &mut ledger, &mut sink, clock, false);
        run.run().await.unwrap();
    }
    let expected = ["io.labelstud.task.created", "io.labelstud.task.deleted"];
    assert_eq!(sink.taken.types(), expected);
}
