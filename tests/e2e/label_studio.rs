//! A real Label Studio fires every event that it can at a real `serve`.

use labelrelay_tests::label_studio::{self, Step, action};
use labelrelay_tests::recording_proxy::Recorder;
use labelrelay_tests::relay::{SECRET, Site};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

#[test]
#[ignore = "needs an installed Label Studio: run it with `cargo xtask e2e label_studio`"]
fn every_event_of_a_real_label_studio_is_queued_and_its_api_is_not_slowed() {
    let _machine = crate::alone();
    let site = Site::new();
    let relay = site.serve();
    let recorder = Recorder::start(relay.address);
    let with_relay = drive_at(recorder.address);
    let exchanges = recorder.exchanges();
    for exchange in &exchanges {
        assert!(
            matches!(exchange.status, Some(200..=299)),
            "{} of {} bytes: {:?} {}; the log of serve:\n{}",
            exchange.request_line,
            exchange.body.len(),
            exchange.status,
            String::from_utf8_lossy(&exchange.answer),
            relay.log()
        );
    }
    let events = label_studio::events(&exchanges);

    let mut queued: HashMap<String, Vec<u8>> = HashMap::new();
    for event in site.export() {
        assert!(
            queued
                .insert(event.attributes.id.clone(), event.body)
                .is_none(),
            "{} is queued twice",
            event.attributes.id
        );
    }
    let (mut accepted, mut repeats) = (0, 0);
    for event in &events {
        let answer: serde_json::Value = serde_json::from_slice(&event.answer).unwrap();
        let id = answer["id"].as_str().unwrap();
        match answer["outcome"].as_str() {
            Some("accepted") => accepted += 1,
            Some("repeat") => repeats += 1,
            other => panic!("{}: {other:?}", action(&event.body)),
        }
        assert!(
            queued.get(id) == Some(&event.body),
            "{}: not queued byte for byte",
            action(&event.body)
        );
    }
    assert_eq!(
        accepted,
        queued.len(),
        "every accepted delivery is one event, and nothing else is"
    );
    println!(
        "delivered {} = queued {accepted} + repeats {repeats}; 0 lost, 0 refused; {} other calls",
        events.len(),
        exchanges.len() - events.len()
    );

    let instant = Recorder::start(answer_at_once());
    let with_instant = drive_at(instant.address);
    if !is_as_fast(&with_relay, &with_instant) {
        // The machine may have done much else during the first of the two walks.
        let with_instant = drive_at(instant.address);
        let with_relay = drive_at(recorder.address);
        assert!(
            is_as_fast(&with_relay, &with_instant),
            "labelrelay slows Label Studio's API"
        );
    }
}

/// Starts Label Studio and makes it send everything to `address`.
fn drive_at(address: SocketAddr) -> Vec<Step> {
    label_studio::drive(&format!("{address}/label-studio"), SECRET)
}

/// The annotator waits for the receiver: compares what the same walk took with one that does nothing.
fn is_as_fast(relay: &[Step], instant: &[Step]) -> bool {
    let names = |steps: &[Step]| {
        steps
            .iter()
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(relay), names(instant), "both walks went the same way");
    let sum = |steps: &[Step]| steps.iter().map(|(_, seconds)| seconds).sum::<f64>();
    let median = |steps: &[Step]| {
        let mut seconds: Vec<_> = steps.iter().map(|(_, seconds)| *seconds).collect();
        seconds.sort_by(f64::total_cmp);
        seconds[seconds.len() / 2]
    };
    println!(
        "seconds of {} API calls: with labelrelay median {:.4}, sum {:.2}; with a receiver that answers at once median {:.4}, sum {:.2}",
        relay.len(),
        median(relay),
        sum(relay),
        median(instant),
        sum(instant)
    );
    // One run on a busy machine: the bound is for what a wait of a queue or a lock would cost.
    sum(relay) <= 1.5 * sum(instant) + 2.0
}

/// A receiver that reads a request, answers and forgets; good enough for an ML back end, too.
fn answer_at_once() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_nodelay(true).unwrap();
            std::thread::spawn(move || {
                let (mut received, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
                while let Ok(length @ 1..) = stream.read(&mut buffer) {
                    received.extend_from_slice(&buffer[..length]);
                    while let Some(whole) = request_length(&received) {
                        received.drain(..whole);
                        let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{\"results\":[]}";
                        if stream.write_all(answer.as_bytes()).is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    address
}

/// Length of the request at the start of `bytes`, once it is whole.
fn request_length(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
        .unwrap_or(0);
    (bytes.len() >= end + length).then_some(end + length)
}
