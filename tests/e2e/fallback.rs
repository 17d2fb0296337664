//! An event that the queue does not take in time waits in the fallback, is acknowledged, and reaches the queue
//! later.

use crate::slow_disk::SlowDisk;
use labelrelay_tests::client::once;
use labelrelay_tests::relay::{Relay, SECRET, Site, eventually, secrets};
use labelrelay_tests::{program, sender};
use std::collections::BTreeSet;
use std::thread;

const SENDERS: usize = 8;

fn site() -> Site {
    // A half is the queue's, the other one the fallback's, on a disk that may have much else to do.
    Site::with("deadline_ms = 8000\nembedded_queue.derive = false\nfallback = \"file:fallback\"")
}

/// Delivers while nobody can write into the queue; the bodies.
fn deliver_to_a_busy_disk(site: &Site, relay: &Relay) -> BTreeSet<Vec<u8>> {
    let disk = SlowDisk::begin(site);
    let address = relay.address;
    let senders = (0..SENDERS).map(|number| {
        thread::spawn(move || {
            let body = format!(r#"{{"action": "PROJECT_UPDATED", "project": {{"id": {number}}}}}"#);
            let authorization = format!("Bearer {SECRET}");
            let answer = once(
                address,
                &sender::label_studio(&authorization, body.as_bytes()),
            );
            assert_eq!(
                (answer.status, answer.outcome().as_str()),
                (200, "accepted")
            );
            body.into_bytes()
        })
    });
    let senders: Vec<_> = senders.collect();
    let sent = senders.into_iter().map(|it| it.join().unwrap()).collect();
    assert_eq!(waiting(site), SENDERS, "{}", relay.log());
    disk.end();
    sent
}

/// Events in the fallback.
fn waiting(site: &Site) -> usize {
    let files = std::fs::read_dir(site.folder().join("fallback")).unwrap();
    files
        .filter(|file| {
            let path = file.as_ref().unwrap().path();
            path.extension().is_some_and(|end| end == "json")
        })
        .count()
}

fn queued(site: &Site) -> BTreeSet<Vec<u8>> {
    let bodies: Vec<_> = site.export().into_iter().map(|event| event.body).collect();
    let set: BTreeSet<_> = bodies.iter().cloned().collect();
    assert_eq!(set.len(), bodies.len(), "one of them is there twice");
    set
}

#[test]
fn events_that_a_busy_disk_does_not_take_are_acknowledged_and_queued_later() {
    let site = site();
    let relay = site.serve();
    let sent = deliver_to_a_busy_disk(&site, &relay);
    eventually("everything was moved", || {
        (waiting(&site) == 0).then_some(())
    });
    assert_eq!(queued(&site), sent);
}

#[test]
fn retry_moves_the_events_of_a_killed_serve() {
    let site = site();
    let relay = site.serve();
    let sent = deliver_to_a_busy_disk(&site, &relay);
    relay.kill();
    let left = waiting(&site);
    let output = program::command()
        .args(["events", "retry", "--fallback", "--config"])
        .arg(site.config())
        .env("LABELRELAY_QUEUE", site.queue_url())
        .envs(secrets())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    // `serve` may have moved some of them between the disk's recovery and its end.
    let moved = format!("{left} moved to the queue\n");
    assert_eq!(String::from_utf8_lossy(&output.stdout), moved);
    assert_eq!(waiting(&site), 0);
    assert_eq!(queued(&site), sent);
}
