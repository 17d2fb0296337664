//! Copies of one delivery that arrive at once are one event.

use labelrelay_tests::client::Client;
use labelrelay_tests::relay::{SECRET, Site};
use labelrelay_tests::sender;
use std::collections::HashSet;
use std::sync::Barrier;

const COPIES: usize = 200;

/// One delivery of the platform, many times over; what nothing but the delivery tells from another change.
#[test]
fn two_hundred_copies_of_one_delivery_at_once_are_one_event() {
    are_one_event(&sender::label("copies"), |_| "one".to_owned());
}

/// Webhooks that report one version of a label, each by a delivery of its own.
#[test]
fn two_hundred_reports_of_one_version_at_once_are_one_event() {
    let label = String::from_utf8(sender::label("version")).unwrap();
    let version = label.replace(":08Z", ":08.421Z");
    assert_ne!(version, label);
    are_one_event(version.as_bytes(), |number| format!("copy{number}"));
}

fn are_one_event(body: &[u8], delivery: impl Fn(usize) -> String) {
    let site = Site::new();
    let relay = site.serve();
    let together = Barrier::new(COPIES);
    let mut answers: Vec<_> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..COPIES)
            .map(|number| {
                let delivery = delivery(number);
                let request = sender::labelbox(SECRET, "LABEL_CREATED", &delivery, body);
                let mut client = Client::connect(relay.address).unwrap();
                let together = &together;
                scope.spawn(move || {
                    together.wait();
                    client.exchange(&request).unwrap()
                })
            })
            .collect();
        senders
            .into_iter()
            .map(|sender| sender.join().unwrap())
            .collect()
    });
    assert!(
        answers.iter().all(|answer| answer.status == 200),
        "{answers:?}"
    );
    answers.retain(|answer| answer.outcome() != "repeat");
    assert_eq!(
        answers.len(),
        1,
        "one is accepted, all others are repeats: {answers:?}"
    );
    assert_eq!(answers[0].outcome(), "accepted");
    let queue = site.export();
    assert_eq!(queue.len(), 1);
    assert_eq!(queue[0].body, body);
    assert_eq!(
        answers[0].member("id").as_deref(),
        Some(&*queue[0].attributes.id)
    );
}

/// The other way round: what is not told apart by its bytes, but by its deliveries.
#[test]
fn equal_bodies_of_several_deliveries_are_several_events() {
    let site = Site::new();
    let relay = site.serve();
    let body = sender::label("moves back");
    let mut client = Client::connect(relay.address).unwrap();
    for number in 0..3 {
        let delivery = format!("d{number}");
        let request = sender::labelbox(SECRET, "LABEL_UPDATED", &delivery, &body);
        let answer = client.exchange(&request).unwrap();
        assert_eq!(answer.outcome(), "accepted");
    }
    let queue = site.export();
    assert_eq!(queue.len(), 3);
    let ids: HashSet<_> = queue.iter().map(|event| &event.attributes.id).collect();
    assert_eq!(ids.len(), 3);
    assert!(queue.iter().all(|event| event.body == body));
}
