//! What a cloud's function took, in an archive that is written behind its queue.

use super::day::SECRET;
use super::{Cloud, LONG};
use crate::archive::each_archived;
use crate::support::Place;
use labelrelay_event::Envelope;
use labelrelay_tests::random::Random;
use labelrelay_tests::relay::eventually_within;
use labelrelay_tests::{fixture, sender};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::time::Duration;

/// Events besides those that were captured, unless `LABELRELAY_TEST_FUNCTION_EVENTS` says how many.
const EVENTS: usize = 50;

/// Moments at which a writer is killed, if that variable is set.
const KILLS: usize = 20;

/// What a killed writer had received is hidden for ten minutes.
const COMES_AGAIN: Duration = Duration::from_secs(20 * 60);

/// A body, and the request that brings it.
type Delivery = (Vec<u8>, Vec<u8>);

/// Deliveries of a real Label Studio, and the samples of Labelbox's documents: those that any stand-in for a queue takes.
fn captured() -> Vec<Delivery> {
    let fits = |body: &[u8]| body.is_ascii() && (1..100_000).contains(&body.len());
    let studio = fixture::label_studio().into_iter();
    let studio = studio.filter(|recorded| recorded.is_event() && fits(&recorded.body));
    let studio = studio.map(|recorded| {
        let request = recorded.request(&format!("Bearer {SECRET}"));
        (recorded.body, request)
    });
    let labelbox = fixture::labelbox().into_iter();
    let labelbox = labelbox.filter(|sample| fits(&sample.body));
    let labelbox = labelbox.map(|sample| {
        let request = sample.request(&sender::signature(SECRET, &sample.body));
        (sample.body, request)
    });
    let mut all: Vec<Delivery> = studio.chain(labelbox).collect();
    // Where two webhooks matched, an event was delivered twice.
    let mut bodies = BTreeSet::new();
    all.retain(|(body, _)| bodies.insert(body.clone()));
    assert!(all.len() > 20, "{} deliveries only", all.len());
    all
}

/// Every second one is Label Studio's, with line breaks, which no line of an archive has.
fn made(number: usize) -> Delivery {
    if number.is_multiple_of(2) {
        let tag = format!("0x{number}");
        let body = sender::label(&tag);
        let request = sender::labelbox(SECRET, "LABEL_CREATED", &tag, &body);
        return (body, request);
    }
    let body = json!({
        "action": "ANNOTATION_CREATED",
        "annotation": {"id": number, "task": number, "updated_at": "2026-11-21T09:47:10.371842Z", "result": []},
        "project": {"id": 1},
        "task": {"id": number, "data": {}},
    });
    let body = serde_json::to_vec_pretty(&body).unwrap();
    let request = sender::label_studio(&format!("Bearer {SECRET}"), &body);
    (body, request)
}

/// Ids and bodies of all events in the archive, each as often as it is there.
fn archived(place: &Place) -> Vec<(String, Vec<u8>)> {
    each_archived(place, |event| {
        let envelope = Envelope::decode(event.envelope).unwrap();
        let body = envelope.data.bytes().unwrap().unwrap().into_owned();
        (event.attributes.id, body)
    })
}

impl Cloud<'_> {
    /// The archive has each event that the function took, byte for byte. Without kills it has each once; with them, one that
    /// is there twice has one id. `deliver` gives a request to the function, and returns the status.
    pub(super) fn is_archived_behind(&self, deliver: &dyn Fn(&[u8]) -> u16, words: &[&str]) {
        let (events, kills) = match std::env::var("LABELRELAY_TEST_FUNCTION_EVENTS") {
            Ok(events) => (events.parse().unwrap(), KILLS),
            Err(_) => (EVENTS, 0),
        };
        let place = self.place(LONG);
        let write = ["archive", "write", "file:archive", "--queue", &self.queue];
        let write = [&write[..], &["--until-idle", "5s"], words].concat();
        let mut random = Random::seeded();
        let mut sent = BTreeSet::new();
        let (mut killed, each) = (0, (events / KILLS).max(1));
        for (number, (body, request)) in captured()
            .into_iter()
            .chain((0..events).map(made))
            .enumerate()
        {
            assert_eq!(deliver(&request), 200, "{number}");
            sent.insert(body);
            if killed < kills && number % each == each - 1 {
                killed += 1;
                let mut command = place.command(&write);
                command.stdout(Stdio::null()).stderr(Stdio::null());
                let mut writing = command.spawn().unwrap();
                // The random moment itself; nothing is waited for.
                std::thread::sleep(Duration::from_micros(random.below(3_000_000)));
                writing.kill().unwrap();
                writing.wait().unwrap();
            }
        }
        assert_eq!(killed, kills);
        let archive = eventually_within(COMES_AGAIN, "all of it is in the archive", || {
            place.run(&write).good();
            let archive = archived(&place);
            let bodies: BTreeSet<&Vec<u8>> = archive.iter().map(|(_, body)| body).collect();
            let is_whole = sent.iter().all(|body| bodies.contains(body));
            is_whole.then_some(archive)
        });
        let mut ids = BTreeMap::<_, BTreeSet<_>>::new();
        for (id, body) in &archive {
            assert!(sent.contains(body), "{id}: nobody sent this body");
            ids.entry(body).or_default().insert(id);
        }
        // No two bodies are alike.
        assert!(
            ids.values().all(|ids| ids.len() == 1),
            "a repeat has its id"
        );
        assert!(
            kills > 0 || archive.len() == sent.len(),
            "each is there once"
        );
        println!(
            "{killed} kills: {} events, {} lines in the archive",
            sent.len(),
            archive.len()
        );
    }
}
