//! Projects from which nothing was delivered, whatever run breaks off in between.

use crate::server::{Answer, Asked, Server};
use crate::watermark::{config, json, platform, tasks};
use labelrelay_core::{BoxFuture, OutboundMessage, QueueLimits};
use labelrelay_event::{Attributes, Digest, EventType};
use labelrelay_local::LedgerFile;
use labelrelay_reconcile::label_studio::LabelStudio;
use labelrelay_reconcile::{
    LiveEvent, NoProgress, Reconcile, ReconcileError, SendOutcome, Sink, SinkError, Summary,
};
use labelrelay_testkit::clock::FakeClock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A Label Studio with two projects. The first one has so many tasks, the second one has none.
#[derive(Default)]
struct Studio {
    tasks: AtomicU64,
    /// It hangs up when it is asked for the tasks of the first project.
    first_breaks_off: AtomicBool,
    /// The same for the second one.
    second_breaks_off: AtomicBool,
}

impl Studio {
    fn answer(&self, asked: &Asked) -> Answer {
        let head = &asked.head;
        if head.starts_with("GET /api/projects/?") {
            return json("{\"count\":2,\"results\":[{\"id\":1},{\"id\":2}]}");
        }
        let is_second = head.contains("/api/projects/2/") || head.contains("project=2&");
        let (id, count, breaks_off) = if is_second {
            (2, 0, &self.second_breaks_off)
        } else {
            (
                1,
                self.tasks.load(Ordering::Relaxed),
                &self.first_breaks_off,
            )
        };
        if head.starts_with("GET /api/projects/") {
            return json(&format!(
                "{{\"id\":{id},\"task_number\":{count},\"total_annotations_number\":0,\"skipped_annotations_number\":0}}"
            ));
        }
        if breaks_off.load(Ordering::Relaxed) {
            return Answer::new();
        }
        let ids: Vec<_> = (1..=count).collect();
        tasks(count, &ids)
    }

    fn add_task(&self) {
        self.tasks.fetch_add(1, Ordering::Relaxed);
    }
}

/// A queue that can be looked into: what was delivered.
#[derive(Default)]
struct Queue(Mutex<Vec<Attributes>>);

impl Queue {
    /// A delivery from the first project, of which pulling shows nothing.
    fn deliver(&self) {
        let mut all = self.0.lock().unwrap();
        let event_type = EventType::from_static("io.labelstud.project.updated");
        let digest = Digest::of(b"{}");
        let id = format!("delivery {}", all.len());
        let mut attributes =
            Attributes::new(id, "/studio", &event_type, &digest, "2026-11-25T22:00:00Z");
        attributes.subject = Some("project/1".to_owned());
        attributes.project = Some("1".to_owned());
        all.push(attributes);
    }
}

impl Sink for Queue {
    fn limits(&self) -> QueueLimits {
        QueueLimits::bytes(1 << 20)
    }

    fn events_after(&self, after: u64, max: usize) -> Result<Vec<LiveEvent>, SinkError> {
        let all = self.0.lock().unwrap();
        let events = (1..).zip(all.iter()).filter(|(seq, _)| *seq > after);
        let event = |(seq, attributes): (u64, &Attributes)| LiveEvent {
            seq,
            attributes: attributes.clone(),
            data: None,
        };
        Ok(events.map(event).take(max).collect())
    }

    fn send<'a>(
        &'a mut self,
        messages: &'a [OutboundMessage],
        _: u64,
    ) -> BoxFuture<'a, Result<Vec<SendOutcome>, SinkError>> {
        Box::pin(async { Ok(vec![SendOutcome::New; messages.len()]) })
    }
}

#[tokio::test]
async fn a_run_that_broke_off_neither_makes_silence_nor_hides_it() {
    let studio = Arc::new(Studio::default());
    studio.add_task();
    let on_server = Arc::clone(&studio);
    let server = Server::by(move |asked| on_server.answer(asked)).await;
    let platform = platform(&server.url);
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path());
    let file = directory.path().join("ledger");
    let mut sink = Queue::default();
    let clock = FakeClock::at("2026-11-25T23:00:00Z");
    // As a program that ends does: nothing but the file goes from one run to the next.
    let run = async |sink: &mut Queue| -> Result<Summary, ReconcileError> {
        let mut ledger = LedgerFile::open(&file, "studio", &server.url).unwrap();
        let mut run = Reconcile {
            source: config.sources.first().unwrap(),
            platform: Arc::<LabelStudio>::clone(&platform),
            ledger: &mut ledger,
            sink,
            progress: &NoProgress,
            clock: &clock,
            overlap: Duration::from_secs(600),
            begin: None,
            full: false,
            deleted_projects: &[],
        };
        run.run().await
    };
    let silent = |ended: Result<Summary, ReconcileError>| {
        let summary = ended.unwrap();
        (summary.silent, summary.silent_changes)
    };
    let nothing = (Vec::new(), 0);
    assert_eq!(silent(run(&mut sink).await), nothing, "it was there before");

    // A run that breaks off reads what was delivered.
    sink.deliver();
    studio.first_breaks_off.store(true, Ordering::Relaxed);
    run(&mut sink).await.unwrap_err();
    studio.first_breaks_off.store(false, Ordering::Relaxed);
    studio.add_task();
    assert_eq!(silent(run(&mut sink).await), nothing, "it was delivered");

    // A run that breaks off sends what was not delivered.
    studio.add_task();
    studio.second_breaks_off.store(true, Ordering::Relaxed);
    run(&mut sink).await.unwrap_err();
    studio.second_breaks_off.store(false, Ordering::Relaxed);
    let one = (vec!["1".to_owned()], 1);
    assert_eq!(silent(run(&mut sink).await), one, "nothing was delivered");
    assert_eq!(silent(run(&mut sink).await), nothing, "it was told");
}
