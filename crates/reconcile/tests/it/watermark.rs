//! The watermark, whatever a server does: what was not looked through is looked through again, and nothing is taken
//! for deleted.

use crate::server::{Answer, Asked, Server, answer, options};
use labelrelay_core::config::Config;
use labelrelay_core::{BoxFuture, Ledger as _, OutboundMessage, QueueLimits, Secret};
use labelrelay_local::LedgerFile;
use labelrelay_reconcile::label_studio::LabelStudio;
use labelrelay_reconcile::{LiveEvent, NoProgress, Reconcile, SendOutcome, Sink, SinkError};
use labelrelay_testkit::clock::FakeClock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Takes everything; the types of what it took.
#[derive(Default)]
struct Taken(Mutex<Vec<String>>);

impl Sink for Taken {
    fn limits(&self) -> QueueLimits {
        QueueLimits::bytes(1 << 20)
    }

    fn events_after(&self, _: u64, _: usize) -> Result<Vec<LiveEvent>, SinkError> {
        Ok(Vec::new())
    }

    fn send<'a>(
        &'a mut self,
        messages: &'a [OutboundMessage],
        _: u64,
    ) -> BoxFuture<'a, Result<Vec<SendOutcome>, SinkError>> {
        let types = messages
            .iter()
            .map(|message| message.event_type().to_owned());
        self.0.lock().unwrap().extend(types);
        Box::pin(async { Ok(vec![SendOutcome::New; messages.len()]) })
    }
}

fn json(body: &str) -> Answer {
    answer("200 OK", "Date: Wed, 25 Nov 2026 22:44:22 GMT\r\n", body)
}

fn task(id: u64) -> String {
    format!(
        "{{\"id\":{id},\"created_at\":\"2026-11-25T00:00:00.1Z\",\"updated_at\":\"2026-11-25T00:00:00.1Z\",\"annotations\":[]}}"
    )
}

fn tasks(total: u64, ids: &[u64]) -> Answer {
    let tasks: Vec<_> = ids.iter().map(|id| task(*id)).collect();
    json(&format!(
        "{{\"total\":{total},\"tasks\":[{}]}}",
        tasks.join(",")
    ))
}

/// Behaviours of the server, by number; 0 is the right one.
fn behaviour(how: usize, asked: &Asked) -> Answer {
    let is_list = asked.head.starts_with("GET /api/projects/");
    match (how, is_list) {
        (1, true) => json("{\"count\":500,\"results\":[{\"id\":1}]}"),
        (2, true) => json("{\"count\":1,\"results\":["),
        (3, true) => answer("302 Found", "Location: /api/projects/\r\n", ""),
        (_, true) => json("{\"count\":1,\"results\":[{\"id\":1}]}"),
        (4, false) => tasks(500, &[1, 2]),
        (5, false) => tasks(500, &[]),
        (6, false) => tasks(2, &[2, 1]),
        (7, false) => json("{\"total\":2,\"tasks\":[{\"id\":1}"),
        (8, false) => answer("302 Found", "Location: /api/tasks/\r\n", ""),
        (9, false) => String::new(),
        (10, false) => json("{\"tasks\":[]}"),
        (_, false)
            if asked.head.contains("%22value%22%3A0%2C")
                || asked.head.contains("%22value%22%3A0%7D") =>
        {
            tasks(2, &[1, 2])
        }
        (_, false) => tasks(0, &[]),
    }
}

#[tokio::test]
async fn a_server_that_errs_moves_no_watermark_and_deletes_nothing() {
    let how = Arc::new(AtomicUsize::new(0));
    let now = Arc::clone(&how);
    let server = Server::by(move |asked| behaviour(now.load(Ordering::Relaxed), asked)).await;
    let token = Secret::new("token", "0123456789abcdef0123456789abcdef01234567").unwrap();
    let mut options = options();
    options.attempts = 2;
    let platform = Arc::new(LabelStudio::new(&server.url, token, Vec::new(), options).unwrap());
    let directory = tempfile::tempdir().unwrap();
    let config = "queue = \"sqlite:queue.db\"\n[[source]]\nname = \"studio\"\nprovider = \"label-studio\"\nsecret = \"env:S\"\n";
    let lookup = |name: &str| (name == "S").then(|| "secret0of0more0than0sixteen0bytes".to_owned());
    let config = Config::from_toml(config, "test", directory.path().to_owned(), &lookup).unwrap();
    let file = directory.path().join("ledger");
    let mut ledger = LedgerFile::open(&file, "studio", &server.url).unwrap();
    let mut sink = Taken::default();
    let clock = FakeClock::at("2026-11-25T23:00:00Z");
    let mut marks = Vec::new();
    for number in 0..=10 {
        how.store(number, Ordering::Relaxed);
        let mut run = Reconcile {
            source: &config.sources[0],
            platform: platform.clone(),
            ledger: &mut ledger,
            sink: &mut sink,
            progress: &NoProgress,
            clock: &clock,
            overlap: Duration::from_secs(600),
            begin: None,
            deleted_projects: &[],
        };
        let ended = tokio::time::timeout(Duration::from_secs(60), run.run());
        let ended = ended.await.expect("the run ends");
        assert_eq!(ended.is_ok(), number == 0, "{number}: {ended:?}");
        marks.push(ledger.watermark("1").unwrap());
    }
    assert!(marks[0].is_some());
    assert!(marks.iter().all(|mark| *mark == marks[0]), "{marks:?}");
    let types = sink.0.into_inner().unwrap();
    assert_eq!(types, ["io.labelstud.task.created"; 2]);
}
