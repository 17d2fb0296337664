//! A large project: a quiet pull is short, asks for little, and finds what is gone.
//!
//! `cargo xtask campaign large-project` runs it with 200,000 tasks. They come by Label Studio's own import, in batches.

use super::{reconcile, summary, text};
use labelrelay_tests::label_studio::LabelStudio;
use labelrelay_tests::recording_proxy::Recorder;
use labelrelay_tests::relay::Site;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How many tasks there are.
const TASKS: &str = "LABELRELAY_TEST_LARGE_TASKS";
const SAMPLE: usize = 2000;

/// Tasks of one import.
const BATCH: usize = 1000;

const DELETED: usize = 50;

/// After this Label Studio ends, whatever is left to do.
const LONGEST: Duration = Duration::from_secs(6 * 60 * 60);

/// A pull with nothing new takes no longer, and asks no more.
const QUIET: Duration = Duration::from_secs(10);
const MOST_REQUESTS: usize = 20;

#[test]
#[ignore = "needs an installed Label Studio: run it with `cargo xtask e2e reconcile`"]
fn a_quiet_pull_is_short_and_the_next_one_finds_what_is_gone() {
    let _machine = crate::beside_others();
    let count = std::env::var(TASKS).map_or(SAMPLE, |count| count.parse().unwrap());
    let mut label_studio = LabelStudio::start_for(LONGEST);
    let site = Site::new();
    let project = label_studio.project("large");
    let begun = Instant::now();
    let mut made = 0;
    while made < count {
        let batch = BATCH.min(count - made);
        label_studio.import(project, batch, false);
        made += batch;
    }
    println!("{count} tasks imported in {:.1?}", begun.elapsed());
    // Older than what a run looks at again, as on any quiet day.
    label_studio.rows("update task set updated_at = datetime('now', '-1 hour')");
    let (first, took) = pulled(&site, &label_studio);
    println!("first pull: {took:.1?}, {first}");
    assert_eq!(first["created"], count);

    let address = label_studio.base.strip_prefix("http://").unwrap();
    let proxy = Recorder::start(address.parse().unwrap());
    let base = format!("http://{}", proxy.address);
    let begun = Instant::now();
    let output = reconcile(&site, &base, &label_studio.token)
        .args(["--json", "--moved"])
        .output()
        .unwrap();
    let took = begun.elapsed();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let quiet = text(&output.stdout);
    let requests = proxy.exchanges().len();
    println!("quiet pull: {took:.1?}, {requests} requests, {quiet}");
    assert!(quiet.contains(r#""sent":0"#), "{quiet}");
    assert!(took <= QUIET, "{took:?}");
    assert!(requests <= MOST_REQUESTS, "{requests} requests");

    let gone = label_studio.rows(&format!("select id from task order by id limit {DELETED}"));
    for row in &gone {
        let path = format!("/api/tasks/{}/", row[0]);
        label_studio.call("DELETE", &path, &Value::Null);
    }
    let begun = Instant::now();
    let second = summary(&site, &label_studio, &["--moved"]);
    println!(
        "pull after {DELETED} deletions: {:.1?}, {second}",
        begun.elapsed()
    );
    assert_eq!(second["deleted"], json!(DELETED));
    let ledger = site.folder().join("queue.db.ledger");
    println!("ledger: {} bytes", ledger.metadata().unwrap().len());
}

fn pulled(site: &Site, label_studio: &LabelStudio) -> (Value, Duration) {
    let begun = Instant::now();
    let summary = summary(site, label_studio, &[]);
    (summary, begun.elapsed())
}
