//! NATS, with directories as stores.

#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the methods alone are not general enough over lifetimes"
)]

use super::{Cloud, delivered, ids, wait};
use labelrelay_core::QueueLimits;
use labelrelay_tests::relay::eventually;
use labelrelay_tests::sender;
use labelrelay_tests::servers::Nats;
use serde_json::json;
use std::time::{Duration, Instant};

/// Stream of the queue.
const STREAM: &str = "events";

fn over<T>(server: &Nats, test: impl FnOnce(&Cloud<'_>) -> T) -> T {
    over_queue(server, server.url(STREAM), test)
}

fn over_queue<T>(server: &Nats, queue: String, test: impl FnOnce(&Cloud<'_>) -> T) -> T {
    server.add_streams(STREAM);
    let stores = tempfile::tempdir().unwrap();
    let store = |name: &str| {
        let folder = stores.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        format!("file://{}", folder.display())
    };
    test(&Cloud {
        variables: Vec::new(),
        queue,
        blob_store: store("claims"),
        fallback: store("fallback"),
        limits: QueueLimits::bytes(1024 * 1024),
        drain: &|| drain(server),
        hang: &|| server.hang(),
        go_on: &|| server.go_on(),
    })
}

fn drain(server: &Nats) -> Vec<Vec<u8>> {
    let taken = server.drain(STREAM).into_iter();
    taken.map(|(_, envelope)| envelope).collect()
}

#[test]
#[ignore = "needs nats-server: cargo xtask test"]
fn serve_sends_to_nats() {
    let server = Nats::start();
    // Cases that are alike have one id, and each is to be answered as if it were the first.
    let queue = server.url(STREAM);
    let sign = if queue.contains('?') { '&' } else { '?' };
    let queue = format!("{queue}{sign}repeat_window_s=0");
    over_queue(&server, queue, |cloud| wait(cloud.conforms()));
}

#[test]
#[ignore = "needs nats-server: cargo xtask test"]
fn nothing_is_lost_while_nats_hangs() {
    over(&Nats::start(), |cloud| cloud.loses_nothing());
}

#[test]
#[ignore = "needs nats-server: cargo xtask test"]
fn events_are_sent_again_to_nats() {
    over(&Nats::start(), |cloud| cloud.takes_replays());
}

#[test]
#[ignore = "needs nats-server: cargo xtask test"]
fn consume_takes_events_from_nats() {
    let server = Nats::start();
    over(&server, |cloud| cloud.is_consumed(&cloud.queue, &[]));
    let buried = server.drain("events-dead-letters");
    assert_eq!(buried.len(), 1);
    let headers = &buried[0].0;
    assert!(headers.contains("no use for this one"), "{headers}");
}

#[test]
#[ignore = "needs nats-server: cargo xtask test"]
fn a_dataset_is_made_of_events_from_nats() {
    over(&Nats::start(), |cloud| {
        cloud.becomes_a_dataset(&cloud.queue, &[], true);
    });
}

#[test]
#[ignore = "needs nats-server: cargo xtask test"]
fn a_stream_that_is_not_there_or_would_lose_events_ends_the_start() {
    let server = Nats::start();
    over(&server, |cloud| {
        let missing = cloud.queue.replace("/events/", "/nowhere/");
        server.add_stream("full", "labels.full", &json!({"discard": "old"}));
        let unsafe_one = server.url("full");
        for (url, words) in [
            (missing, ["no stream nowhere", "nats stream add nowhere"]),
            (unsafe_one, ["oldest events", "--discard=new"]),
        ] {
            for verb in ["serve", "status"] {
                let place = cloud.place(super::LONG).with("LABELRELAY_QUEUE", &url);
                place.run(&[verb]).failed(78, &words);
            }
        }
        let secret = cloud.queue.replace("nats://", "nats://relay:hunter2@");
        let place = cloud.place(super::LONG).with("LABELRELAY_QUEUE", &secret);
        let ran = place.run(&["serve"]);
        ran.failed(78, &["a user or a token", "env:NAME"]);
        assert!(!ran.stderr.contains("hunter2"), "{ran:?}");
    });
}

#[test]
#[ignore = "needs nats-server: cargo xtask test"]
fn a_server_of_nats_that_hangs_is_503_and_a_line_that_names_it() {
    let server = Nats::start();
    over(&server, |cloud| {
        let place = cloud.place("2000");
        let serving = place.serve(&[]);
        assert_eq!(delivered(&serving, &sender::label("before")).status, 200);
        server.hang();
        let begun = Instant::now();
        let answer = delivered(&serving, &sender::label("hung"));
        let took = begun.elapsed();
        assert_eq!(answer.status, 503, "{}", answer.text());
        // The deadline, and room for a machine that does much else.
        assert!(took < Duration::from_secs(60), "{took:?}");
        let address = server.address.to_string();
        place.logged(&[&address, "look at the server"]);
        server.go_on();
        let again = || {
            let answer = delivered(&serving, &sender::label("hung"));
            (answer.status == 200).then_some(())
        };
        eventually("the queue takes it", again);
    });
    let queued: Vec<_> = ids(&drain(&server));
    assert_eq!(queued.len(), 2, "no id twice");
}
