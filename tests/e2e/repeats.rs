//! Copies of one delivery that arrive at once are one event.

use labelrelay_tests::client::Client;
use labelrelay_tests::relay::{SECRET, Site};
use labelrelay_tests::sender;
use std::sync::Barrier;

const COPIES: usize = 200;

#[test]
fn two_hundred_copies_at_once_are_one_event() {
    let site = Site::new();
    let relay = site.serve();
    let body = sender::label("copies");
    let together = Barrier::new(COPIES);
    let mut answers: Vec<_> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..COPIES)
            .map(|number| {
                // The delivery id differs between two webhooks that report one change.
                let request =
                    sender::labelbox(SECRET, "LABEL_CREATED", &format!("copy{number}"), &body);
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
