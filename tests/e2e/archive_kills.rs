//! `serve` is killed at random moments while it archives: what it accepted is in the archive, once and byte for byte.

use crate::archive::{archived, archiving, files};
use crate::traffic::{Sent, Traffic};
use labelrelay_tests::export::Exported;
use labelrelay_tests::random::Random;
use labelrelay_tests::relay::{SECRET, Site, eventually};
use labelrelay_tests::sender;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

const KILLS: usize = 20;

/// Every second delivery is Label Studio's: a batch has files of two sources, and a kill may come between them.
fn is_of_label_studio(tag: &str) -> bool {
    tag.ends_with(['1', '3', '5', '7', '9'])
}

fn body(tag: &str) -> Vec<u8> {
    if !is_of_label_studio(tag) {
        return sender::label(tag);
    }
    let id: u64 = format!("1{}", tag.replace('x', "")).parse().unwrap();
    let body = json!({
        "action": "ANNOTATION_CREATED",
        "annotation": {"id": id, "task": id, "updated_at": "2026-11-21T09:47:10.371842Z", "result": []},
        "project": {"id": 1},
        "task": {"id": id, "data": {}},
    });
    // With line breaks, which no line of an archive has.
    serde_json::to_vec_pretty(&body).unwrap()
}

fn request(tag: &str) -> Vec<u8> {
    let body = body(tag);
    if is_of_label_studio(tag) {
        sender::label_studio(&format!("Bearer {SECRET}"), &body)
    } else {
        sender::labelbox(SECRET, "LABEL_CREATED", tag, &body)
    }
}

/// Names of the writers in the names of the files.
fn writers(files: &[PathBuf]) -> HashSet<String> {
    let writer = |file: &PathBuf| {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        name.split('-').next().unwrap().to_owned()
    };
    files.iter().map(writer).collect()
}

/// Everything that the queue has is in the archive, once, and nothing else is; and all that was accepted is there.
fn assert_archived(site: &Site, queue: &[Exported], sent: &Sent) {
    let archive = archived(site);
    let mut found = HashMap::new();
    for event in &archive {
        let id = event.attributes.id.as_str();
        assert!(found.insert(id, event).is_none(), "{id} is there twice");
    }
    for event in queue {
        let id = event.attributes.id.as_str();
        let there = found.remove(id);
        let there = there.unwrap_or_else(|| panic!("{id} is in the queue, and not archived"));
        assert_eq!(there.attributes, event.attributes);
        assert!(
            there.body == event.body,
            "{id}: other bytes than the queue has"
        );
    }
    assert!(found.is_empty(), "not in the queue: {:?}", found.keys());

    let mut bodies: HashSet<&[u8]> = archive.iter().map(|event| &*event.body).collect();
    assert_eq!(bodies.len(), archive.len(), "each body was sent once");
    for tag in &sent.accepted {
        assert!(
            bodies.remove(body(tag).as_slice()),
            "{tag}: accepted, and not archived"
        );
    }
    // These may be there or not.
    for tag in &sent.unanswered {
        bodies.remove(body(tag).as_slice());
    }
    assert!(
        bodies.is_empty(),
        "{} bodies that nobody sent",
        bodies.len()
    );
    println!(
        "{KILLS} kills: {} deliveries got a 2xx, {} events are in {} files",
        sent.accepted.len(),
        archive.len(),
        files(site).len()
    );
}

#[test]
fn what_serve_accepted_is_archived_once_whenever_it_is_killed() {
    let _machine = crate::beside_others();
    let mut random = Random::seeded();
    let site = archiving();
    let mut sent = Sent::default();
    for kill in 1..=KILLS {
        let written = files(&site).len();
        // The start archives what the last one left.
        let relay = site.serve();
        let traffic = Traffic::of(relay.address, kill, request);
        eventually("the load has begun", || {
            (traffic.accepted() > 0).then_some(())
        });
        if kill % 2 == 0 {
            // Now the file is there, and perhaps the queue does not say so yet.
            eventually("a file is written", || {
                (files(&site).len() > written).then_some(())
            });
        }
        // The random moment itself; nothing is waited for.
        let bound = if kill % 2 == 0 { 3_000 } else { 100_000 };
        std::thread::sleep(Duration::from_micros(random.below(bound)));
        relay.kill();
        let round = traffic.join();
        let refused = &round.refused;
        assert!(refused.is_empty(), "kill {kill}: refused {refused:?}");
        sent.extend(round);
    }

    let queue = site.export();
    let relay = site.serve();
    eventually("all of it is in the archive", || {
        (archived(&site).len() >= queue.len()).then_some(())
    });
    relay.terminate();
    assert!(relay.wait().success());
    assert_archived(&site, &queue, &sent);
    // A batch that was begun is ended under the names that it was begun with.
    assert_eq!(writers(&files(&site)).len(), 1);
    let gaps = site.folder().join("archive/gaps");
    assert!(!gaps.exists(), "nothing is missing, and nothing says so");
}
