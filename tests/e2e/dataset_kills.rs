//! `serve` is killed at random moments beside a `dataset sync` that goes on: what got a 2xx is in the dataset, once.

use crate::dataset::{follow, latest, take_in_all};
use crate::traffic::{Sent, Traffic};
use labelrelay_tests::random::Random;
use labelrelay_tests::relay::{SECRET, Site, eventually};
use labelrelay_tests::sender;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Child;
use std::time::Duration;

const KILLS: usize = 9;

/// So often the `sync` is killed too, and started again.
const SYNC_KILLED_EVERY: usize = 3;

/// One format, with a line for each annotation: there are thousands of them.
const FORMAT: &str = "jsonl";

/// A `sync` that goes on; killed when dropped.
struct Following(Child);

impl Drop for Following {
    fn drop(&mut self) {
        // Nothing is left to do about an error here; a process that ended already is none.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The annotation of a delivery with this tag, and its task.
fn id(tag: &str) -> u64 {
    format!("1{}", tag.replace('x', "")).parse().unwrap()
}

fn ids<'t>(tags: impl IntoIterator<Item = &'t String>) -> BTreeSet<u64> {
    tags.into_iter().map(|tag| id(tag)).collect()
}

fn annotate(tag: &str) -> Vec<u8> {
    let id = id(tag);
    let body = json!({
        "action": "ANNOTATION_CREATED",
        "annotation": {
            "id": id, "task": id, "created_at": "2026-11-21T09:47:10.371842Z",
            "updated_at": "2026-11-21T09:47:10.371842Z", "was_cancelled": false,
            "result": [{
                "id": "a", "type": "rectanglelabels", "from_name": "box", "to_name": "image",
                "original_width": 200, "original_height": 100, "image_rotation": 0,
                "value": {"x": 10, "y": 10, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": ["car"]},
            }],
        },
        "project": {"id": 1, "title": "Cars"},
        "task": {"id": id, "data": {"image": format!("s3://cars/{id}.jpg")}},
    });
    sender::label_studio(&format!("Bearer {SECRET}"), body.to_string().as_bytes())
}

/// Ids of the newest snapshot's annotations; none is in it twice.
fn annotations(site: &Site) -> BTreeSet<u64> {
    let samples = latest(&site.folder().join("cars")).join("jsonl/samples.jsonl");
    let samples = std::fs::read_to_string(samples).unwrap();
    let mut ids = BTreeSet::new();
    for line in samples.lines() {
        let sample: Value = serde_json::from_str(line).unwrap();
        for annotation in sample["annotations"].as_array().unwrap() {
            let id: u64 = annotation["id"].as_str().unwrap().parse().unwrap();
            assert!(ids.insert(id), "{id} is there twice");
        }
    }
    ids
}

#[test]
fn what_serve_accepted_is_in_the_dataset_whatever_is_killed() {
    let _machine = crate::beside_others();
    let mut random = Random::seeded();
    let site = Site::new();
    // The queue is there before somebody reads it.
    site.serve().kill();
    let mut following = Following(follow(&site, FORMAT));
    let mut sent = Sent::default();
    for kill in 1..=KILLS {
        let relay = site.serve();
        let traffic = Traffic::of(relay.address, kill, annotate);
        eventually("the load has begun", || {
            (traffic.accepted() > 0).then_some(())
        });
        // The random moment itself; nothing is waited for.
        std::thread::sleep(Duration::from_micros(random.below(100_000)));
        relay.kill();
        let round = traffic.join();
        let refused = &round.refused;
        assert!(refused.is_empty(), "kill {kill}: refused {refused:?}");
        sent.extend(round);
        if kill % SYNC_KILLED_EVERY == 0 {
            // Two at a time may not have the directory.
            drop(following);
            following = Following(follow(&site, FORMAT));
        }
    }
    drop(following);
    take_in_all(&site, FORMAT);
    let found = annotations(&site);
    let accepted = ids(&sent.accepted);
    let all = ids(sent.accepted.iter().chain(&sent.unanswered));
    let missing: Vec<_> = accepted.difference(&found).collect();
    assert!(missing.is_empty(), "accepted, and not there: {missing:?}");
    let unknown: Vec<_> = found.difference(&all).collect();
    assert!(unknown.is_empty(), "there, and not sent: {unknown:?}");
    println!(
        "{KILLS} kills: {} annotations got a 2xx, {} are in the dataset",
        accepted.len(),
        found.len()
    );
}
