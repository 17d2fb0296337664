//! A large project: a quiet pull is short, asks for little, saves little, and finds what is gone.
//!
//! `cargo xtask campaign large-project` runs it with 200,000 tasks. They come by Label Studio's own import, in batches.
//! The first thousand are pulled; the others are delivered while `serve` runs, since a pull of so many takes Label Studio
//! half an hour and more. The ledger of the embedded queue is then put into a store, as a run beside a cloud's queue
//! would have saved it.

use super::{reconcile, summary, text};
use labelrelay_core::fallback::body_name;
use labelrelay_event::Digest;
use labelrelay_tests::label_studio::LabelStudio;
use labelrelay_tests::recording_proxy::Recorder;
use labelrelay_tests::relay::{SECRET, Site};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// Number of tasks.
const TASKS: &str = "LABELRELAY_TEST_LARGE_TASKS";
const SAMPLE: usize = 2000;

/// Tasks that are there before anybody listens.
const PULLED: usize = 1000;

/// Tasks of one import. Label Studio counts a project's tasks after each, so few large ones are faster.
const BATCH: usize = 5000;

const DELETED: usize = 50;

/// After this Label Studio ends, whatever is left to do.
const LONGEST: Duration = Duration::from_secs(6 * 60 * 60);

/// A pull with nothing new takes no longer, asks no more, and saves no more of a ledger in a store. Beside other tests
/// the machine has less time for it.
const QUIET: Duration = Duration::from_secs(10);
const QUIET_BESIDE_OTHERS: Duration = Duration::from_secs(60);
const MOST_REQUESTS: usize = 20;
const MOST_SAVED: u64 = 100 * 1024;

#[test]
#[ignore = "needs an installed Label Studio: run it with `cargo xtask e2e reconcile`"]
fn a_quiet_pull_is_short_and_the_next_one_finds_what_is_gone() {
    let _machine = crate::beside_others();
    let count = std::env::var(TASKS).map_or(SAMPLE, |count| count.parse().unwrap());
    let mut label_studio = LabelStudio::start_for(LONGEST);
    let site = Site::new();
    let project = label_studio.project("large");
    label_studio.import(project, PULLED, false);
    let begun = Instant::now();
    let first = summary(&site, &label_studio, &[]);
    println!("first pull: {:.1?}, {first}", begun.elapsed());
    assert_eq!(first["created"], PULLED);
    deliver(&site, &mut label_studio, project, count - PULLED);
    // Older than what a run looks at again, as on any quiet day.
    label_studio.rows("update task set updated_at = datetime('now', '-1 hour')");
    let begun = Instant::now();
    let settled = summary(&site, &label_studio, &[]);
    println!(
        "pull of what was not delivered: {:.1?}, {settled}",
        begun.elapsed()
    );
    let ledger = site.folder().join("queue.db.ledger");
    println!("ledger: {} bytes", ledger.metadata().unwrap().len());

    let address = label_studio.base.strip_prefix("http://").unwrap();
    let proxy = Recorder::start(address.parse().unwrap());
    let base = format!("http://{}", proxy.address);
    let token = label_studio.token.clone();
    let quiet =
        |args: &[&str]| -> Duration { quiet(&proxy, reconcile(&site, &base, &token).args(args)) };
    let quiet_took = quiet(&["--moved"]);

    let store = Store::with_ledger(&site, &label_studio.base);
    let before = store.bodies();
    let stored_took = quiet(&["--moved", "--ledger", "file:remembered"]);
    let saved = store.bodies();
    let new: Vec<u64> = saved
        .iter()
        .filter(|file| !before.contains(file))
        .map(|file| file.metadata().unwrap().len())
        .collect();
    println!("a quiet run saves {new:?} bytes");
    assert_eq!((before.len(), saved.len(), new.len()), (1, 2, 1));
    assert!(new.iter().all(|bytes| *bytes <= MOST_SAVED), "{new:?}");

    let gone = label_studio.rows(&format!("select id from task order by id limit {DELETED}"));
    for row in &gone {
        let path = format!("/api/tasks/{}/", row[0]);
        label_studio.call("DELETE", &path, &Value::Null);
    }
    let begun = Instant::now();
    let second = summary(&site, &label_studio, &["--moved"]);
    let found_took = begun.elapsed();
    println!("pull after {DELETED} deletions: {found_took:.1?}, {second}");
    assert_eq!(second["deleted"], json!(DELETED));
    let begun = Instant::now();
    let third = summary(&site, &label_studio, &[]);
    println!("the next pull: {:.1?}, {third}", begun.elapsed());
    assert_eq!(third["sent"], 0);
    println!(
        "large-project: {count} tasks: a quiet pull {quiet_took:.1?}, with a stored ledger {stored_took:.1?} and {new:?} bytes saved; {DELETED} deletions found in {found_took:.1?}"
    );
}

