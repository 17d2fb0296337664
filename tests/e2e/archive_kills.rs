//! `serve` is killed at random moments while it archives: what it accepted is in the archive, once and byte for byte.

use crate::archive::{archived, archiving, files};
use crate::traffic::{Sent, Traffic};
use labelrelay_tests::export::Exported;
use labelrelay_tests::fixture::{self, Recorded, Sample};
use labelrelay_tests::random::Random;
use labelrelay_tests::relay::{SECRET, Site, eventually, eventually_within};
use labelrelay_tests::sender;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

const KILLS: usize = 20;

/// Events of the test with captured bodies, unless `LABELRELAY_TEST_ARCHIVED_EVENTS` says how many.
const CAPTURED_EVENTS: usize = 2000;

/// Time for the load between two kills, and for the archive at the end, however many events there are.
const LONG: Duration = Duration::from_secs(30 * 60);

/// What is sent: the request of a tag, and its body.
#[derive(Clone, Copy)]
struct Load {
    request: fn(&str) -> Vec<u8>,
    body: fn(&str) -> Vec<u8>,
}

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

/// A body that somebody captured, or that is in the documents.
enum Captured {
    LabelStudio(Vec<u8>),
    Labelbox(Sample),
}

/// Those that have ids to change, without the largest.
static CAPTURED: LazyLock<Vec<Captured>> = LazyLock::new(|| {
    let recorded = fixture::label_studio().into_iter();
    let recorded = recorded.filter(Recorded::is_event);
    let studio = recorded.map(|request| Captured::LabelStudio(request.body));
    let labelbox = fixture::labelbox().into_iter().map(Captured::Labelbox);
    let mut all: Vec<_> = studio.chain(labelbox).collect();
    all.retain(|captured| {
        let body = captured.body();
        body.len() < 20_000 && with_other_ids(body, "1") != body
    });
    assert!(all.len() > 60, "{} bodies only", all.len());
    all
});

impl Captured {
    fn body(&self) -> &[u8] {
        match self {
            Self::LabelStudio(body) => body,
            Self::Labelbox(sample) => &sample.body,
        }
    }
}

/// The same body, with these digits behind every id in it. Nothing else changes: neither spaces nor the forms of numbers.
fn with_other_ids(body: &[u8], digits: &str) -> Vec<u8> {
    const KEY: &[u8] = b"\"id\":";
    let mut changed = Vec::with_capacity(body.len() + 64);
    let mut rest = body;
    while let Some(at) = rest.windows(KEY.len()).position(|part| part == KEY) {
        let (before, value) = rest.split_at(at + KEY.len());
        changed.extend_from_slice(before);
        let spaces = value.iter().take_while(|byte| **byte == b' ').count();
        let is_text = value.get(spaces) == Some(&b'"');
        let begin = spaces + usize::from(is_text);
        let is_part = |byte: &&u8| {
            if is_text {
                !matches!(**byte, b'"' | b'\\')
            } else {
                byte.is_ascii_digit()
            }
        };
        let length = value.iter().skip(begin).take_while(is_part).count();
        let (id, behind) = value.split_at(begin + length);
        changed.extend_from_slice(id);
        if length > 0 {
            changed.extend_from_slice(digits.as_bytes());
        }
        rest = behind;
    }
    changed.extend_from_slice(rest);
    changed
}

/// The captured body of this tag, and its digits as a number.
fn captured(tag: &str) -> (&'static Captured, String) {
    let digits = tag.replace('x', "");
    let digits = digits.trim_start_matches('0');
    let number: usize = digits.parse().unwrap();
    (&CAPTURED[number % CAPTURED.len()], digits.to_owned())
}

fn captured_body(tag: &str) -> Vec<u8> {
    let (captured, digits) = captured(tag);
    with_other_ids(captured.body(), &digits)
}

fn captured_request(tag: &str) -> Vec<u8> {
    let body = captured_body(tag);
    match captured(tag).0 {
        Captured::LabelStudio(_) => sender::label_studio(&format!("Bearer {SECRET}"), &body),
        Captured::Labelbox(sample) => sample.request_with(&sender::signature(SECRET, &body), &body),
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
fn assert_archived(site: &Site, queue: &[Exported], sent: &Sent, body: fn(&str) -> Vec<u8>) {
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
    let load = Load { request, body };
    assert_archived_whenever_killed(&archiving(), load, 1);
}

/// Bodies of a real Label Studio, and the samples of Labelbox's documents, with other ids.
#[test]
fn captured_bodies_are_archived_once_whenever_serve_is_killed() {
    let _machine = crate::beside_others();
    let events = std::env::var("LABELRELAY_TEST_ARCHIVED_EVENTS");
    let events: usize = events.map_or(CAPTURED_EVENTS, |events| events.parse().unwrap());
    let load = Load {
        request: captured_request,
        body: captured_body,
    };
    // Only what was sent is in the queue.
    let site = archiving();
    assert_archived_whenever_killed(&site, load, events.div_ceil(KILLS));
}

/// Kills `serve` so often under this load, each time once it has accepted so many, and holds the archive to what was sent.
fn assert_archived_whenever_killed(site: &Site, load: Load, at_least: usize) {
    let mut random = Random::seeded();
    let mut sent = Sent::default();
    for kill in 1..=KILLS {
        let written = files(site).len();
        // The start archives what the last one left.
        let relay = site.serve();
        let traffic = Traffic::of(relay.address, kill, load.request);
        eventually_within(LONG, "enough was accepted", || {
            (traffic.accepted() >= at_least).then_some(())
        });
        if kill % 2 == 0 {
            // Now the file is there, and perhaps the queue does not say so yet.
            eventually("a file is written", || {
                (files(site).len() > written).then_some(())
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
    eventually_within(LONG, "all of it is in the archive", || {
        (archived(site).len() >= queue.len()).then_some(())
    });
    relay.terminate();
    assert!(relay.wait().success());
    assert_archived(site, &queue, &sent, load.body);
    // A batch that was begun is ended under the names that it was begun with.
    assert_eq!(writers(&files(site)).len(), 1);
    let gaps = site.folder().join("archive/gaps");
    assert!(!gaps.exists(), "nothing is missing, and nothing says so");
}
