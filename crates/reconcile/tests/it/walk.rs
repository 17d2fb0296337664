//! A look at everything that is cut off goes on in the next run.

use crate::erring_servers::export;
use crate::server::{Answer, Asked, Server, options};
use crate::watermark::{Taken, config, deletions, json, platform, reconcile, tasks};
use labelrelay_core::{Ledger as _, Secret};
use labelrelay_local::LedgerFile;
use labelrelay_reconcile::Reconcile;
use labelrelay_reconcile::labelbox::Labelbox;
use labelrelay_testkit::clock::FakeClock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

const TASKS: u64 = 1000;

/// A Label Studio that answers so many questions for tasks, and hangs up at the others.
struct Large {
    ids: Mutex<Vec<u64>>,
    answers: AtomicUsize,
    /// Places after which pages were asked for.
    pages: Mutex<Vec<u64>>,
}

impl Large {
    fn answer(&self, asked: &Asked) -> Answer {
        let ids = self.ids.lock().unwrap().clone();
        let head = &asked.head;
        if head.starts_with("GET /api/projects/?") {
            return json("{\"count\":1,\"results\":[{\"id\":1}]}");
        }
        if head.starts_with("GET /api/projects/1/") {
            return json(&format!(
                "{{\"id\":1,\"task_number\":{},\"total_annotations_number\":0,\"skipped_annotations_number\":0}}",
                ids.len()
            ));
        }
        // Nothing changes but by going away, and what is asked for by its id is gone.
        if head.contains("selectedItems") || head.contains("updated%5Fat") {
            return tasks(0, &[]);
        }
        let left = self.answers.load(Ordering::Relaxed);
        if left == 0 {
            return String::new();
        }
        self.answers.store(left - 1, Ordering::Relaxed);
        let number = |before: &str| {
            let digits = head.split(before).nth(1).unwrap();
            let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<u64>().unwrap()
        };
        let (after, size) = (number("%22value%22%3A"), number("page_size="));
        self.pages.lock().unwrap().push(after);
        let mut rest: Vec<_> = ids.into_iter().filter(|id| *id > after).collect();
        let total = rest.len() as u64;
        rest.truncate(usize::try_from(size).unwrap());
        tasks(total, &rest)
    }

    /// Lets so many pages be answered; what the ones before were asked for after.
    fn allow(&self, pages: usize) -> Vec<u64> {
        self.answers.store(pages, Ordering::Relaxed);
        std::mem::take(&mut *self.pages.lock().unwrap())
    }

    fn remove(&self, id: u64) {
        self.ids.lock().unwrap().retain(|known| *known != id);
    }
}

#[tokio::test]
async fn a_look_that_is_cut_off_goes_on_where_it_was() {
    let large = Arc::new(Large {
        ids: Mutex::new((1..=TASKS).collect()),
        answers: AtomicUsize::new(2),
        pages: Mutex::default(),
    });
    let on_server = Arc::clone(&large);
    let server = Server::by(move |asked| on_server.answer(asked)).await;
    let platform = platform(&server.url);
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path());
    let file = directory.path().join("ledger");
    let mut ledger = LedgerFile::open(&file, "studio", &server.url).unwrap();
    let mut sink = Taken::default();
    let clock = FakeClock::at("2026-11-25T23:00:00Z");
    let mut run = async |clock: &FakeClock| {
        let mut run = reconcile(&config, &platform, &mut ledger, &mut sink, clock, false);
        let ended = run.run().await;
        (
            ended,
            ledger.watermark("1").unwrap(),
            ledger.walk("1").unwrap(),
            sent(&sink),
            deletions(&sink),
        )
    };

    // The first look, which brings the contents.
    let (ended, watermark, walk, had, _) = run(&clock).await;
    assert!(ended.is_err() && watermark.is_none());
    let walk = walk.unwrap();
    let pages = large.allow(usize::MAX);
    assert_eq!(pages.first(), Some(&0));
    let last: u64 = walk.after.parse().unwrap();
    assert!(last > 0 && last < TASKS, "{last}");
    assert_eq!(had as u64, last);
    let (ended, watermark, walk, sent, _) = run(&clock).await;
    assert!(ended.is_ok(), "{ended:?}");
    assert_eq!((watermark, walk), (Some(first_answer()), None));
    assert_eq!(sent as u64, TASKS, "each once");
    assert_eq!(
        large.allow(1).first(),
        Some(&last),
        "it begins where the other was"
    );

    // The daily one, which finds what is gone.
    clock.advance(Duration::from_secs(25 * 60 * 60));
    let (ended, ..) = run(&clock).await;
    assert!(ended.is_err());
    large.allow(usize::MAX);
    large.remove(5);
    large.remove(TASKS - 5);
    let (ended, _, walk, sent, deleted) = run(&clock).await;
    assert!(ended.is_ok() && walk.is_none(), "{ended:?}");
    assert!(
        large
            .allow(usize::MAX)
            .first()
            .is_some_and(|after| *after > 5)
    );
    assert_eq!(deleted, 1, "what was seen before it went passes for there");
    let (ended, _, _, again, deleted) = run(&clock).await;
    assert!(ended.is_ok());
    assert_eq!(deleted, 2, "the counts tell");
    assert_eq!(again, sent + 1);
}