/// Has so many tasks imported and delivered.
fn deliver(site: &Site, label_studio: &mut LabelStudio, project: u64, count: usize) {
    let relay = site.serve();
    let url = format!("http://{}/label-studio", relay.address);
    label_studio.webhook(project, &url, SECRET);
    let begun = Instant::now();
    let mut made = 0;
    while made < count {
        let batch = BATCH.min(count - made);
        label_studio.import(project, batch, false);
        made += batch;
        println!("{made} of {count} tasks after {:.1?}", begun.elapsed());
    }
    relay.terminate();
    assert!(relay.wait().success());
}

/// Pulls with nothing new, through the proxy that counts; how long that takes.
fn quiet(proxy: &Recorder, command: &mut Command) -> Duration {
    let before = proxy.exchanges().len();
    // A queue that nobody can look into is where a ledger is in a store.
    if command.get_args().any(|arg| arg == "--ledger") {
        command.env("LABELRELAY_QUEUE", "stdout:");
    }
    let begun = Instant::now();
    let output = command.arg("--json").output().unwrap();
    let took = begun.elapsed();
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{said}");
    let requests = proxy.exchanges().len() - before;
    println!(
        "quiet pull: {took:.1?}, {requests} requests, {}",
        said.trim()
    );
    assert!(said.contains(r#""sent":0"#), "{said}");
    let is_campaign = std::env::var_os(TASKS).is_some();
    let longest = if is_campaign {
        QUIET
    } else {
        QUIET_BESIDE_OTHERS
    };
    assert!(took <= longest, "{took:?}");
    assert!(requests <= MOST_REQUESTS, "{requests} requests");
    took
}

/// A directory as a store that has the ledger of the embedded queue.
struct Store(PathBuf);

impl Store {
    fn with_ledger(site: &Site, server: &str) -> Self {
        let dir = site.folder().join("remembered/label-studio");
        let copy = site.folder().join("ledger.copy");
        let ledger = rusqlite::Connection::open(site.folder().join("queue.db.ledger")).unwrap();
        ledger
            .execute("update sources set server = ?1", [server])
            .unwrap();
        ledger
            .execute("vacuum into ?1", [copy.to_str().unwrap()])
            .unwrap();
        let bytes = std::fs::read(&copy).unwrap();
        let digest = Digest::of(&bytes).to_hex();
        let key = "20261101T000000.000000000Z-0000000000000001";
        let body = dir.join(body_name(key, &digest));
        std::fs::create_dir_all(body.parent().unwrap()).unwrap();
        std::fs::write(body, &bytes).unwrap();
        let entry = json!({"ledger_bytes": bytes.len(), "ledger_sha256": digest});
        std::fs::write(dir.join(format!("{key}.json")), entry.to_string()).unwrap();
        Self(dir)
    }

    /// Files with ledgers.
    fn bodies(&self) -> Vec<PathBuf> {
        let files = |dir: PathBuf| {
            let entries = std::fs::read_dir(dir).unwrap();
            entries.map(|entry| entry.unwrap().path())
        };
        files(self.0.join("bodies")).flat_map(files).collect()
    }
}
