//! The watermark, whatever a server does: what was not looked through is looked through again, and nothing is taken
//! for deleted.

use crate::server::{Answer, Asked, Server, answer, options};
use labelrelay_core::config::Config;
use labelrelay_core::ledger::{Key, Known};
use labelrelay_core::{BoxFuture, Ledger as _, OutboundMessage, QueueLimits, Secret};
use labelrelay_local::LedgerFile;
use labelrelay_reconcile::label_studio::LabelStudio;
use labelrelay_reconcile::{LiveEvent, NoProgress, Reconcile, SendOutcome, Sink, SinkError};
use labelrelay_testkit::clock::FakeClock;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Takes everything; the types of what it took, and the times of receipt.
#[derive(Default)]
pub(crate) struct Taken(pub(crate) Vec<(String, String)>);

impl Taken {
    pub(crate) fn types(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| &**name).collect()
    }
}

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
        for message in messages {
            let received = message.attributes.receivedtime.clone();
            self.0.push((message.event_type().to_owned(), received));
        }
        Box::pin(async { Ok(vec![SendOutcome::New; messages.len()]) })
    }
}

pub(crate) fn json(body: &str) -> Answer {
    answer("200 OK", "Date: Wed, 25 Nov 2026 22:44:22 GMT\r\n", body)
}

fn task(id: u64) -> String {
    format!(
        "{{\"id\":{id},\"created_at\":\"2026-11-25T00:00:00.1Z\",\"updated_at\":\"2026-11-25T00:00:00.1Z\",\"annotations\":[]}}"
    )
}

pub(crate) fn tasks(total: u64, ids: &[u64]) -> Answer {
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

pub(crate) fn platform(url: &str) -> Arc<LabelStudio> {
    let token = Secret::new("token", "0123456789abcdef0123456789abcdef01234567").unwrap();
    let mut options = options();
    options.attempts = 2;
    Arc::new(LabelStudio::new(url, token, Vec::new(), options).unwrap())
}

pub(crate) fn config(directory: &Path) -> Config {
    let config = "queue = \"sqlite:queue.db\"\n[[source]]\nname = \"studio\"\nprovider = \"label-studio\"\nsecret = \"env:S\"\n";
    let lookup = |name: &str| (name == "S").then(|| "secret0of0more0than0sixteen0bytes".to_owned());
    Config::from_toml(config, "test", directory.to_owned(), &lookup).unwrap()
}

/// A run over everything that the token sees.
pub(crate) fn reconcile<'a>(
    config: &'a Config,
    platform: &Arc<LabelStudio>,
    ledger: &'a mut LedgerFile,
    sink: &'a mut dyn Sink,
    clock: &'a FakeClock,
    full: bool,
) -> Reconcile<'a> {
    Reconcile {
        source: config.sources.first().unwrap(),
        platform: Arc::<LabelStudio>::clone(platform),
        ledger,
        sink,
        progress: &NoProgress,
        clock,
        overlap: Duration::from_secs(600),
        begin: None,
        full,
        deleted_projects: &[],
    }
}

#[tokio::test]
async fn a_server_that_errs_moves_no_watermark_and_deletes_nothing() {
    let how = Arc::new(AtomicUsize::new(0));
    let now = Arc::clone(&how);
    let server = Server::by(move |asked| behaviour(now.load(Ordering::Relaxed), asked)).await;
    let platform = platform(&server.url);
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path());
    let file = directory.path().join("ledger");
    let mut ledger = LedgerFile::open(&file, "studio", &server.url).unwrap();
    let mut sink = Taken::default();
    let clock = FakeClock::at("2026-11-25T23:00:00Z");
    let mut marks = Vec::new();
    for number in 0..=10 {
        how.store(number, Ordering::Relaxed);
        let mut run = reconcile(&config, &platform, &mut ledger, &mut sink, &clock, false);
        let ended = tokio::time::timeout(Duration::from_secs(60), run.run());
        let ended = ended.await.expect("the run ends");
        assert_eq!(ended.is_ok(), number == 0, "{number}: {ended:?}");
        marks.push(ledger.watermark("1").unwrap());
    }
    assert!(marks[0].is_some());
    assert!(marks.iter().all(|mark| *mark == marks[0]), "{marks:?}");
    assert_eq!(sink.types(), ["io.labelstud.task.created"; 2]);
}

/// A Label Studio whose tasks can be taken away behind everybody's back; how often all of them were asked for.
#[derive(Default)]
struct Shelf {
    ids: Mutex<Vec<u64>>,
    listed: AtomicUsize,
    counts_nothing: AtomicBool,
}

impl Shelf {
    fn ids(&self) -> Vec<u64> {
        let ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.clone()
    }

    fn set(&self, ids: &[u64]) {
        *self.ids.lock().unwrap() = ids.to_vec();
    }