/// A server that does not tell the time: what it says cannot count up to any.
#[tokio::test]
async fn a_look_that_came_to_its_end_and_does_not_count_begins_anew() {
    let large = Arc::new(Large {
        ids: Mutex::new((1..=10).collect()),
        answers: AtomicUsize::new(usize::MAX),
        pages: Mutex::default(),
    });
    let on_server = Arc::clone(&large);
    let server = Server::by(move |asked| {
        let answer = on_server.answer(asked);
        answer.replace("Date: Wed, 25 Nov 2026 22:44:22 GMT\r\n", "")
    })
    .await;
    let platform = platform(&server.url);
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path());
    let file = directory.path().join("ledger");
    let mut ledger = LedgerFile::open(&file, "studio", &server.url).unwrap();
    let mut sink = Taken::default();
    let clock = FakeClock::at("2026-11-25T23:00:00Z");
    for deleted in [0, 1] {
        let mut run = reconcile(&config, &platform, &mut ledger, &mut sink, &clock, false);
        let ended = run.run().await;
        assert!(ended.is_ok(), "{ended:?}");
        assert_eq!(ledger.watermark("1").unwrap(), None);
        assert_eq!(ledger.walk("1").unwrap(), None);
        assert_eq!(large.allow(usize::MAX).first(), Some(&0));
        assert_eq!(deletions(&sink), deleted);
        large.remove(10);
    }
}

/// The platform's time at the first answer.
fn first_answer() -> jiff::Timestamp {
    "2026-11-25T22:44:22Z".parse().unwrap()
}

fn sent(sink: &Taken) -> usize {
    sink.0.len()
}

/// Red if a run that is ended in a later project begins with those before it again: a look at Labelbox goes on nowhere, so the
/// first one of many projects would never come to its end.
#[tokio::test]
async fn a_project_of_labelbox_is_done_with_before_the_next_one() {
    let reached = Arc::new(Notify::new());
    let on_server = Arc::clone(&reached);
    let server = Server::by(move |asked| {
        if asked.body.contains("query Projects") {
            let is_first = asked.body.contains("skip: 0 ");
            let page = if is_first {
                "{\"id\":\"p1\"},{\"id\":\"p2\"}"
            } else {
                ""
            };
            return json(&format!("{{\"data\":{{\"projects\":[{page}]}}}}"));
        }
        if asked.body.contains("\"projectId\":\"p2\"") {
            on_server.notify_one();
            // The rest never comes.
            return "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n".to_owned();
        }
        export(asked, 0, |_| String::new())
    })
    .await;
    let key = Secret::new("key", "0123456789abcdef0123456789abcdef").unwrap();
    let endpoint = format!("{}/graphql", server.url);
    let labelbox = Labelbox::new(&endpoint, key, Vec::new(), options()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path());
    let file = directory.path().join("ledger");
    let mut ledger = LedgerFile::open(&file, "studio", &server.url).unwrap();
    let mut sink = Taken::default();
    let clock = FakeClock::at("2026-11-25T23:00:00Z");
    let studio = platform(&server.url);
    let mut run = Reconcile {
        platform: Arc::new(labelbox),
        ..reconcile(&config, &studio, &mut ledger, &mut sink, &clock, false)
    };
    let ended = tokio::select! {
        ended = run.run() => Some(ended),
        () = reached.notified() => None,
    };
    assert!(ended.is_none(), "{ended:?}");
    assert_eq!(ledger.watermark("p1").unwrap(), Some(first_answer()));
    assert_eq!(ledger.watermark("p2").unwrap(), None);
}