    fn answer(&self, asked: &Asked) -> Answer {
        let ids = self.ids();
        let head = &asked.head;
        if head.starts_with("GET /api/projects/?") {
            return json("{\"count\":1,\"results\":[{\"id\":1}]}");
        }
        if head.starts_with("GET /api/projects/1/") {
            return if self.counts_nothing.load(Ordering::Relaxed) {
                json("{\"id\":1}")
            } else {
                json(&format!(
                    "{{\"id\":1,\"task_number\":{},\"total_annotations_number\":0,\"skipped_annotations_number\":0}}",
                    ids.len()
                ))
            };
        }
        // Nothing changes but by going away, and what is asked for by its id is gone.
        if head.contains("selectedItems") || head.contains("updated%5Fat") {
            return tasks(0, &[]);
        }
        if head.contains("fields=task_only") {
            self.listed.fetch_add(1, Ordering::Relaxed);
        }
        tasks(ids.len() as u64, &ids)
    }
}

/// Done before a run.
type Before<'a> = &'a dyn Fn();

#[tokio::test]
async fn everything_is_looked_at_where_the_counts_differ_and_once_a_day() {
    let shelf = Arc::new(Shelf::default());
    shelf.set(&[1, 2, 3]);
    let on_server = Arc::clone(&shelf);
    let server = Server::by(move |asked| on_server.answer(asked)).await;
    let platform = platform(&server.url);
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path());
    let file = directory.path().join("ledger");
    let mut ledger = LedgerFile::open(&file, "studio", &server.url).unwrap();
    let mut sink = Taken::default();
    let clock = FakeClock::at("2026-11-25T23:00:00Z");
    let day = Duration::from_secs(24 * 60 * 60);
    // Changes before a run, whether the run looks at everything, and the deletions that it sends.
    let runs: [(Before<'_>, bool, usize, usize, &str); 8] = [
        (&|| {}, false, 0, 0, "the first one shows everything anyhow"),
        (&|| {}, false, 0, 0, "as many as before"),
        (&|| shelf.set(&[1, 3]), false, 1, 1, "one is gone"),
        (&|| {}, false, 0, 0, "that is known now"),
        (&|| {}, true, 1, 0, "asked for"),
        (&|| clock.advance(day), false, 1, 0, "a day is over"),
        (&|| {}, false, 0, 0, "it begins anew"),
        (
            &|| shelf.counts_nothing.store(true, Ordering::Relaxed),
            false,
            1,
            0,
            "a version that does not count",
        ),
    ];
    for (before, full, listed, deleted, why) in runs {
        before();
        let earlier = (shelf.listed.load(Ordering::Relaxed), deletions(&sink));
        let mut run = reconcile(&config, &platform, &mut ledger, &mut sink, &clock, full);
        run.run().await.unwrap();
        let now = (shelf.listed.load(Ordering::Relaxed), deletions(&sink));
        assert_eq!(
            (now.0 - earlier.0, now.1 - earlier.1),
            (listed, deleted),
            "{why}"
        );
    }
}

/// A delivery told of the project and of a link of labels, and nothing that is looked at shows either. Red if they pass
/// for gone, or if an annotation that has the project's id passes for the project.
#[tokio::test]
async fn of_what_is_not_looked_at_nothing_is_gone() {
    for has_annotation in [false, true] {
        let server = Server::by(move |asked| {
            if asked.head.starts_with("GET /api/projects/") {
                json("{\"count\":1,\"results\":[{\"id\":1}]}")
            } else if !asked.head.starts_with("GET /api/annotations/") {
                tasks(0, &[])
            } else if has_annotation {
                json(
                    "{\"id\":1,\"task\":7,\"updated_at\":\"2026-11-25T00:00:00.1Z\",\"result\":[]}",
                )
            } else {
                answer("404 Not Found", "", "{}")
            }
        })
        .await;
        let platform = platform(&server.url);
        let directory = tempfile::tempdir().unwrap();
        let config = config(directory.path());
        let file = directory.path().join("ledger");
        let mut ledger = LedgerFile::open(&file, "studio", &server.url).unwrap();
        let told: Vec<_> = ["project", "label_link", "review"]
            .map(|kind| {
                let known = Known {
                    project: Some("1".to_owned()),
                    event_id: kind.to_owned(),
                    ..Known::default()
                };
                (Key::new(kind, "1"), known)
            })
            .into();
        ledger.record(&told, None, None).unwrap();
        let mut sink = Taken::default();
        let clock = FakeClock::at("2026-11-25T23:00:00Z");
        for full in [false, true, true] {
            let mut run = reconcile(&config, &platform, &mut ledger, &mut sink, &clock, full);
            run.run().await.unwrap();
        }
        assert_eq!(sink.types(), [""; 0]);
    }
}

pub(crate) fn deletions(sink: &Taken) -> usize {
    let types = sink.types().into_iter();
    types.filter(|name| name.ends_with(".deleted")).count()
}
